"""Rows of a library: downloads and their rights, what is put away, private files with the text of their pages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, INET, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed, one_of

LIMIT = 5  # PRD 20.2: at most 5 downloads per purchase; here for each version of it
FILE_STATUSES = ("processing", "ready", "failed")


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


class ArchivedPurchase(Base):
    """A purchase that its owner has put away: the right stays, the card leaves the library's first page."""

    __tablename__ = "library_archive"

    purchase_id: Mapped[UUID] = mapped_column(ForeignKey("purchases.id", ondelete="CASCADE"), primary_key=True)
    archived_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PrivateFile(Base, Keyed):
    """A person's own PDF: in their library alone, never sold, shown to nobody else, staff included."""

    __tablename__ = "private_files"
    __table_args__ = (
        CheckConstraint(one_of("status", FILE_STATUSES), name="status_known"),
        CheckConstraint("status <> 'ready' OR pages_count > 0", name="ready_has_pages"),
        CheckConstraint("byte_size >= 0", name="size_not_negative"),
        Index("ix_private_files_newest", "customer_id", "created_at", "id"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(Text)
    filename: Mapped[str] = mapped_column(Text)
    pdf_url: Mapped[str] = mapped_column(Text)  # storage key of the clean copy
    byte_size: Mapped[int] = mapped_column(BigInteger)
    pages_count: Mapped[int | None]
    pages_drawn: Mapped[int] = mapped_column(server_default="0", default=0)
    status: Mapped[str] = mapped_column(Text, server_default="processing", default="processing")
    error: Mapped[str | None] = mapped_column(Text)  # a sentence for the person
    received_sha256: Mapped[str] = mapped_column(Text)  # of what was sent, so that a damaged arrival is noticed
    fingerprint: Mapped[str | None] = mapped_column(Text)  # sha256 of the clean copy
    removed: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", default=list)  # active content
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())  # when it was last sent to be looked at
    archived_at: Mapped[datetime | None]


class PrivatePageText(Base):
    """The text of one page of a private file; `search` holds its words as written and their English stems."""

    __tablename__ = "private_page_texts"
    __table_args__ = (Index("ix_private_page_texts_search", "search", postgresql_using="gin"),)

    file_id: Mapped[UUID] = mapped_column(ForeignKey("private_files.id", ondelete="CASCADE"), primary_key=True)
    page_number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    search: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('simple'::regconfig, text) || to_tsvector('english'::regconfig, text)",
            persisted=True,
        ),
        nullable=True,
        deferred=True,
    )
