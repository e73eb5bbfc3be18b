"""`/api/v1`: the JSON edge over the same stories as the pages. Importing it collects every operation."""

from coursehub.api import accounts, auth, cart, courses, document, orders, reviews
from coursehub.api.blueprint import api

__all__ = ["accounts", "api", "auth", "cart", "courses", "document", "orders", "reviews"]
