"""Rows of feature flags."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, Uuid, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base


class Flag(Base):
    """A feature that is on for everyone, for some roles, for some people, or off."""

    __tablename__ = "feature_flags"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    enabled: Mapped[bool] = mapped_column(server_default="false", default=False)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", default=list)
    customer_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}", default=list)
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
