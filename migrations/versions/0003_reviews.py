"""Reviews, wishes, and the addresses a course had before."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("counts", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.Text(), server_default="", nullable=False),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_reviews_rating_in_stars")),
        sa.CheckConstraint("(reply = '') = (replied_at IS NULL)", name=op.f("ck_reviews_reply_dated")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_reviews_course_id_courses")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_reviews_customer_id_customers")),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name=op.f("fk_reviews_purchase_id_purchases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("customer_id", "course_id", name=op.f("uq_reviews_customer_id_course_id")),
    )
    op.create_index(
        "ix_reviews_newest",
        "reviews",
        ["course_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("counts"),
    )
    op.create_index(
        "ix_reviews_ratings", "reviews", ["course_id", "rating"], unique=False, postgresql_where=sa.text("counts")
    )
    op.create_table(
        "wishlist",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_wishlist_course_id_courses"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_wishlist_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", "course_id", name=op.f("pk_wishlist")),
    )
    op.create_index(op.f("ix_wishlist_course_id"), "wishlist", ["course_id"], unique=False)
    op.create_table(
        "course_slugs",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_slugs_course_id_courses"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_course_slugs")),
    )
    op.create_index(op.f("ix_course_slugs_course_id"), "course_slugs", ["course_id"], unique=False)


def downgrade() -> None:
    op.drop_table("course_slugs")
    op.drop_table("wishlist")
    op.drop_table("reviews")
