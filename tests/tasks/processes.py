"""Real processes of the shop, told the same settings as the tests' own app."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coursehub.kernel.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that make another process's settings equal to these."""
    return {
        "PATH": os.environ["PATH"],
        "COURSEHUB_ENV": "test",
        "COURSEHUB_BASE_URL": settings.base_url,
        "COURSEHUB_KEYS": settings.keys.get_secret_value(),
        "JWT_SECRET": settings.jwt_secret.get_secret_value(),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "COURSEHUB_BROKER_URL": settings.broker_url,
        "COURSEHUB_STRIPE_API_BASE": settings.stripe_api_base,
        "COURSEHUB_DATA": str(settings.data),
    }


@contextmanager
def running(settings: Settings, log: Path, *arguments: str, **more: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`python -m …` as a child that is gone afterwards; its log lies in `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**environment_of(settings), **more},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait(10)
