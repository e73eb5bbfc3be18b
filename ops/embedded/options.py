"""What `make run` was asked for: address, data folder, and the services that the environment names."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.embedded.problems import CannotRun

SIMULATOR_KEY = "sk_test_simulator"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


@dataclass(frozen=True)
class Options:
    host: str
    port: int
    data: Path
    seed: bool
    named: Mapping[str, str]

    @property
    def address(self) -> str:
        """Where a person on this machine opens the shop."""
        return f"http://{self._reachable}:{self.port}"

    @property
    def simulator_address(self) -> str:
        return f"http://{self._reachable}:{self.port + 1}"

    @property
    def simulates_stripe(self) -> bool:
        return self.named.get("STRIPE_SECRET_KEY", SIMULATOR_KEY) == SIMULATOR_KEY

    @property
    def _reachable(self) -> str:
        shown = _EVERYWHERE.get(self.host, self.host)
        return f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown

    def names(self, variable: str) -> bool:
        return variable in self.named


def read(environment: Mapping[str, str], root: Path) -> Options:
    return Options(
        host=environment.get("HOST") or "127.0.0.1",
        port=_port(environment.get("PORT") or "8000"),
        data=(root / Path(environment.get("COURSEHUB_DATA") or "var").expanduser()).absolute(),
        seed=environment.get("SEED", "1") not in {"0", "no", "false"},
        named=_named(environment),
    )


def _port(text: str) -> int:
    # The simulator takes the next port, so the last one cannot be had.
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65534:
        raise CannotRun(f"PORT must be a number from 1 to 65534, not {text!r}.")
    return int(text)


def _named(environment: Mapping[str, str]) -> dict[str, str]:
    """Every setting with a value; `NAME_FILE` counts as NAME with that file's content."""
    named = {name: value for name, value in environment.items() if value}
    for variable in ("DATABASE_URL", "REDIS_URL", "AMQP_URL", "S3_ENDPOINT", "STRIPE_SECRET_KEY", "SMTP_URL"):
        path = environment.get(f"{variable}_FILE")
        if path and variable not in named:
            try:
                named[variable] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as problem:
                raise CannotRun(f"{variable}_FILE names {path}, which cannot be read ({problem.strerror}).") from None
    return named


def inherited() -> dict[str, str]:
    """The environment that children get from us."""
    environment = dict(os.environ)
    # Without bytecode each of our processes would pay seconds for its imports, every time.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONUNBUFFERED"] = "1"
    return environment
