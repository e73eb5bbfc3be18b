"""What a creator says of themselves, and the mark on a course that staff took down."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("website", sa.Text()))
    op.add_column("courses", sa.Column("taken_down_at", sa.DateTime(timezone=True)))
    op.add_column("courses", sa.Column("takedown_reason", sa.Text()))
    op.create_check_constraint("takedown_says_why", "courses", "(taken_down_at IS NULL) = (takedown_reason IS NULL)")


def downgrade() -> None:
    op.drop_constraint("takedown_says_why", "courses", type_="check")
    op.drop_column("courses", "takedown_reason")
    op.drop_column("courses", "taken_down_at")
    op.drop_column("customers", "website")
