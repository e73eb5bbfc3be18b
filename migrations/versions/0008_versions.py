"""Which page of one version became which of the next; stamped copies; what a check before publishing found."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
