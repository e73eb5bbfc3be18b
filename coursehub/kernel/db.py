"""The database: the declarative base, and `transaction()`, the only place that commits."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, MetaData, Uuid, func
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from coursehub.kernel.ids import new_id

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every row class: constraint names by rule, aware UTC timestamps."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: DateTime(timezone=True), UUID: Uuid()},
    )


class Keyed:
    """A UUIDv7 primary key, made in Python because PostgreSQL before 18 cannot."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


class Stamped:
    """When the row was made and last changed."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})


def one_of(column: str, values: tuple[str, ...] | list[str]) -> str:
    """SQL for a CHECK that `column` holds one of `values`."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


class NotInTransaction(RuntimeError):
    """Something that must commit with its cause was called outside `transaction()`."""


@contextmanager
def transaction() -> Iterator[Any]:
    """One unit of work: commits at the end, rolls back on any exception. The edges (views, actors, CLI) open it.

    Does not nest: an inner call would commit the outer work early, so it raises RuntimeError.
    """
    session = db.session()
    if session.info.get("in_transaction"):
        raise RuntimeError("transaction() is open already: only the edge opens one.")
    try:
        session.rollback()  # a read before it may have begun an older snapshot
    except DBAPIError:
        session.invalidate()  # the server ended that connection meanwhile; nothing of ours was in it
    if session.info.pop("released", False):
        session.expire_all()
    session.info["in_transaction"] = True
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_transaction"] = False


def release() -> None:
    """Give the connection back before something slow: Stripe, storage, a child process, a body that arrives.

    The server ends a connection that stays in a transaction for 10 s. Rows that were loaded stay readable; the next
    `transaction()` reads them afresh. Raises RuntimeError inside `transaction()`, where nothing slow may happen.
    """
    session = db.session()
    if session.info.get("in_transaction"):
        raise RuntimeError("release() inside transaction(): do the slow thing outside it.")
    if session.new or session.dirty or session.deleted:
        session.rollback()
    else:
        session.commit()  # nothing to write; unlike a rollback it leaves what was loaded
        session.info["released"] = True


def in_transaction() -> bool:
    """Whether `transaction()` is open in this context."""
    return bool(db.session().info.get("in_transaction"))


def engine_options(database_url: str, *, pool_size: int, statement_timeout_ms: int = 5000) -> dict[str, Any]:
    """SQLAlchemy engine options with the time budget every client of the database keeps."""
    return {
        "pool_pre_ping": True,
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_timeout": 3,
        "pool_recycle": 1800,
        "hide_parameters": True,
        "connect_args": {
            "connect_timeout": 2,
            "options": f"-c statement_timeout={statement_timeout_ms} -c lock_timeout=2000 -c timezone=UTC"
            " -c idle_in_transaction_session_timeout=10000",
        },
    }
