"""The library's pages. Importing it collects them all."""

from coursehub.library.views import downloads, private_files, shelf
from coursehub.library.views.blueprint import blueprint

__all__ = ["blueprint", "downloads", "private_files", "shelf"]
