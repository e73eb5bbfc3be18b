"""Rows of mail: each message once per kind and subject, and who wants which kind."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed
from coursehub.kernel.encryption import Encrypted, EncryptedJson


class MailMessage(Base, Keyed):
    """One mail that was asked for. `unique(kind, subject_key)` is what makes a receipt come once."""

    __tablename__ = "mail_log"
    __table_args__ = (
        UniqueConstraint("kind", "subject_key"),
        CheckConstraint("status IN ('queued', 'sending', 'sent', 'failed', 'suppressed')", name="status_known"),
        Index("ix_mail_log_waiting", "created_at", postgresql_where=text("status IN ('queued', 'sending')")),
    )

    kind: Mapped[str] = mapped_column(Text)
    subject_key: Mapped[str] = mapped_column(Text)
    customer_id: Mapped[UUID | None] = mapped_column(index=True)
    to_address: Mapped[str] = mapped_column(Encrypted("mail_log.to_address"))
    data: Mapped[Any] = mapped_column(EncryptedJson("mail_log.data"))
    locale: Mapped[str] = mapped_column(Text, server_default="en", default="en")
    status: Mapped[str] = mapped_column(Text, server_default="queued", default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]


class MailPreference(Base):
    """A person's no (or renewed yes) to one kind of mail, by the blind index of the address."""

    __tablename__ = "mail_preferences"

    address_index: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    wanted: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
