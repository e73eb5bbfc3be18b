"""The whole run from the first check to the last child stopped: read it top-down to know what `make run` does."""

import sys
from collections.abc import Mapping
from pathlib import Path

import redis as redis_client

from ops.embedded import keys as secrets
from ops.embedded import migrations, options, ports, postgres, redis, shop
from ops.embedded.child import Child
from ops.embedded.options import Options
from ops.embedded.places import Places
from ops.embedded.problems import CannotRun, say
from ops.embedded.supervisor import Supervisor

DEMO_PASSWORD = "coursehub-demo"
DEMO_PEOPLE = (
    ("ada@example.com", "creator"),
    ("ben@example.com", "buyer"),
    ("cleo@example.com", "buyer"),
    ("root@example.com", "admin"),
)


def run(root: Path, inherited: Mapping[str, str]) -> None:
    """Returns only by an exception: Stopped when asked to stop, CannotRun with a sentence otherwise."""
    wanted = options.read(inherited, root)
    places = Places(wanted.data)
    places.make()
    with places.only_one(wanted.address):
        _require_ports(wanted)
        has_database = (places.data / "postgres" / "data").exists()
        keys = secrets.load_or_make(places.keys_file, data_exists=has_database)
        with Supervisor(logs=places.logs, run_file=places.run_file) as supervisor:
            services = _start_services(supervisor, places, wanted, keys)
            environment = shop.environment(wanted, services, keys, inherited)
            _start_simulator(supervisor, wanted, root, environment)
            _migrate(supervisor, root, environment)
            _seed_once(supervisor, places, wanted, root, environment)
            _start_shop(supervisor, wanted, root, environment)
            _welcome(wanted, places)
            supervisor.watch()


def _require_ports(wanted: Options) -> None:
    ports.require_free(wanted.host, wanted.port, use="the shop")
    if wanted.simulates_stripe:
        ports.require_free(wanted.host, wanted.port + 1, use="the Stripe simulator (PORT+1)")


def _start_services(supervisor: Supervisor, places: Places, wanted: Options, keys: secrets.Keys) -> shop.Services:
    """PostgreSQL first, so that it stops last. A service that the environment names replaces its twin, one by one."""
    database = None if wanted.names("DATABASE_URL") else postgres.prepare(places)
    cache = None if wanted.names("REDIS_URL") else redis.prepare(places, "redis")
    broker = (
        None
        if wanted.names("AMQP_URL") or wanted.names("COURSEHUB_BROKER_URL")
        else redis.prepare(places, "broker", password=keys.broker_password)
    )
    first = [database.child()] if database else []
    second: list[Child] = [server.child() for server in (cache, broker) if server]
    if first or second:
        say("Starting " + " and ".join([*(["PostgreSQL"] if first else []), *(["Redis"] if second else [])]) + " …")
    supervisor.start(first)
    supervisor.start(second)
    supervisor.wait_ready([*first, *second], within=90)
    if database:
        database.make_database()
    return shop.Services(
        database_url=database.url if database else wanted.named["DATABASE_URL"],
        redis_url=cache.url if cache else wanted.named["REDIS_URL"],
        broker_url=broker.url if broker else wanted.named.get("COURSEHUB_BROKER_URL", ""),
    )


def _start_simulator(supervisor: Supervisor, wanted: Options, root: Path, environment: Mapping[str, str]) -> None:
    if wanted.simulates_stripe:
        simulator = [shop.simulator(wanted, root, environment)]
        supervisor.start(simulator)
        supervisor.wait_ready(simulator, within=60)
    elif not (wanted.names("STRIPE_WEBHOOK_SECRET") or wanted.names("STRIPE_WEBHOOK_SECRET_FILE")):
        say("STRIPE_WEBHOOK_SECRET is not set: webhooks will be refused, payments are found by asking Stripe.")


def _migrate(supervisor: Supervisor, root: Path, environment: Mapping[str, str]) -> None:
    if migrations.is_current(environment["DATABASE_URL"], root / "migrations" / "versions"):
        return
    say("Bringing the database to the newest shape …")
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    supervisor.once("migrate", command, environment=environment, folder=root, within=600)


def _seed_once(
    supervisor: Supervisor, places: Places, wanted: Options, root: Path, environment: Mapping[str, str]
) -> None:
    if not wanted.seed or places.seeded_file.exists():
        return
    say("Opening the demo shop: people, courses, orders …")
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "coursehub", "seed"]
    supervisor.once("seed", command, environment=environment, folder=root, within=900)
    places.seeded_file.write_text("The demo shop was made; delete this file to have it made again.\n")


def _start_shop(supervisor: Supervisor, wanted: Options, root: Path, environment: Mapping[str, str]) -> None:
    say("Starting the shop …")
    try:
        shop.forget_heartbeats(environment["REDIS_URL"])
    except redis_client.RedisError as problem:
        raise CannotRun(f"Redis does not answer ({problem}); check REDIS_URL.") from None
    children = shop.processes(wanted, root, environment)
    supervisor.start(children)
    supervisor.wait_ready(children, within=180)


def _welcome(wanted: Options, places: Places) -> None:
    say(f"CourseHub is ready: {wanted.address}")
    if places.seeded_file.exists():
        people = ", ".join(f"{email} ({role})" for email, role in DEMO_PEOPLE)
        say(f"  Demo accounts, password {DEMO_PASSWORD}: {people}")
    if not wanted.names("SMTP_URL"):
        say(f"  Mails it would send: {wanted.address}/dev/mail")
    if wanted.simulates_stripe:
        say(f"  Stripe simulator: {wanted.simulator_address}/ (card 4242 4242 4242 4242)")
    say(f"  Logs: {places.logs}. Ctrl-C stops everything.")
