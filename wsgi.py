"""The WSGI application that granian loads."""

from coursehub.app import create_app
from coursehub.kernel.parent import follow_parent
from coursehub.kernel.settings import Settings

settings = Settings()
if settings.supervised:
    follow_parent()
app = create_app(settings)
