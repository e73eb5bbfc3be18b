"""Private files in a library, and what is put away."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "library_archive",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_id"],
            ["purchases.id"],
            name=op.f("fk_library_archive_purchase_id_purchases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("purchase_id", name=op.f("pk_library_archive")),
    )
    op.create_table(
        "private_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("pdf_url", sa.Text(), nullable=False),
        sa.Column("byte_size", sa.BigInteger(), nullable=False),
        sa.Column("pages_count", sa.Integer(), nullable=True),
        sa.Column("pages_drawn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.Text(), server_default="processing", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("received_sha256", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("removed", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('processing', 'ready', 'failed')", name=op.f("ck_private_files_status_known")),
        sa.CheckConstraint("status <> 'ready' OR pages_count > 0", name=op.f("ck_private_files_ready_has_pages")),
        sa.CheckConstraint("byte_size >= 0", name=op.f("ck_private_files_size_not_negative")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_private_files_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_private_files")),
    )
    op.create_index("ix_private_files_newest", "private_files", ["customer_id", "created_at", "id"])
    op.create_table(
        "private_page_texts",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("page_number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, text) || to_tsvector('english'::regconfig, text)", persisted=True
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["private_files.id"],
            name=op.f("fk_private_page_texts_file_id_private_files"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("file_id", "page_number", name=op.f("pk_private_page_texts")),
    )
    op.create_index("ix_private_page_texts_search", "private_page_texts", ["search"], postgresql_using="gin")
    op.create_foreign_key(
        op.f("fk_reading_positions_file_id_private_files"),
        "reading_positions",
        "private_files",
        ["file_id"],
        ["id"],
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_reading_positions_file_id_private_files"), "reading_positions", type_="foreignkey")
    op.drop_table("private_page_texts")
    op.drop_table("private_files")
    op.drop_table("library_archive")
