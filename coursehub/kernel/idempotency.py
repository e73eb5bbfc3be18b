"""Rows of idempotency keys: a request's key, what it asked, what it was answered."""

from datetime import datetime

from sqlalchemy import LargeBinary, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base
from coursehub.kernel.encryption import EncryptedJson


class IdempotencyKey(Base):
    """One request that must happen once; `answer` is None while it runs."""

    __tablename__ = "idempotency_keys"

    scope: Mapped[str] = mapped_column(Text, primary_key=True)  # person and route
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[dict[str, object] | None] = mapped_column(EncryptedJson("idempotency_keys.answer"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
