"""Every table of the shop: people, courses, carts, orders, rights, downloads, payments, mail, flags, audit, outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CATEGORIES = (
    ("programming", "Programming"),
    ("design", "Design"),
    ("business", "Business"),
    ("writing", "Writing"),
    ("science", "Science"),
    ("languages", "Languages"),
    ("music", "Music"),
    ("photography", "Photography"),
    ("health", "Health"),
    ("other", "Other"),
)


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("ip_index", sa.LargeBinary(), nullable=True),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_log")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_log_hash")),
    )
    op.create_index(op.f("ix_audit_log_action"), "audit_log", ["action"], unique=False)
    op.create_index(op.f("ix_audit_log_actor_id"), "audit_log", ["actor_id"], unique=False)
    op.create_index("ix_audit_log_subject", "audit_log", ["subject_type", "subject_id"], unique=False)
    op.create_table(
        "categories",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_categories")),
    )
    op.create_table(
        "customers",
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bio", sa.Text(), server_default="", nullable=False),
        sa.Column("address_line1", sa.LargeBinary(), nullable=True),
        sa.Column("address_line2", sa.LargeBinary(), nullable=True),
        sa.Column("city", sa.LargeBinary(), nullable=True),
        sa.Column("region", sa.LargeBinary(), nullable=True),
        sa.Column("postal_code", sa.LargeBinary(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("registration_date", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stripe_customer_id", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), server_default="buyer", nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("role IN ('buyer', 'creator', 'admin')", name=op.f("ck_customers_role_known")),
        sa.CheckConstraint("status IN ('active', 'banned', 'deleted')", name=op.f("ck_customers_status_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_index("ix_customers_email_index", "customers", ["email_index"], unique=False)
    op.create_index(op.f("ix_customers_last_active_at"), "customers", ["last_active_at"], unique=False)
    op.create_index(op.f("ix_customers_stripe_customer_id"), "customers", ["stripe_customer_id"], unique=False)
    op.create_index(
        "uq_customers_verified_email",
        "customers",
        ["email_index"],
        unique=True,
        postgresql_where=sa.text("email_verified_at IS NOT NULL AND status <> 'deleted'"),
    )
    op.create_table(
        "failed_jobs",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), server_default="", nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.Text(), server_default="failed", nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("status IN ('failed', 'replayed', 'dropped')", name=op.f("ck_failed_jobs_status_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_jobs")),
    )
    op.create_index(op.f("ix_failed_jobs_event_id"), "failed_jobs", ["event_id"], unique=False)
    op.create_index(
        "ix_failed_jobs_open", "failed_jobs", ["failed_at"], unique=False, postgresql_where=sa.text("status = 'failed'")
    )
    op.create_table(
        "feature_flags",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("customer_ids", postgresql.ARRAY(sa.Uuid()), server_default="{}", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feature_flags")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "mail_log",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_key", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("to_address", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("locale", sa.Text(), server_default="en", nullable=False),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'sending', 'sent', 'failed', 'suppressed')", name=op.f("ck_mail_log_status_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_log")),
        sa.UniqueConstraint("kind", "subject_key", name=op.f("uq_mail_log_kind_subject_key")),
    )
    op.create_index(op.f("ix_mail_log_customer_id"), "mail_log", ["customer_id"], unique=False)
    op.create_index(
        "ix_mail_log_waiting",
        "mail_log",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('queued', 'sending')"),
    )
    op.create_table(
        "mail_preferences",
        sa.Column("address_index", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("address_index", "kind", name=op.f("pk_mail_preferences")),
    )
    op.create_table(
        "outbox",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publishes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_due", "outbox", ["due_at"], unique=False, postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_index(
        "ix_outbox_finished_at",
        "outbox",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_table(
        "payment_methods",
        sa.Column("stripe_payment_method_id", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("exp_month", sa.Integer(), nullable=False),
        sa.Column("exp_year", sa.Integer(), nullable=False),
        sa.Column("billing_name", sa.Text(), nullable=True),
        sa.Column("billing_address", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_methods")),
        sa.UniqueConstraint("stripe_payment_method_id", name=op.f("uq_payment_methods_stripe_payment_method_id")),
    )
    op.create_table(
        "processed_events",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "actor", name=op.f("pk_processed_events")),
    )
    op.create_index(op.f("ix_processed_events_processed_at"), "processed_events", ["processed_at"], unique=False)
    op.create_table(
        "status_moves",
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_moves")),
    )
    op.create_index("ix_status_moves_subject", "status_moves", ["subject_id", "moved_at"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("provider", sa.Text(), server_default="stripe", nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("signature_valid", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default="received", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "status IN ('received', 'applied', 'ignored', 'deferred', 'failed')", name=op.f("ck_webhooks_status_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("event_id", name=op.f("uq_webhooks_event_id")),
    )
    op.create_index(op.f("ix_webhooks_event_type"), "webhooks", ["event_type"], unique=False)
    op.create_index(op.f("ix_webhooks_object_id"), "webhooks", ["object_id"], unique=False)
    op.create_index(
        "ix_webhooks_unapplied",
        "webhooks",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('received', 'deferred')"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("password_checked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_api_tokens_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["api_tokens.id"], name=op.f("fk_api_tokens_replaces_id_api_tokens"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_api_tokens_replaces_id")),
    )
    op.create_index(op.f("ix_api_tokens_customer_id"), "api_tokens", ["customer_id"], unique=False)
    op.create_index(op.f("ix_api_tokens_expires_at"), "api_tokens", ["expires_at"], unique=False)
    op.create_index(op.f("ix_api_tokens_family_id"), "api_tokens", ["family_id"], unique=False)
    op.create_table(
        "carts",
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("guest_hash", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(customer_id IS NULL) <> (guest_hash IS NULL)", name=op.f("ck_carts_one_owner")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_carts_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carts")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_carts_customer_id")),
        sa.UniqueConstraint("guest_hash", name=op.f("uq_carts_guest_hash")),
    )
    op.create_table(
        "consents",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('terms', 'privacy', 'marketing')", name=op.f("ck_consents_kind_known")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_consents_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_customer_id"), "consents", ["customer_id"], unique=False)
    op.create_table(
        "courses",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subtitle", sa.Text(), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("cover_image_url", sa.Text(), nullable=True),
        sa.Column("cover_is_own", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("pages_count", sa.Integer(), nullable=True),
        sa.Column("current_version_id", sa.Uuid(), nullable=True),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), server_default="USD", nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("sample_pages", sa.Integer(), server_default="3", nullable=False),
        sa.Column("sales_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search", postgresql.TSVECTOR(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status = 'draft' OR current_version_id IS NOT NULL", name=op.f("ck_courses_published_has_version")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'published', 'unlisted', 'archived')", name=op.f("ck_courses_status_known")
        ),
        sa.CheckConstraint("price_cents >= 0", name=op.f("ck_courses_price_not_negative")),
        sa.CheckConstraint("sample_pages BETWEEN 0 AND 10", name=op.f("ck_courses_sample_pages_few")),
        sa.ForeignKeyConstraint(["author_id"], ["customers.id"], name=op.f("fk_courses_author_id_customers")),
        sa.ForeignKeyConstraint(["category"], ["categories.slug"], name=op.f("fk_courses_category_categories")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
        sa.UniqueConstraint("slug", name=op.f("uq_courses_slug")),
    )
    op.create_index(op.f("ix_courses_author_id"), "courses", ["author_id"], unique=False)
    op.create_index(op.f("ix_courses_category"), "courses", ["category"], unique=False)
    op.create_index(
        "ix_courses_newest",
        "courses",
        ["published_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'published'"),
    )
    op.create_index("ix_courses_search", "courses", ["search"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_courses_status"), "courses", ["status"], unique=False)
    op.create_index("ix_courses_tags", "courses", ["tags"], unique=False, postgresql_using="gin")
    op.create_table(
        "customer_payment_methods",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("payment_method_id", sa.Uuid(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("detached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_customer_payment_methods_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["payment_method_id"],
            ["payment_methods.id"],
            name=op.f("fk_customer_payment_methods_payment_method_id_payment_methods"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_payment_methods")),
    )
    op.create_index(
        op.f("ix_customer_payment_methods_customer_id"), "customer_payment_methods", ["customer_id"], unique=False
    )
    op.create_index(
        op.f("ix_customer_payment_methods_payment_method_id"),
        "customer_payment_methods",
        ["payment_method_id"],
        unique=False,
    )
    op.create_index(
        "uq_customer_payment_methods_default",
        "customer_payment_methods",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("is_default AND detached_at IS NULL"),
    )
    op.create_table(
        "email_tokens",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('verify', 'reset', 'change')", name=op.f("ck_email_tokens_kind_known")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_email_tokens_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_email_tokens_token_hash")),
    )
    op.create_index(op.f("ix_email_tokens_customer_id"), "email_tokens", ["customer_id"], unique=False)
    op.create_table(
        "orders",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="added_2_cart", nullable=False),
        sa.Column("cart_hash", sa.Text(), nullable=False),
        sa.Column("total_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tax_cents", sa.Integer(), server_default="0", nullable=False),
        sa.Column("discount_cents", sa.Integer(), server_default="0", nullable=False),
        sa.Column("coupon_code", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column("stripe_payment_intent_id", sa.Text(), nullable=True),
        sa.Column("stripe_checkout_session_id", sa.Text(), nullable=True),
        sa.Column("checkout_url", sa.Text(), nullable=True),
        sa.Column("checkout_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_url", sa.Text(), nullable=True),
        sa.Column("download_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("flag", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('added_2_cart', 'purchase_started', 'payment_succeeded', 'course_downloaded', 'canceled', "
            "'expired', 'failed')",
            name=op.f("ck_orders_status_known"),
        ),
        sa.CheckConstraint(
            "total_cents >= 0 AND tax_cents >= 0 AND discount_cents >= 0", name=op.f("ck_orders_amounts_not_negative")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_orders_customer_id_customers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
        sa.UniqueConstraint("stripe_checkout_session_id", name=op.f("uq_orders_stripe_checkout_session_id")),
    )
    op.create_index(op.f("ix_orders_customer_id"), "orders", ["customer_id"], unique=False)
    op.create_index("ix_orders_customer_newest", "orders", ["customer_id", "created_at"], unique=False)
    op.create_index(
        "ix_orders_open_since",
        "orders",
        ["updated_at"],
        unique=False,
        postgresql_where=sa.text("status = 'purchase_started'"),
    )
    op.create_index(op.f("ix_orders_status"), "orders", ["status"], unique=False)
    op.create_index(op.f("ix_orders_stripe_payment_intent_id"), "orders", ["stripe_payment_intent_id"], unique=False)
    op.create_index(
        "uq_orders_open",
        "orders",
        ["customer_id", "cart_hash"],
        unique=True,
        postgresql_where=sa.text("status IN ('added_2_cart', 'purchase_started')"),
    )
    op.create_table(
        "recommendations",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("algo_version", sa.Text(), nullable=False),
        sa.Column("generated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_recommendations_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendations")),
    )
    op.create_index(op.f("ix_recommendations_customer_id"), "recommendations", ["customer_id"], unique=False)
    op.create_table(
        "retention",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("offer_code", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="email", nullable=False),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("channel IN ('email')", name=op.f("ck_retention_channel_known")),
        sa.CheckConstraint("response IN ('clicked', 'ignored', 'purchased')", name=op.f("ck_retention_response_known")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_retention_customer_id_customers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention")),
        sa.UniqueConstraint("customer_id", "campaign_id", name=op.f("uq_retention_customer_id_campaign_id")),
    )
    op.create_index(op.f("ix_retention_customer_id"), "retention", ["customer_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("id_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("password_checked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ip", postgresql.INET(), nullable=True),
        sa.Column("user_agent", sa.Text(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_sessions_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("id_hash", name=op.f("uq_sessions_id_hash")),
    )
    op.create_index(op.f("ix_sessions_customer_id"), "sessions", ["customer_id"], unique=False)
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_table(
        "cart_items",
        sa.Column("cart_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_price_cents", sa.Integer(), nullable=False),
        sa.Column("seen_currency", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["carts.id"], name=op.f("fk_cart_items_cart_id_carts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_cart_items_course_id_courses")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_items")),
        sa.UniqueConstraint("cart_id", "course_id", name=op.f("uq_cart_items_cart_id_course_id")),
    )
    op.create_index(op.f("ix_cart_items_cart_id"), "cart_items", ["cart_id"], unique=False)
    op.create_index(op.f("ix_cart_items_course_id"), "cart_items", ["course_id"], unique=False)
    op.create_table(
        "course_versions",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("pdf_url", sa.Text(), nullable=False),
        sa.Column("layout_config", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("generated_by", sa.Text(), nullable=False),
        sa.Column("changelog", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.Text(), server_default="processing", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("filename", sa.Text(), server_default="", nullable=False),
        sa.Column("byte_size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("pages_count", sa.Integer(), nullable=True),
        sa.Column("pages_drawn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("page_size", sa.Text(), server_default="", nullable=False),
        sa.Column("outline", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("removed", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "generated_by IN ('upload', 'builder', 'edit')", name=op.f("ck_course_versions_generated_by_known")
        ),
        sa.CheckConstraint("status <> 'ready' OR pages_count > 0", name=op.f("ck_course_versions_ready_has_pages")),
        sa.CheckConstraint("status IN ('processing', 'ready', 'failed')", name=op.f("ck_course_versions_status_known")),
        sa.CheckConstraint("version_number > 0", name=op.f("ck_course_versions_number_positive")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_versions_course_id_courses"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_versions")),
        sa.UniqueConstraint("course_id", "version_number", name=op.f("uq_course_versions_course_id_version_number")),
    )
    op.create_index(op.f("ix_course_versions_course_id"), "course_versions", ["course_id"], unique=False)
    op.create_table(
        "disputes",
        sa.Column("stripe_dispute_id", sa.Text(), nullable=False),
        sa.Column("payment_intent_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_disputes_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("stripe_dispute_id", name=op.f("uq_disputes_stripe_dispute_id")),
    )
    op.create_index(op.f("ix_disputes_order_id"), "disputes", ["order_id"], unique=False)
    op.create_index(op.f("ix_disputes_payment_intent_id"), "disputes", ["payment_intent_id"], unique=False)
    op.create_table(
        "course_assets",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("asset_type", sa.Text(), nullable=False),
        sa.Column("storage_url", sa.Text(), nullable=False),
        sa.Column("page_number", sa.Integer(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("asset_type IN ('image', 'text')", name=op.f("ck_course_assets_asset_type_known")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_assets_course_id_courses"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["course_versions.id"], name=op.f("fk_course_assets_version_id_course_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_assets")),
    )
    op.create_index(op.f("ix_course_assets_course_id"), "course_assets", ["course_id"], unique=False)
    op.create_table(
        "order_items",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("course_title_snapshot", sa.Text(), nullable=False),
        sa.Column("version_id_snapshot", sa.Uuid(), nullable=False),
        sa.Column("unit_price_cents", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), server_default="1", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("quantity = 1", name=op.f("ck_order_items_one_copy")),
        sa.CheckConstraint("unit_price_cents >= 0", name=op.f("ck_order_items_price_not_negative")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_order_items_course_id_courses")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_order_items_order_id_orders"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id_snapshot"],
            ["course_versions.id"],
            name=op.f("fk_order_items_version_id_snapshot_course_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_items")),
        sa.UniqueConstraint("order_id", "course_id", name=op.f("uq_order_items_order_id_course_id")),
    )
    op.create_index(op.f("ix_order_items_course_id"), "order_items", ["course_id"], unique=False)
    op.create_index(op.f("ix_order_items_order_id"), "order_items", ["order_id"], unique=False)
    op.create_table(
        "page_texts",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("page_number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["course_versions.id"],
            name=op.f("fk_page_texts_version_id_course_versions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "page_number", name=op.f("pk_page_texts")),
    )
    op.create_table(
        "purchases",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("succeeded", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("purchased_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("invoice_url", sa.Text(), nullable=True),
        sa.Column("license_key", sa.Text(), nullable=False),
        sa.Column("fulfillment_status", sa.Text(), server_default="none", nullable=False),
        sa.Column("refund_status", sa.Text(), server_default="none", nullable=False),
        sa.Column("access", sa.Text(), server_default="active", nullable=False),
        sa.Column("access_reason", sa.Text(), server_default="paid", nullable=False),
        sa.Column("access_actor", sa.Text(), server_default="stripe", nullable=False),
        sa.Column("access_changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("access IN ('active', 'suspended', 'revoked')", name=op.f("ck_purchases_access_known")),
        sa.CheckConstraint(
            "fulfillment_status IN ('none', 'ready', 'downloaded')", name=op.f("ck_purchases_fulfillment_known")
        ),
        sa.CheckConstraint(
            "refund_status IN ('none', 'requested', 'processing', 'refunded')", name=op.f("ck_purchases_refund_known")
        ),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_purchases_course_id_courses")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_purchases_customer_id_customers")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_purchases_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["course_versions.id"], name=op.f("fk_purchases_version_id_course_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchases")),
        sa.UniqueConstraint("license_key", name=op.f("uq_purchases_license_key")),
        sa.UniqueConstraint("order_id", "course_id", name=op.f("uq_purchases_order_id_course_id")),
    )
    op.create_index(op.f("ix_purchases_course_id"), "purchases", ["course_id"], unique=False)
    op.create_index(op.f("ix_purchases_customer_id"), "purchases", ["customer_id"], unique=False)
    op.create_index(op.f("ix_purchases_order_id"), "purchases", ["order_id"], unique=False)
    op.create_index(
        "uq_purchases_living",
        "purchases",
        ["customer_id", "course_id"],
        unique=True,
        postgresql_where=sa.text("access <> 'revoked'"),
    )
    op.create_table(
        "download_allowances",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("allowed", sa.Integer(), server_default=sa.text("5"), nullable=False),
        sa.CheckConstraint("used BETWEEN 0 AND allowed", name=op.f("ck_download_allowances_within_limit")),
        sa.ForeignKeyConstraint(
            ["purchase_id"],
            ["purchases.id"],
            name=op.f("fk_download_allowances_purchase_id_purchases"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["course_versions.id"], name=op.f("fk_download_allowances_version_id_course_versions")
        ),
        sa.PrimaryKeyConstraint("purchase_id", "version_id", name=op.f("pk_download_allowances")),
    )
    op.create_table(
        "download_grants",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_download_grants_purchase_id_purchases"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["course_versions.id"], name=op.f("fk_download_grants_version_id_course_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_download_grants")),
        sa.UniqueConstraint("purchase_id", "nonce", name=op.f("uq_download_grants_purchase_id_nonce")),
    )
    op.create_index(op.f("ix_download_grants_expires_at"), "download_grants", ["expires_at"], unique=False)
    op.create_index(op.f("ix_download_grants_purchase_id"), "download_grants", ["purchase_id"], unique=False)
    op.create_table(
        "downloads",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("downloaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ip", postgresql.INET(), nullable=True),
        sa.Column("user_agent", sa.Text(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_downloads_course_id_courses")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_downloads_customer_id_customers")),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["download_grants.id"], name=op.f("fk_downloads_grant_id_download_grants")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_downloads_order_id_orders")),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name=op.f("fk_downloads_purchase_id_purchases")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["course_versions.id"], name=op.f("fk_downloads_version_id_course_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_downloads")),
        sa.UniqueConstraint("grant_id", name=op.f("uq_downloads_grant_id")),
    )
    op.create_index(op.f("ix_downloads_course_id"), "downloads", ["course_id"], unique=False)
    op.create_index(op.f("ix_downloads_customer_id"), "downloads", ["customer_id"], unique=False)
    op.create_index(op.f("ix_downloads_order_id"), "downloads", ["order_id"], unique=False)
    op.create_index("ix_downloads_purchase", "downloads", ["purchase_id", "version_id"], unique=False)
    op.create_foreign_key(
        "fk_courses_current_version_id_course_versions",
        "courses",
        "course_versions",
        ["current_version_id"],
        ["id"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.bulk_insert(
        sa.table(
            "categories", sa.column("slug", sa.Text), sa.column("title", sa.Text), sa.column("position", sa.Integer)
        ),
        [{"slug": slug, "title": title, "position": place} for place, (slug, title) in enumerate(CATEGORIES)],
    )
    # Typo tolerance where the server can: contrib may not be installed, or not allowed to this role.
    op.execute(
        """
        DO $$
        BEGIN
            IF EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
                CREATE EXTENSION IF NOT EXISTS pg_trgm;
                CREATE INDEX ix_courses_title_trgm ON courses USING gin (title gin_trgm_ops);
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE 'pg_trgm is not allowed to this role; search works without typo tolerance';
        END
        $$
        """
    )
    # The audit trail is append-only for everyone, the program included.
    op.execute(
        """
        CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'audit_log is append-only';
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER audit_log_append_only ON audit_log")
    op.execute("DROP FUNCTION audit_log_is_append_only()")
    op.drop_constraint("fk_courses_current_version_id_course_versions", "courses", type_="foreignkey")
    op.drop_index("ix_downloads_purchase", table_name="downloads")
    op.drop_index(op.f("ix_downloads_order_id"), table_name="downloads")
    op.drop_index(op.f("ix_downloads_customer_id"), table_name="downloads")
    op.drop_index(op.f("ix_downloads_course_id"), table_name="downloads")
    op.drop_table("downloads")
    op.drop_index(op.f("ix_download_grants_purchase_id"), table_name="download_grants")
    op.drop_index(op.f("ix_download_grants_expires_at"), table_name="download_grants")
    op.drop_table("download_grants")
    op.drop_table("download_allowances")
    op.drop_index("uq_purchases_living", table_name="purchases", postgresql_where=sa.text("access <> 'revoked'"))
    op.drop_index(op.f("ix_purchases_order_id"), table_name="purchases")
    op.drop_index(op.f("ix_purchases_customer_id"), table_name="purchases")
    op.drop_index(op.f("ix_purchases_course_id"), table_name="purchases")
    op.drop_table("purchases")
    op.drop_table("page_texts")
    op.drop_index(op.f("ix_order_items_order_id"), table_name="order_items")
    op.drop_index(op.f("ix_order_items_course_id"), table_name="order_items")
    op.drop_table("order_items")
    op.drop_index(op.f("ix_course_assets_course_id"), table_name="course_assets")
    op.drop_table("course_assets")
    op.drop_index(op.f("ix_disputes_payment_intent_id"), table_name="disputes")
    op.drop_index(op.f("ix_disputes_order_id"), table_name="disputes")
    op.drop_table("disputes")
    op.drop_index(op.f("ix_course_versions_course_id"), table_name="course_versions")
    op.drop_table("course_versions")
    op.drop_index(op.f("ix_cart_items_course_id"), table_name="cart_items")
    op.drop_index(op.f("ix_cart_items_cart_id"), table_name="cart_items")
    op.drop_table("cart_items")
    op.drop_index(op.f("ix_sessions_expires_at"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_customer_id"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(op.f("ix_retention_customer_id"), table_name="retention")
    op.drop_table("retention")
    op.drop_index(op.f("ix_recommendations_customer_id"), table_name="recommendations")
    op.drop_table("recommendations")
    op.drop_index(
        "uq_orders_open",
        table_name="orders",
        postgresql_where=sa.text("status IN ('added_2_cart', 'purchase_started')"),
    )
    op.drop_index(op.f("ix_orders_stripe_payment_intent_id"), table_name="orders")
    op.drop_index(op.f("ix_orders_status"), table_name="orders")
    op.drop_index("ix_orders_open_since", table_name="orders", postgresql_where=sa.text("status = 'purchase_started'"))
    op.drop_index("ix_orders_customer_newest", table_name="orders")
    op.drop_index(op.f("ix_orders_customer_id"), table_name="orders")
    op.drop_table("orders")
    op.drop_index(op.f("ix_email_tokens_customer_id"), table_name="email_tokens")
    op.drop_table("email_tokens")
    op.drop_index(
        "uq_customer_payment_methods_default",
        table_name="customer_payment_methods",
        postgresql_where=sa.text("is_default AND detached_at IS NULL"),
    )
    op.drop_index(op.f("ix_customer_payment_methods_payment_method_id"), table_name="customer_payment_methods")
    op.drop_index(op.f("ix_customer_payment_methods_customer_id"), table_name="customer_payment_methods")
    op.drop_table("customer_payment_methods")
    op.drop_index("ix_courses_tags", table_name="courses", postgresql_using="gin")
    op.drop_index(op.f("ix_courses_status"), table_name="courses")
    op.drop_index("ix_courses_search", table_name="courses", postgresql_using="gin")
    op.drop_index("ix_courses_newest", table_name="courses", postgresql_where=sa.text("status = 'published'"))
    op.drop_index(op.f("ix_courses_category"), table_name="courses")
    op.drop_index(op.f("ix_courses_author_id"), table_name="courses")
    op.drop_table("courses")
    op.drop_index(op.f("ix_consents_customer_id"), table_name="consents")
    op.drop_table("consents")
    op.drop_table("carts")
    op.drop_index(op.f("ix_api_tokens_family_id"), table_name="api_tokens")
    op.drop_index(op.f("ix_api_tokens_expires_at"), table_name="api_tokens")
    op.drop_index(op.f("ix_api_tokens_customer_id"), table_name="api_tokens")
    op.drop_table("api_tokens")
    op.drop_index(
        "ix_webhooks_unapplied", table_name="webhooks", postgresql_where=sa.text("status IN ('received', 'deferred')")
    )
    op.drop_index(op.f("ix_webhooks_object_id"), table_name="webhooks")
    op.drop_index(op.f("ix_webhooks_event_type"), table_name="webhooks")
    op.drop_table("webhooks")
    op.drop_index("ix_status_moves_subject", table_name="status_moves")
    op.drop_table("status_moves")
    op.drop_index(op.f("ix_processed_events_processed_at"), table_name="processed_events")
    op.drop_table("processed_events")
    op.drop_table("payment_methods")
    op.drop_index("ix_outbox_finished_at", table_name="outbox", postgresql_where=sa.text("finished_at IS NOT NULL"))
    op.drop_index("ix_outbox_due", table_name="outbox", postgresql_where=sa.text("finished_at IS NULL"))
    op.drop_table("outbox")
    op.drop_table("mail_preferences")
    op.drop_index(
        "ix_mail_log_waiting", table_name="mail_log", postgresql_where=sa.text("status IN ('queued', 'sending')")
    )
    op.drop_index(op.f("ix_mail_log_customer_id"), table_name="mail_log")
    op.drop_table("mail_log")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("feature_flags")
    op.drop_index("ix_failed_jobs_open", table_name="failed_jobs", postgresql_where=sa.text("status = 'failed'"))
    op.drop_index(op.f("ix_failed_jobs_event_id"), table_name="failed_jobs")
    op.drop_table("failed_jobs")
    op.drop_index(
        "uq_customers_verified_email",
        table_name="customers",
        postgresql_where=sa.text("email_verified_at IS NOT NULL AND status <> 'deleted'"),
    )
    op.drop_index(op.f("ix_customers_stripe_customer_id"), table_name="customers")
    op.drop_index(op.f("ix_customers_last_active_at"), table_name="customers")
    op.drop_index("ix_customers_email_index", table_name="customers")
    op.drop_table("customers")
    op.drop_table("categories")
    op.drop_index("ix_audit_log_subject", table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_actor_id"), table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_action"), table_name="audit_log")
    op.drop_table("audit_log")
