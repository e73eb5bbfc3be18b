"""The relay of the small shop as a process of its own, so that it can be killed."""

import signal

from coursehub.infra import telemetry
from coursehub.infra.broker import make_broker
from coursehub.infra.relay import Relay
from coursehub.kernel.settings import Settings

if __name__ == "__main__":
    telemetry.set_up("relay")
    settings = Settings()
    relay = Relay(settings.database_url, make_broker(settings))
    signal.signal(signal.SIGTERM, lambda *_: relay.stop())
    relay.run()
