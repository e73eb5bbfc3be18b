"""The database of a running shop, for what no person could do by hand: filling its shelves."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

from psycopg import sql
from psycopg.rows import dict_row

from tests.e2e.conftest import Shop


def environment_of(shop: Shop) -> dict[str, str]:
    """What `make run` told its web process: the keys and addresses that a command beside it needs."""
    groups = json.loads((shop.data / "run.json").read_text("utf-8"))["groups"]
    web = next(group["pid"] for group in groups if group["name"] == "web")
    lines = Path(f"/proc/{web}/environ").read_bytes().decode().split("\0")
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    told.pop("COURSEHUB_SUPERVISED", None)
    return told


def database_of(shop: Shop) -> str:
    """Its address as psycopg reads it."""
    return re.sub(r"^postgresql\+\w+", "postgresql", environment_of(shop)["DATABASE_URL"])


def copies_of(connection: Any, slug: str, count: int) -> None:
    """`count` more courses like the one called `slug`, each under a title and an address of its own."""
    written = """
      SELECT column_name FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name = 'courses' AND is_generated = 'NEVER'"""
    names = [name for (name,) in connection.execute(written)]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    query = sql.SQL("SELECT {} FROM courses WHERE slug = %s").format(columns)
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(query, [slug]).fetchone()
    copy = sql.SQL("INSERT INTO courses ({0}) SELECT {1} FROM courses WHERE slug = %(slug)s")
    for number in range(count):
        given = {"id": uuid4(), "slug": f"{slug}-{number}", "title": f"{row['title']}, volume {number + 2} of many"}
        chosen = [sql.Literal(given[name]) if name in given else sql.Identifier(name) for name in names]
        connection.execute(copy.format(columns, sql.SQL(", ").join(chosen)), {"slug": slug})
