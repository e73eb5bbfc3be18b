"""A lock of the tests on rows of the shop: whoever needs them stands still in the middle of its transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text


class Grip:
    """What an open transaction of ours holds, and who waits for it."""

    def __init__(self, holder: Connection, observer: Connection) -> None:
        self._observer = observer
        self._holder = holder.scalar(text("SELECT pg_backend_pid()"))

    def waiting(self) -> set[int]:
        """The connections that stand still because of us, by the process id of their backend."""
        query = text("SELECT pid FROM pg_stat_activity WHERE pg_blocking_pids(pid) @> ARRAY[CAST(:us AS int)]")
        return set(self._observer.scalars(query, {"us": self._holder}))


@contextmanager
def held(database_url: str, statement: str) -> Iterator[Grip]:
    """Run `statement` (a `SELECT … FOR UPDATE`, a `LOCK TABLE`) and keep what it locked until the end of the block."""
    engine = create_engine(database_url)
    try:
        with engine.connect() as holder, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as observer:
            holder.execute(text(statement))
            yield Grip(holder, observer)
            holder.rollback()
    finally:
        engine.dispose()
