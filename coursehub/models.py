"""Every feature's rows, imported so that migrations see one metadata."""

from coursehub.accounts import models as accounts
from coursehub.audit import models as audit
from coursehub.cart import models as cart
from coursehub.catalog import models as catalog
from coursehub.courses import models as courses
from coursehub.engagement import models as engagement
from coursehub.entitlements import models as entitlements
from coursehub.flags import models as flags
from coursehub.kernel import idempotency, moves, outbox
from coursehub.kernel.db import Base
from coursehub.library import models as library
from coursehub.mail import models as mail
from coursehub.orders import models as orders
from coursehub.payments import models as payments
from coursehub.reading import models as reading
from coursehub.recommendations import models as recommendations
from coursehub.reviews import models as reviews

__all__ = [
    "Base",
    "accounts",
    "audit",
    "cart",
    "catalog",
    "courses",
    "engagement",
    "entitlements",
    "flags",
    "idempotency",
    "library",
    "mail",
    "moves",
    "orders",
    "outbox",
    "payments",
    "reading",
    "recommendations",
    "reviews",
]
