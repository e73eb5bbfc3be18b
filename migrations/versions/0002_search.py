"""What search needs: a narrow row per course, the words that titles are made of."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("courses", sa.Column("rating_sum", sa.Integer(), server_default="0", nullable=False))
    op.add_column("courses", sa.Column("rating_count", sa.Integer(), server_default="0", nullable=False))
    op.add_column("courses", sa.Column("rating_score", sa.Float(), server_default="3.9", nullable=False))


def downgrade() -> None:
    for name in ("rating_score", "rating_count", "rating_sum"):
        op.drop_column("courses", name)
