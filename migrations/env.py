"""How migrations run: online, on the app's own engine, one transaction for each."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app

from coursehub.kernel.db import Base

config = context.config
# The trigram index exists only where the extension does.
OPTIONAL = {"ix_title_words_trgm"}


def include_object(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    return name not in OPTIONAL


def render_item(kind: str, thing: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Sealed columns are bytes to the database; a migration must not import the program."""
    if kind == "type" and type(thing).__module__ == "coursehub.kernel.encryption":
        return "sa.LargeBinary()"
    return False


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    options = current_app.extensions["migrate"].configure_args
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=include_object,
            render_item=render_item,
            transaction_per_migration=True,
            **options,
        )
        with context.begin_transaction():
            # A migration may take longer than a page; a lock must not.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            context.run_migrations()


run()
