"""The people of the demo shop, read from `people.toml`."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).parent / "people.toml"


@dataclass(frozen=True)
class SeedPerson:
    """`role` is buyer, creator or admin; `about` is shown on a creator's page; `known` people may sign in."""

    email: str
    name: str
    role: str
    about: str = ""
    website: str | None = None
    known: bool = False
    joined_days_ago: int = 30


def people() -> list[SeedPerson]:
    """Everybody, those who may sign in first."""
    read = tomllib.loads(_FILE.read_text("utf-8"))
    known = [SeedPerson(known=True, **person) for person in read["people"]]
    others = [
        SeedPerson(email=f"{_address(name)}@example.org", name=name, role="buyer", joined_days_ago=days)
        for name, days in read["buyers"].items()
    ]
    return known + others


def _address(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name.lower()).translate(str.maketrans("øłı", "oli"))
    return ".".join(re.sub(r"[^a-z ]", "", bare).split())
