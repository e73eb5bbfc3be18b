"""No library is older than the version that ops/min_versions.txt calls safe, neither installed nor in a lock file."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
LINES = [line.partition("#")[0].strip() for line in (ROOT / "ops/min_versions.txt").read_text().splitlines()]
ENTRIES = [line for line in LINES if line]
PYTHON = [Requirement(entry) for entry in ENTRIES if not entry.startswith("npm:")]
BROWSER = [Requirement(entry.removeprefix("npm:")) for entry in ENTRIES if entry.startswith("npm:")]
# What reads strangers' bytes, checks secrets or keeps them.
MUST_BE_LISTED = {
    *("weasyprint", "pikepdf", "pillow", "pypdfium2", "cryptography", "werkzeug", "flask", "jinja2", "stripe"),
    *("pyjwt", "argon2-cffi", "nh3", "urllib3", "requests"),
}


def is_safe(minimum: Requirement, found: str) -> bool:
    return minimum.specifier.contains(found, prereleases=True)


def locked() -> dict[str, str]:
    pins = re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^ \\;]+)", (ROOT / "requirements/base.txt").read_text(), re.M)
    return dict(pins)


def test_the_list_names_what_matters_once() -> None:
    names = [minimum.name for minimum in PYTHON]
    assert len(names) == len(set(names))
    assert set(names) >= MUST_BE_LISTED
    for minimum in (*PYTHON, *BROWSER):
        assert [part.operator for part in minimum.specifier] == [">="], f"{minimum} is no minimum"


@pytest.mark.parametrize("minimum", PYTHON, ids=lambda minimum: minimum.name)
def test_what_is_installed_is_new_enough(minimum: Requirement) -> None:
    assert is_safe(minimum, version(minimum.name)), f"{minimum.name} {version(minimum.name)} is older than {minimum}"


@pytest.mark.parametrize("minimum", PYTHON, ids=lambda minimum: minimum.name)
def test_what_the_lock_installs_is_new_enough(minimum: Requirement) -> None:
    assert is_safe(minimum, locked()[minimum.name])


@pytest.mark.parametrize("minimum", BROWSER, ids=lambda minimum: minimum.name)
def test_the_browsers_files_are_new_enough(minimum: Requirement) -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert is_safe(minimum, packages[f"node_modules/{minimum.name}"]["version"])


def test_an_older_one_would_be_noticed() -> None:
    """The control: versions are compared as versions, not as words."""
    minimum = Requirement("weasyprint>=70.0")
    assert not is_safe(minimum, "69.9") and not is_safe(minimum, "7.1")
    assert is_safe(minimum, "70.0") and is_safe(minimum, "100.0")


def test_the_database_is_spoken_to_in_c() -> None:
    """Without its C part psycopg is several times slower, and its libpq is whatever the machine has."""
    assert psycopg.pq.__impl__ == "binary"
