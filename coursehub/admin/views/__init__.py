"""The back office's pages. Importing it collects them all."""

from coursehub.admin.views.blueprint import blueprint

__all__ = ["blueprint"]
