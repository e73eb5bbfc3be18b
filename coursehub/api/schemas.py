"""What the API takes and gives: requests name each field they accept, so that nothing else can be set."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from coursehub.accounts.models import ROLES, Customer
from coursehub.cart.basket import CartView, Line
from coursehub.catalog.cards import Card
from coursehub.catalog.filters import SORTS
from coursehub.courses.models import STATUSES as COURSE_STATUSES
from coursehub.courses.models import Course, CourseVersion
from coursehub.kernel.money import MAXIMUM_CHARGE
from coursehub.library.queries import Owned
from coursehub.orders.models import STATUSES as ORDER_STATUSES
from coursehub.orders.queries import OrderWithLines

T = TypeVar("T")
LARGEST_INT = 2**31 - 1


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("This contains a character that cannot be stored.")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Int = Annotated[int, Field(ge=-LARGEST_INT, le=LARGEST_INT)]
OrderStatus = Literal[*ORDER_STATUSES]  # type: ignore[valid-type]
OrderFilter = Literal["", *ORDER_STATUSES]  # type: ignore[valid-type]
CourseStatus = Literal[*COURSE_STATUSES]  # type: ignore[valid-type]
Role = Literal[*ROLES]  # type: ignore[valid-type]
Sort = Literal["", *SORTS]  # type: ignore[valid-type]


class Body(BaseModel):
    """A request's JSON. Fields it does not name are ignored; no body at all is an empty one."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_empty(cls, value: Any) -> Any:
        return {} if value is None else value


class Problem(BaseModel):
    """RFC 9457: what went wrong, for people and for programs."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] = Field([], description="One entry for each field: `pointer` and `detail`.")
    request_id: str


# What is asked


class CoursePath(BaseModel):
    course_id: UUID


class ItemPath(BaseModel):
    item_id: UUID


class OrderPath(BaseModel):
    order_id: UUID


class Once(BaseModel):
    """The header of what must happen once."""

    idempotency_key: str = Field(
        "",
        alias="Idempotency-Key",
        max_length=200,
        description="The same key within 24 hours gives the same answer, byte for byte. With another body: 422; "
        "while the first is running: 409.",
    )


class IfMatch(BaseModel):
    if_match: str = Field(
        "", alias="If-Match", description="The course's ETag or `revision`: 409 when it has been changed since."
    )


class ListQuery(BaseModel):
    cursor: Text = Field("", max_length=300, description="`next_cursor` of the page before.")
    limit: int = Field(24, ge=1, le=100)


class OrdersQuery(ListQuery):
    status: OrderFilter = ""


class CoursesQuery(ListQuery):
    q: Text = Field("", description="Words; the first 200 characters count.")
    tag: Text = ""
    category: Text = ""
    language: Text = Field("", description="Code of the text's language, such as `en`.")
    price_min: int | None = Field(None, ge=0, le=MAXIMUM_CHARGE, description="Minor units (cents).")
    price_max: int | None = Field(None, ge=0, le=MAXIMUM_CHARGE, description="Minor units (cents).")
    rating_min: float | None = Field(None, ge=1, le=5, description="At least this mean of its ratings.")
    sort: Sort = ""


class RegisterBody(Body):
    email: Text
    password: Text
    name: Text


class LoginBody(Body):
    email: Text
    password: Text


class VerifyBody(Body):
    token: Text


class RefreshBody(Body):
    refresh_token: Text


class LogoutBody(Body):
    refresh_token: Text = Field("", description="Signs out without an access token.")


class ProfileBody(Body):
    """What is left out stays as it is; an empty text clears a field."""

    name: Text = ""
    bio: Text = ""
    website: Text = ""
    address_line1: Text = ""
    address_line2: Text = ""
    city: Text = ""
    region: Text = ""
    postal_code: Text = ""
    country: Text = ""


class CourseFields(Body):
    subtitle: Text = ""
    description: Text = ""
    category: Text = "other"
    tags: list[Text] = Field([], max_length=100)
    language: Text = "en"
    price_cents: Int = 0
    currency: Text = "USD"
    sample_pages: Int = 3


class NewCourseBody(CourseFields):
    title: Text = Field(min_length=1)


class CourseBody(CourseFields):
    """What is left out stays as it is."""

    title: Text = Field("", min_length=1)
    status: CourseStatus = Field("draft", description="Publishes, unlists, archives or withdraws.")


class ReleaseBody(Body):
    version_id: UUID | None = Field(None, description="Without it: the newest ready version.")
    changelog: Text = ""


class CartItemBody(Body):
    course_id: UUID


class CheckoutBody(Body):
    coupon_code: Text | None = None


class DownloadBody(Body):
    course_id: UUID


# What is answered


def _shown_rating(mean: float | None) -> float | None:
    return None if mean is None else round(mean, 2)


class Listed(BaseModel, Generic[T]):
    """One page of a list."""

    items: Sequence[T]
    next_cursor: str | None = None


class User(BaseModel):
    id: UUID
    email: str
    name: str
    bio: str
    website: str | None = Field(description="Shown on a creator's page.")
    role: Role
    email_verified: bool
    address_line1: str | None
    address_line2: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None
    registration_date: datetime

    @classmethod
    def of(cls, person: Customer) -> "User":
        return cls.model_validate(person, from_attributes=True)


class SignedIn(BaseModel):
    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(description="Seconds the access token lives.")
    user: User


class Verified(BaseModel):
    user: User


class SignedOut(BaseModel):
    signed_out: bool = True


class Author(BaseModel):
    id: UUID
    name: str


class CourseShown(BaseModel):
    id: UUID
    slug: str
    title: str
    subtitle: str
    description: str | None = Field(None, description="Not in lists.")
    price_cents: int
    currency: str
    status: CourseStatus
    category: str
    tags: list[str]
    language: str
    rating: float | None = Field(None, description="Mean of 1 to 5. Null while nobody has rated it.")
    pages_count: int | None
    sample_pages: int | None = Field(None, description="Not in lists.")
    author: Author
    cover_url: str | None
    current_version_id: UUID | None = Field(None, description="Not in lists.")
    revision: int | None = Field(None, description="For If-Match. Not in lists.")
    published_at: datetime | None

    @classmethod
    def of(cls, course: Course, author: str, cover_url: str | None) -> "CourseShown":
        values = {
            name: getattr(course, name) for name in cls.model_fields if name not in ("author", "cover_url", "rating")
        }
        return cls(
            **values,
            rating=_shown_rating(course.rating),
            author=Author(id=course.author_id, name=author),
            cover_url=cover_url,
        )

    @classmethod
    def of_card(cls, card: Card, cover_url: str | None) -> "CourseShown":
        return cls(
            id=card.id,
            slug=card.slug,
            title=card.title,
            subtitle=card.subtitle,
            price_cents=card.price.cents,
            currency=card.price.currency,
            status=card.status,
            category=card.category,
            tags=list(card.tags),
            language=card.language,
            rating=_shown_rating(card.rating_average),
            pages_count=card.pages_count,
            author=Author(id=card.author_id, name=card.author),
            cover_url=cover_url,
            published_at=card.published_at,
        )


class Uploaded(BaseModel):
    version_id: UUID
    version_number: int
    status: str


class Version(BaseModel):
    id: UUID
    version_number: int
    status: Literal["processing", "ready", "failed"]
    pages_count: int | None
    changelog: str
    error: str | None = Field(description="Why it failed, in a sentence.")
    is_current: bool
    created_at: datetime
    released_at: datetime | None

    @classmethod
    def of(cls, version: CourseVersion, course: Course) -> "Version":
        values = {name: getattr(version, name) for name in cls.model_fields if name != "is_current"}
        return cls(**values, is_current=version.id == course.current_version_id)


class FileLink(BaseModel):
    url: str
    expires_at: datetime
    version_id: UUID


class CartItemShown(BaseModel):
    id: UUID
    course_id: UUID
    slug: str
    title: str
    author: str
    price_cents: int
    currency: str
    price_changed: bool
    trouble: str | None = Field(description="Why it cannot be bought at present.")

    @classmethod
    def of(cls, line: Line) -> "CartItemShown":
        return cls(
            id=line.item_id,
            course_id=line.course_id,
            slug=line.slug,
            title=line.title,
            author=line.author,
            price_cents=line.price.cents,
            currency=line.price.currency,
            price_changed=line.price_changed,
            trouble=line.trouble,
        )


class CartShown(BaseModel):
    id: UUID | None
    items: list[CartItemShown]
    total_cents: int
    currency: str

    @classmethod
    def of(cls, cart: CartView) -> "CartShown":
        lines = [CartItemShown.of(line) for line in cart.lines]
        return cls(id=cart.cart_id, items=lines, total_cents=cart.total.cents, currency=cart.total.currency)


class CheckoutOpened(BaseModel):
    order_id: UUID
    checkout_session_id: str | None
    url: str | None = Field(description="The payment page; null when nothing is left to pay.")


class OrderLine(BaseModel):
    course_id: UUID
    title: str
    version_id: UUID
    unit_price_cents: int


class OrderShown(BaseModel):
    id: UUID
    number: str
    status: OrderStatus
    currency: str
    total_cents: int
    discount_cents: int
    tax_cents: int
    coupon_code: str | None
    items: list[OrderLine]
    receipt_url: str | None
    created_at: datetime
    paid_at: datetime | None

    @classmethod
    def of(cls, found: OrderWithLines) -> "OrderShown":
        values = {name: getattr(found.order, name) for name in cls.model_fields if name != "items"}
        lines = [
            OrderLine(
                course_id=item.course_id,
                title=item.course_title_snapshot,
                version_id=item.version_id_snapshot,
                unit_price_cents=item.unit_price_cents,
            )
            for item in found.items
        ]
        return cls(**values, items=lines)


class PurchaseShown(BaseModel):
    id: UUID
    order_id: UUID
    course_id: UUID
    title: str
    author: str
    version_id: UUID
    license_key: str
    downloads_left: int
    access: Literal["active", "suspended", "revoked"]
    refund_status: Literal["none", "requested", "processing", "refunded"]
    purchased_at: datetime

    @classmethod
    def of(cls, owned: Owned) -> "PurchaseShown":
        purchase = owned.purchase
        return cls(
            id=purchase.id,
            order_id=purchase.order_id,
            course_id=purchase.course_id,
            title=owned.course.title,
            author=owned.author,
            version_id=owned.current.id,
            license_key=purchase.license_key,
            downloads_left=owned.left,
            access=purchase.access,
            refund_status=purchase.refund_status,
            purchased_at=purchase.purchased_at,
        )


class DownloadGranted(BaseModel):
    url: str = Field(description="Opens the file for its owner until `expires_at`, any number of times.")
    expires_at: datetime
    downloads_left: int
