"""Whether the database is behind the migration files, told without importing the application: that saves seconds."""

import re
from pathlib import Path

import psycopg

_REVISION = re.compile(r"^revision\b[^=]*=\s*[\"']([^\"']+)[\"']", re.MULTILINE)
_PARENTS = re.compile(r"^down_revision\b[^=]*=\s*(.+)$", re.MULTILINE)
_NAME = re.compile(r"[\"']([^\"']+)[\"']")


def is_current(database_url: str, versions: Path) -> bool:
    """True only when surely nothing is to be done; when in doubt Alembic itself decides."""
    wanted = heads(versions)
    if not wanted:
        return False
    try:
        with psycopg.connect(_plain(database_url), connect_timeout=3) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except psycopg.Error:
        return False
    return {str(row[0]) for row in rows} == wanted


def heads(versions: Path) -> set[str]:
    """Revisions that no other one builds on."""
    revisions: set[str] = set()
    parents: set[str] = set()
    for file in versions.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        revisions.update(_REVISION.findall(text))
        for expression in _PARENTS.findall(text):
            parents.update(_NAME.findall(expression))
    return revisions - parents


def _plain(database_url: str) -> str:
    scheme, separator, rest = database_url.partition("://")
    return scheme.partition("+")[0] + separator + rest
