"""The site map: which blueprint serves which prefix, and what each page may know."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint

from coursehub.accounts.views import blueprint as accounts
from coursehub.admin.views import blueprint as admin
from coursehub.api import api
from coursehub.cart import views as cart
from coursehub.catalog import views as catalog
from coursehub.courses import views as courses
from coursehub.kernel.settings import Settings
from coursehub.library.views import blueprint as library
from coursehub.mail import views as mail
from coursehub.orders import views as orders
from coursehub.payments import views as payments
from coursehub.payments import webhooks
from coursehub.reading import views as reading
from coursehub.reviews import views as reviews
from coursehub.studio import views as studio
from coursehub.web import files, health, pages, spooling

# Bodies over 1 MB are refused except here: endpoint → bytes. Filled from the settings in SITE_MAP.
BODY_LIMITS: dict[str, int] = {"stripe_webhooks.receive": webhooks.LARGEST}

# The only unsafe routes without a CSRF token, each guarded otherwise (tests/architecture/unsafe_without_token.txt).
UNSAFE_WITHOUT_TOKEN: list[str | Blueprint] = [
    "coursehub.cart.views.create_item",
    "coursehub.payments.webhooks.receive",
    "coursehub.mail.views.create_unsubscription",
    api,  # knows people by their bearer token only
]

# Context processors, one for each feature that puts something on every page.
CONTEXT: list[Callable[[], dict[str, Any]]] = [pages.context, cart.context]


def SITE_MAP(settings: Settings) -> list[tuple[Blueprint, str | None]]:
    """Every blueprint with its prefix."""
    BODY_LIMITS["courses.create_upload"] = settings.upload_limit + spooling.SLACK
    BODY_LIMITS["courses.create_cover"] = courses.COVER_LIMIT + spooling.SLACK
    BODY_LIMITS["library.create_file"] = settings.upload_limit + spooling.SLACK
    BODY_LIMITS["api.create_upload"] = settings.upload_limit + spooling.SLACK
    return [
        (health.blueprint, None),
        (pages.blueprint, None),
        (files.blueprint, None),
        (mail.blueprint, None),
        (accounts, None),
        (catalog.blueprint, None),
        (reviews.blueprint, None),
        (courses.blueprint, None),
        (studio.blueprint, None),
        (cart.blueprint, None),
        (orders.blueprint, None),
        (reading.blueprint, None),
        (library, None),
        (payments.blueprint, None),
        (webhooks.blueprint, None),
        (api, None),
        (admin, None),
    ]
