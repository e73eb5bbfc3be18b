"""Rows of courses: the course, its earlier addresses, its words, its immutable versions, pages, assets; categories."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Computed,
    Double,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from coursehub.kernel.db import Base, Keyed, Stamped, one_of
from coursehub.kernel.money import Money

STATUSES = ("draft", "published", "unlisted", "archived")
RATING_PRIOR = 3.9  # what a course counts as before anybody has rated it


class Category(Base):
    """A shelf of the shop; the list comes by migration."""

    __tablename__ = "categories"

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class Course(Base, Keyed, Stamped):
    """What is sold. Its file is the current version; status changes only in `publishing`."""

    __tablename__ = "courses"
    __table_args__ = (
        CheckConstraint(one_of("status", STATUSES), name="status_known"),
        CheckConstraint("price_cents >= 0", name="price_not_negative"),
        CheckConstraint("sample_pages BETWEEN 0 AND 10", name="sample_pages_few"),
        CheckConstraint("(taken_down_at IS NULL) = (takedown_reason IS NULL)", name="takedown_says_why"),
        # A course people can find always has a file behind it.
        CheckConstraint("status = 'draft' OR current_version_id IS NOT NULL", name="published_has_version"),
        CheckConstraint("rating_count >= 0 AND rating_sum >= 0", name="ratings_not_negative"),
        Index("ix_courses_tags", "tags", postgresql_using="gin"),
        # The orders of the list, each with the id for those that are alike.
        Index("ix_courses_newest", "published_at", "id", postgresql_where=text("status = 'published'")),
        Index("ix_courses_popular", "sales_count", "id", postgresql_where=text("status = 'published'")),
        Index("ix_courses_rated", "rating_score", "id", postgresql_where=text("status = 'published'")),
        Index("ix_courses_priced", "price_cents", "id", postgresql_where=text("status = 'published'")),
        Index("ix_courses_shelved", "category", "sales_count", "id", postgresql_where=text("status = 'published'")),
    )

    slug: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    subtitle: Mapped[str] = mapped_column(Text, server_default="", default="")
    description: Mapped[str] = mapped_column(Text, server_default="", default="")
    author_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    cover_image_url: Mapped[str | None] = mapped_column(Text)  # storage key of the WebP
    cover_is_own: Mapped[bool] = mapped_column(server_default="false", default=False)  # else it is page 1
    pages_count: Mapped[int | None]
    current_version_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("course_versions.id", use_alter=True, deferrable=True, initially="DEFERRED")
    )
    price_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(Text, server_default="USD", default="USD")
    status: Mapped[str] = mapped_column(Text, server_default="draft", default="draft", index=True)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", default=list)
    category: Mapped[str] = mapped_column(ForeignKey("categories.slug"), index=True)
    language: Mapped[str] = mapped_column(Text, server_default="en", default="en")
    sample_pages: Mapped[int] = mapped_column(server_default="3", default=3)
    sales_count: Mapped[int] = mapped_column(server_default="0", default=0)
    rating_sum: Mapped[int] = mapped_column(server_default="0", default=0)
    rating_count: Mapped[int] = mapped_column(server_default="0", default=0)
    # What the order by rating goes by: a mean that a few ratings move little. `RATING_PRIOR` while there are none.
    rating_score: Mapped[float] = mapped_column(Double, server_default=str(RATING_PRIOR), default=RATING_PRIOR)
    # Counts edits, so that a second tab's save can see it is late.
    revision: Mapped[int] = mapped_column(server_default="1", default=1)
    published_at: Mapped[datetime | None]
    # Staff took it out of the shop: only staff let it back. The author reads the reason.
    taken_down_at: Mapped[datetime | None]
    takedown_reason: Mapped[str | None] = mapped_column(Text)

    @property
    def price(self) -> Money:
        return Money(self.price_cents, self.currency)

    @property
    def is_free(self) -> bool:
        return self.price_cents == 0

    @property
    def is_taken_down(self) -> bool:
        return self.taken_down_at is not None

    @property
    def is_public(self) -> bool:
        """Whether anyone with the address may see its page; only `published` ones are listed."""
        return self.status in ("published", "unlisted")

    @property
    def rating(self) -> float | None:
        """The mean of its ratings (1 to 5), None while there are none."""
        return self.rating_sum / self.rating_count if self.rating_count else None


class CourseSearch(Base):
    """What lists and search know of a course: a narrow row beside the wide one.

    A trigger keeps the plain columns equal to the course's and its author's, whoever changes those; `search_text`
    writes the words. Sales and ratings change often and stand in no index here, so that they cost one small write.
    """

    __tablename__ = "course_search"
    __table_args__ = (
        Index("ix_course_search_tags", "tags", postgresql_using="gin"),
        # The most popular courses have indexes of their own: a word that thousands of courses have is answered there.
        Index("ix_course_search_words", "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index(
            "ix_course_search_words_head",
            "words",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            postgresql_where=text("head"),
        ),
        Index("ix_course_search_topic", "topic", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_course_search_headline", "headline", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index(
            "ix_course_search_headline_head",
            "headline",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            postgresql_where=text("head"),
        ),
    )

    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    author_id: Mapped[UUID] = mapped_column(index=True)
    listed: Mapped[bool]  # published, and its author may sell
    head: Mapped[bool] = mapped_column(server_default="true")  # among the most popular, or new; set every night
    category: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    price_cents: Mapped[int]
    popularity: Mapped[int]
    rating: Mapped[float | None] = mapped_column(REAL)
    rating_score: Mapped[float] = mapped_column(Double)
    published_at: Mapped[datetime | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    pages_of: Mapped[UUID | None]  # the version whose pages are in `words`
    # Title and names; those with subtitle and description, for ranking; all words without their places, for finding.
    headline: Mapped[Any] = mapped_column(TSVECTOR, nullable=True)
    topic: Mapped[Any] = mapped_column(TSVECTOR, nullable=True)
    words: Mapped[Any] = mapped_column(TSVECTOR, nullable=True)


class TitleWord(Base):
    """A word of some listed title or tag: what a misspelt word is compared with."""

    __tablename__ = "title_words"

    word: Mapped[str] = mapped_column(Text, primary_key=True)
    courses: Mapped[int] = mapped_column(server_default="1")  # that many have it, counted every night


class CourseSlug(Base):
    """An address that a course had while it was public: it leads to the course's address of now, for good."""

    __tablename__ = "course_slugs"

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CourseVersion(Base, Keyed):
    """One immutable edition of the file: numbered, inspected, then ready or failed."""

    __tablename__ = "course_versions"
    __table_args__ = (
        UniqueConstraint("course_id", "version_number"),
        CheckConstraint("generated_by IN ('upload', 'builder', 'edit')", name="generated_by_known"),
        CheckConstraint("status IN ('processing', 'ready', 'failed')", name="status_known"),
        CheckConstraint("status <> 'ready' OR pages_count > 0", name="ready_has_pages"),
        CheckConstraint("version_number > 0", name="number_positive"),
    )

    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    version_number: Mapped[int]
    pdf_url: Mapped[str] = mapped_column(Text)  # storage key
    layout_config: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    generated_by: Mapped[str] = mapped_column(Text)
    changelog: Mapped[str] = mapped_column(Text, server_default="", default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    status: Mapped[str] = mapped_column(Text, server_default="processing", default="processing")
    error: Mapped[str | None] = mapped_column(Text)  # a sentence for the creator
    filename: Mapped[str] = mapped_column(Text, server_default="", default="")
    byte_size: Mapped[int] = mapped_column(BigInteger, server_default="0", default=0)
    fingerprint: Mapped[str | None] = mapped_column(Text)  # sha256 of the stored file
    title: Mapped[str | None] = mapped_column(Text)
    pages_count: Mapped[int | None]
    pages_drawn: Mapped[int] = mapped_column(server_default="0", default=0)
    page_size: Mapped[str] = mapped_column(Text, server_default="", default="")
    outline: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]", default=list)
    removed: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", default=list)  # active content
    released_at: Mapped[datetime | None]  # when it became the course's current version


# A tsvector holds 1 MB, and PostgreSQL refuses the row when it would not: so much of a page is searched. Beside the
# words as written and their English stems stands the version's own name, so that one index finds the pages of the few
# versions somebody may read among those of all.
_PAGE_SEARCH = (
    "to_tsvector('simple'::regconfig, left(text, 40000)) || to_tsvector('english'::regconfig, left(text, 40000))"
    " || array_to_tsvector(ARRAY[version_id::text])"
)


class PageText(Base):
    """The text of one page of a version."""

    __tablename__ = "page_texts"
    __table_args__ = (Index("ix_page_texts_search", "search", postgresql_using="gin"),)

    version_id: Mapped[UUID] = mapped_column(ForeignKey("course_versions.id", ondelete="CASCADE"), primary_key=True)
    page_number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    search: Mapped[Any] = mapped_column(TSVECTOR, Computed(_PAGE_SEARCH, persisted=True), nullable=True, deferred=True)


class CourseAsset(Base, Keyed):
    """A picture or text that belongs to a course."""

    __tablename__ = "course_assets"
    __table_args__ = (CheckConstraint("asset_type IN ('image', 'text')", name="asset_type_known"),)

    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), index=True)
    version_id: Mapped[UUID | None] = mapped_column(ForeignKey("course_versions.id"))
    asset_type: Mapped[str] = mapped_column(Text)
    storage_url: Mapped[str] = mapped_column(Text)
    page_number: Mapped[int | None]
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}", default=dict)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
