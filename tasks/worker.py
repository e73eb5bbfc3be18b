"""A worker process: `dramatiq tasks.worker --queues …` loads this and finds every actor on the broker."""

import os

from coursehub.infra import telemetry
from coursehub.infra.cache import connect
from coursehub.infra.heartbeat import Heartbeat
from coursehub.kernel.parent import follow_parent
from coursehub.kernel.settings import Settings
from tasks import runtime

name = os.environ.get("COURSEHUB_WORKER_NAME") or os.environ.get("COURSEHUB_PROCESS") or "worker"
settings = Settings()
if settings.supervised:
    follow_parent()
telemetry.set_up(name)
app = runtime.use(settings)
heartbeat = Heartbeat(connect(settings.redis_url), name).start()
