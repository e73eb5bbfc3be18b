"""What benchmarks stand on: the servers and the app of the tests."""

from tests.conftest import (  # noqa: F401  fixtures, found by their names
    full_scale,
    new_database,
    postgres,
    redis_url,
    session_app,
    settings,
    stack,
    stripe_address,
    web_port,
)
