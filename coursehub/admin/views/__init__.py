"""The back office's pages. Importing it collects them all."""

from coursehub.admin.views import courses, customers, dashboard, flags, orders, system
from coursehub.admin.views.blueprint import blueprint

__all__ = ["blueprint", "courses", "customers", "dashboard", "flags", "orders", "system"]
