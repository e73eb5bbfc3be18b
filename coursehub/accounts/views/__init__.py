"""The account pages. Importing it collects them all."""

from coursehub.accounts.views import profile, registration, security, signing_in
from coursehub.accounts.views.blueprint import blueprint

__all__ = ["blueprint", "profile", "registration", "security", "signing_in"]
