"""The WSGI application that granian loads."""

from coursehub.app import create_app
from coursehub.infra import telemetry
from coursehub.kernel.parent import follow_parent
from coursehub.kernel.settings import Settings

settings = Settings()
if settings.supervised:
    follow_parent()
telemetry.set_up("web")
app = create_app(settings)
