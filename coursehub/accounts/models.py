"""Rows of people: customers, what they agreed to, their mailed tokens, their sessions and API tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column, validates

from coursehub.kernel import encryption
from coursehub.kernel.db import Base, Keyed, one_of
from coursehub.kernel.encryption import Encrypted

ROLES = ("buyer", "creator", "admin")
STATUSES = ("active", "banned", "deleted")
EMAIL = "customers.email"  # the purpose of every sealed address and blind index, so that they compare


class Customer(Base, Keyed):
    """A person with an account. Addresses are unique among verified accounts only: see `registration`."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint(one_of("role", ROLES), name="role_known"),
        CheckConstraint(one_of("status", STATUSES), name="status_known"),
        Index("ix_customers_email_index", "email_index"),
        Index(
            "uq_customers_verified_email",
            "email_index",
            unique=True,
            postgresql_where=text("email_verified_at IS NOT NULL AND status <> 'deleted'"),
        ),
    )

    email: Mapped[str] = mapped_column(Encrypted(EMAIL))
    email_index: Mapped[bytes] = mapped_column(LargeBinary)
    password_hash: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    bio: Mapped[str] = mapped_column(Text, server_default="", default="")
    website: Mapped[str | None] = mapped_column(Text)  # https only; linked from a creator's page
    address_line1: Mapped[str | None] = mapped_column(Encrypted("customers.address_line1"))
    address_line2: Mapped[str | None] = mapped_column(Encrypted("customers.address_line2"))
    city: Mapped[str | None] = mapped_column(Encrypted("customers.city"))
    region: Mapped[str | None] = mapped_column(Encrypted("customers.region"))
    postal_code: Mapped[str | None] = mapped_column(Encrypted("customers.postal_code"))
    country: Mapped[str | None] = mapped_column(Text)
    registration_date: Mapped[datetime] = mapped_column(server_default=func.now())
    last_active_at: Mapped[datetime | None] = mapped_column(index=True)
    email_verified_at: Mapped[datetime | None]
    stripe_customer_id: Mapped[str | None] = mapped_column(Text, index=True)
    role: Mapped[str] = mapped_column(Text, server_default="buyer", default="buyer")
    status: Mapped[str] = mapped_column(Text, server_default="active", default="active")

    @validates("email")
    def _index_email(self, _key: str, email: str) -> str:
        self.email_index = encryption.key_ring().index(encryption.fold_email(email), EMAIL)
        return email

    # What Flask-Login asks of a user.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.status != "deleted"

    def get_id(self) -> str:
        return str(self.id)

    @property
    def is_admin(self) -> bool:
        """Runs the shop; a ban takes the role's powers, not the role."""
        return self.role == "admin" and self.status == "active"

    @property
    def is_creator(self) -> bool:
        return self.role in ("creator", "admin") and self.status == "active"

    @property
    def website_name(self) -> str:
        """The website as a link's words: without what every address begins with."""
        return (self.website or "").removeprefix("https://").removeprefix("www.")

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None


class Consent(Base, Keyed):
    """What a person agreed to: which text, which version, when."""

    __tablename__ = "consents"
    __table_args__ = (CheckConstraint("kind IN ('terms', 'privacy', 'marketing')", name="kind_known"),)

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    given: Mapped[bool]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())


class EmailToken(Base, Keyed):
    """A mailed proof of an address: a link's token and a short code, each stored hashed, usable once."""

    __tablename__ = "email_tokens"
    __table_args__ = (CheckConstraint("kind IN ('verify', 'reset', 'change')", name="kind_known"),)

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Encrypted("email_tokens.email"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    # Of the password and last sign-in when it was made: a reset token dies when either changes.
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class BrowserSession(Base, Keyed):
    """A signed-in browser. The cookie holds a random id, this row its hash: deleting the row signs the browser out."""

    __tablename__ = "sessions"

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    id_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    password_checked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ip: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(Text, server_default="")


class ApiToken(Base, Keyed):
    """A refresh token of the API: its id is the JWT's `jti`; a family dies when a used token comes again."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("replaces_id"),)

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    family_id: Mapped[UUID] = mapped_column(index=True)
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_tokens.id", ondelete="CASCADE"))
    issued_at: Mapped[datetime] = mapped_column(server_default=func.now())
    password_checked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
