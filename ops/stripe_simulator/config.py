"""The settings of one simulator, from the command line first and the environment second."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Config:
    """Times are in seconds."""

    host: str = "127.0.0.1"
    port: int = 8001
    data: Path = Path("var/stripe")
    webhook_url: str | None = None
    public_url: str | None = None
    api_keys: tuple[str, ...] = ("sk_test_simulator",)
    webhook_secret: str = "whsec_simulator"
    merchant: str = "CourseHub"
    async_delay: float = 10.0
    redirect_wait: float = 0.3
    retry_base: float = 1.0
    retry_cap: float = 60.0
    retry_for: float = 3 * 24 * 3600.0
    webhook_timeout: float = 10.0


def from_arguments(arguments: Sequence[str] | None = None) -> Config:
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.webhook_url and urlsplit(given.webhook_url).scheme not in ("http", "https"):
        parser.error(f"--webhook-url must be an http or https address, not {given.webhook_url!r}.")
    if given.public_url and urlsplit(given.public_url).scheme not in ("http", "https"):
        parser.error(f"--public-url must be an http or https address, not {given.public_url!r}.")
    if not 0 <= given.port <= 65535:
        parser.error(f"--port must lie between 0 and 65535, not {given.port}.")
    keys = tuple(key.strip() for key in given.api_key.split(",") if key.strip())
    if not keys or not given.webhook_secret.partition(",")[0].strip():
        parser.error("The API key and the webhook secret must not be empty.")
    return Config(
        host=given.host,
        port=given.port,
        data=Path(given.data),
        webhook_url=given.webhook_url or None,
        public_url=given.public_url.rstrip("/") or None,
        api_keys=keys,
        # A shop that rotates its secret names two; Stripe signs with the newer one.
        webhook_secret=given.webhook_secret.partition(",")[0].strip(),
        merchant=given.merchant,
        async_delay=given.async_delay,
        redirect_wait=max(0.0, given.redirect_wait),
        retry_base=max(0.01, given.retry_base),
        retry_cap=max(0.01, given.retry_cap),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.stripe_simulator",
        description="Simulates Stripe: the API under /v1, the hosted payment page, webhooks, a control panel at /.",
    )
    add = parser.add_argument
    add("--host", default=_env("HOST", "127.0.0.1"))
    add("--port", type=int, default=_env("PORT", "8001"), help="0 takes any free port")
    add("--data", default=_env("DATA", "var/stripe"), help="the folder that keeps the state")
    add("--webhook-url", default=_env("WEBHOOK_URL", ""), help="where events are delivered; empty: nowhere")
    add("--public-url", default=_env("PUBLIC_URL", ""), help="the address browsers reach this server by")
    add("--api-key", default=_env("KEY", "sk_test_simulator"), help="accepted secret keys, separated by commas")
    add("--webhook-secret", default=os.environ.get("STRIPE_WEBHOOK_SECRET") or "whsec_simulator")
    add("--merchant", default=_env("MERCHANT", "CourseHub"), help="the name on the payment page")
    add(
        "--async-delay",
        type=float,
        default=os.environ.get("ASYNC_DELAY") or "10",
        help="seconds until a bank debit succeeds by itself; negative: only when told to",
    )
    add("--redirect-wait", type=float, default=_env("REDIRECT_WAIT", "0.3"))
    add("--retry-base", type=float, default=_env("RETRY_BASE", "1"), help="seconds before the first webhook retry")
    add("--retry-cap", type=float, default=_env("RETRY_CAP", "60"), help="the longest wait between webhook retries")
    return parser


def _env(name: str, default: str) -> str:
    return os.environ.get(f"STRIPE_SIMULATOR_{name}") or default
