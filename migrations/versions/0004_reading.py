"""Where each reader left off, and an index over the words of every page."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SEARCH = (
    "to_tsvector('simple'::regconfig, left(text, 40000)) || to_tsvector('english'::regconfig, left(text, 40000))"
    " || array_to_tsvector(ARRAY[version_id::text])"
)


def upgrade() -> None:
    op.create_table(
        "reading_positions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("page_number", sa.Integer(), nullable=False),
        sa.Column("pages_count", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("num_nonnulls(course_id, file_id) = 1", name=op.f("ck_reading_positions_of_one_thing")),
        sa.CheckConstraint(
            "page_number BETWEEN 1 AND pages_count", name=op.f("ck_reading_positions_page_is_in_the_book")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_reading_positions_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_reading_positions_course_id_courses"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["course_versions.id"],
            name=op.f("fk_reading_positions_version_id_course_versions"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_positions")),
        sa.UniqueConstraint("customer_id", "course_id", name=op.f("uq_reading_positions_customer_id_course_id")),
        sa.UniqueConstraint("customer_id", "file_id", name=op.f("uq_reading_positions_customer_id_file_id")),
    )
    op.create_index("ix_reading_positions_recent", "reading_positions", ["customer_id", "updated_at"])
    op.create_index(op.f("ix_reading_positions_course_id"), "reading_positions", ["course_id"])
    op.create_index(op.f("ix_reading_positions_file_id"), "reading_positions", ["file_id"])
    op.create_index(op.f("ix_reading_positions_version_id"), "reading_positions", ["version_id"])
    op.add_column(
        "page_texts",
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed(_SEARCH, persisted=True), nullable=True),
    )
    op.create_index("ix_page_texts_search", "page_texts", ["search"], postgresql_using="gin")


def downgrade() -> None:
    op.drop_index("ix_page_texts_search", "page_texts")
    op.drop_column("page_texts", "search")
    op.drop_table("reading_positions")
