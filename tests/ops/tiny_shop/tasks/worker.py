"""A worker that only beats."""

import os
import threading
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from wsgi import beat

dramatiq.set_broker(RedisBroker(url=os.environ["COURSEHUB_BROKER_URL"]))


def _keep_beating() -> None:
    while True:
        beat()
        time.sleep(0.2)


threading.Thread(target=_keep_beating, daemon=True).start()
