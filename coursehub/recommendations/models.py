"""Rows of recommendations: the record of what was suggested to whom."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed


class Recommendation(Base, Keyed):
    """The list made for one person by one algorithm: items are `{course_id, score}`."""

    __tablename__ = "recommendations"

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    algo_version: Mapped[str] = mapped_column(Text)
    generated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    items: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]", default=list)
