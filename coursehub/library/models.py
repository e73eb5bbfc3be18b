"""Rows of downloads: how many a purchase has, the grants given, each download recorded."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed

LIMIT = 5  # PRD 20.2: at most 5 downloads per purchase; here for each version of it


class DownloadAllowance(Base):
    """How many of a purchase's downloads of one version are used."""

    __tablename__ = "download_allowances"
    __table_args__ = (CheckConstraint("used BETWEEN 0 AND allowed", name="within_limit"),)

    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id", ondelete="CASCADE"), primary_key=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("course_versions.id"), primary_key=True)
    used: Mapped[int] = mapped_column(server_default="0", default=0)
    allowed: Mapped[int] = mapped_column(server_default=text(str(LIMIT)), default=LIMIT)


class DownloadGrant(Base, Keyed):
    """A right to fetch one version for 24 hours, any number of times. A repeated nonce is the same grant."""

    __tablename__ = "download_grants"
    __table_args__ = (UniqueConstraint("purchase_id", "nonce"),)

    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id", ondelete="CASCADE"), index=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("course_versions.id"))
    nonce: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Download(Base, Keyed):
    """One granted download, for limits, support and evidence."""

    __tablename__ = "downloads"
    __table_args__ = (Index("ix_downloads_purchase", "purchase_id", "version_id"),)

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"), index=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("course_versions.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id"))
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("download_grants.id"), unique=True)
    downloaded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ip: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(Text, server_default="", default="")
