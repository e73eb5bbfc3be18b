"""`flask coursehub …`: the commands for operators."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO
from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup

from coursehub.accounts import administrators, key_rotation
from coursehub.infra.services import services
from coursehub.kernel import dead_letters
from coursehub.kernel.db import transaction
from coursehub.kernel.encryption import UnknownKey
from coursehub.kernel.errors import DomainError
from coursehub.kernel.settings import Settings

commands = AppGroup("coursehub", help="CourseHub's own commands.")


def _say(text: str) -> None:
    click.echo(text)


@commands.group()
def outbox() -> None:
    """The facts on their way to the broker."""


@outbox.command()
def relay() -> None:
    """Take facts from the outbox to the broker, until told to stop (SIGTERM)."""
    # Imported here: a web process loads this module too and never needs the broker's clients.
    from coursehub.infra import telemetry
    from coursehub.infra.broker import make_broker
    from coursehub.infra.relay import Relay

    settings: Settings = current_app.config["SETTINGS"]
    telemetry.set_up("relay")
    running = Relay(settings.database_url, make_broker(settings), redis=services().redis)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stop())
    running.run()


@outbox.command("status")
def outbox_status() -> None:
    """How much waits, for how long, and what gave up."""
    found = dead_letters.standing()
    _say(f"waiting for the broker: {found.due}")
    _say(f"oldest of them:         {found.oldest_due_seconds:.0f} s")
    _say(f"waiting for an effect:  {found.published}")
    _say(f"due later:              {found.later}")
    _say(f"given up:               {found.failed}")


@commands.group("dead-letters")
def dead_letters_group() -> None:
    """Messages that nobody could handle."""


@dead_letters_group.command("list")
@click.option("--limit", default=100, show_default=True)
def list_dead_letters(limit: int) -> None:
    """Those that wait for your word, newest first."""
    for job in dead_letters.open_jobs(limit):
        reason = job.error.strip().splitlines()[-1][:100] if job.error.strip() else ""
        _say(f"{job.id}  {job.failed_at:%Y-%m-%d %H:%M:%S}  {job.actor}  {job.attempts}x  {reason}")


@dead_letters_group.command("show")
@click.argument("job_id", type=click.UUID)
def show_dead_letter(job_id: UUID) -> None:
    """All that is known about one."""
    with _said():
        job = dead_letters.get(job_id)
        _say(f"{job.actor} on {job.queue}: {job.status}, {job.attempts} attempts, event {job.event_id}")
        _say(f"failed at {job.failed_at.isoformat()}, trace {job.trace_id or 'unknown'}")
        _say(json.dumps(job.payload, indent=2, sort_keys=True))
        _say(job.error)


@dead_letters_group.command("replay")
@click.argument("job_id", type=click.UUID)
def replay_dead_letter(job_id: UUID) -> None:
    """Send it again; effects it had already are not applied twice."""
    with _said(), transaction():
        job = dead_letters.replay(job_id)
        _say(f"{job.actor} ({job.event_id}) is on its way again.")


@dead_letters_group.command("drop")
@click.argument("job_id", type=click.UUID)
def drop_dead_letter(job_id: UUID) -> None:
    """Let it go; the row is kept."""
    with _said(), transaction():
        job = dead_letters.drop(job_id)
        _say(f"{job.actor} ({job.event_id}) was dropped.")


@commands.group()
def events() -> None:
    """Facts that were recorded."""


@events.command("replay")
@click.argument("event_id", type=click.UUID)
def replay_event(event_id: UUID) -> None:
    """Send any message of the last days again; effects it had already are not applied twice."""
    with _said(), transaction():
        message = dead_letters.replay_event(event_id)
        _say(f"{message.name} ({message.id}) is on its way again.")


@commands.command("create-admin")
@click.argument("email")
@click.option("--name", default="Administrator", show_default=True, help="Name of a new account.")
@click.option("--password-file", type=click.File("r"), help="Read the new account's password from here (- for stdin).")
def create_admin(email: str, name: str, password_file: TextIO | None) -> None:
    """Make the person with EMAIL an admin; without such an account, make one."""
    with _said():
        found = administrators.find(email)
        if found is None:
            password = (
                password_file.readline().rstrip("\r\n")
                if password_file
                else click.prompt("Password", hide_input=True, confirmation_prompt=True)
            )
            with transaction():
                administrators.create(email, password, name)
            _say("The account is made. It is an admin and its address counts as confirmed.")
        else:
            with transaction():
                administrators.promote(found)
            _say("This person is an admin now. The password stays as it was.")


@commands.group("keys")
def keys_group() -> None:
    """The keys that personal data is sealed with."""


@keys_group.command("rotate")
def rotate_keys() -> None:
    """Seal again, with the first key of COURSEHUB_KEYS, what the others sealed. The shop stays open meanwhile."""
    try:
        for table, rows in key_rotation.rotate():
            _say(f"{table}: {rows}")
    except UnknownKey as error:
        raise click.ClickException(str(error)) from None
    _say("Everything is sealed with the newest key. Older keys may leave COURSEHUB_KEYS.")


@contextmanager
def _said() -> Iterator[None]:
    """A refusal becomes one sentence and exit code 1."""
    try:
        yield
    except DomainError as refusal:
        raise click.ClickException(refusal.sentence) from None


@commands.command()
def seed() -> None:
    """Plant the demo shop; what is there already is left as it is."""
    try:
        from ops.seed.plant import plant
    except ModuleNotFoundError as error:
        raise click.ClickException("The demo shop comes with the source checkout, not with the image.") from error
    settings: Settings = current_app.config["SETTINGS"]
    plant(services(), settings.data, settings.upload_limit, _say)


@commands.group()
def orders() -> None:
    """Orders and their payments."""


@orders.command("reconcile")
def reconcile_orders() -> None:
    """Ask Stripe about open orders now."""
    from coursehub.payments import reconciliation

    changed = reconciliation.reconcile_open_orders(services().gateway)
    _say(f"{changed} orders changed")


@commands.group()
def storage() -> None:
    """Stored files."""


@storage.command("sweep")
def sweep_storage() -> None:
    """Delete files that no row refers to (an hour old or more)."""
    from coursehub.library import sweeping

    _say(f"{sweeping.sweep_storage(services().storage)} files deleted")
