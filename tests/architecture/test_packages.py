"""The contracts of import-linter and the folders name the same things; no module has grown into two."""

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPOSITION = {"app", "blueprints", "cli", "models"}
GROUND = {"web", "infra", "kernel"}
LONGEST = 400
# Longer, and one story all the same.
LONGER = {
    "coursehub/api/schemas.py": 450,  # the shapes of every operation, flat
}
NO_FILE_IS_CALLED = {"utils", "helpers", "misc", "common", "constants", "managers"}


@pytest.fixture(scope="module")
def contracts() -> dict[str, configparser.SectionProxy]:
    parsed = configparser.ConfigParser()
    parsed.read(ROOT / "setup.cfg", encoding="utf-8")
    prefix = "importlinter:contract:"
    return {name.removeprefix(prefix): parsed[name] for name in parsed.sections() if name.startswith(prefix)}


def features() -> set[str]:
    """Every folder of coursehub that is neither composition nor ground."""
    return {folder.parent.name for folder in (ROOT / "coursehub").glob("*/__init__.py")} - GROUND


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_every_package_has_its_place_in_the_order(contracts: dict[str, configparser.SectionProxy]) -> None:
    here = features() | GROUND | COMPOSITION
    placed = re.findall(r"\(?([a-z_]+)\)?", contracts["shape"]["layers"])
    assert len(placed) == len(set(placed)), "a package stands twice in the order"
    assert here <= set(placed)
    required = set(re.findall(r"(?<![(a-z_])([a-z_]+)(?![)a-z_])", contracts["shape"]["layers"]))
    assert required <= here, "the order demands a package that is not there; put it in brackets"


@pytest.mark.parametrize("contract", ["inside", "http-at-the-edge"])
def test_the_contracts_about_features_name_each_once_and_no_other(
    contracts: dict[str, configparser.SectionProxy], contract: str
) -> None:
    listed = lines(contracts[contract].get("containers") or contracts[contract]["source_modules"])
    # The API is an edge as a whole: it speaks HTTP in every file.
    assert sorted(listed) == sorted(f"coursehub.{name}" for name in features() - {"api"})


def test_only_infra_is_left_out_of_the_contract_about_sdks(contracts: dict[str, configparser.SectionProxy]) -> None:
    listed = lines(contracts["one-file-per-sdk"]["source_modules"])
    assert len(listed) == len(set(listed))
    everyone = {f"coursehub.{name}" for name in features() | {"kernel", "web", "app"}} | {"tasks"}
    assert everyone <= set(listed)
    assert "coursehub.infra" not in listed
    for name in set(listed) - {"tasks"}:
        place = ROOT / name.replace(".", "/")
        assert place.is_dir() or place.with_suffix(".py").is_file(), f"{name} is not there"


def test_every_feature_with_rows_is_known_to_the_migrations() -> None:
    known = (ROOT / "coursehub/models.py").read_text()
    for rows in (ROOT / "coursehub").glob("*/models.py"):
        assert f"from coursehub.{rows.parent.name} import models" in known, rows


def test_every_blueprint_is_on_the_site_map() -> None:
    site_map = (ROOT / "coursehub/blueprints.py").read_text()
    for path in (ROOT / "coursehub").rglob("*.py"):
        if re.search(r"^\w+ = Blueprint\(", path.read_text(), re.M):
            folder = path.relative_to(ROOT).parent.as_posix().replace("/", ".")
            assert re.search(rf"from {re.escape(folder)} import .*\b{path.stem}\b", site_map), path


@pytest.mark.parametrize("top", ["coursehub", "tasks"])
def test_no_module_holds_two_stories(top: str) -> None:
    long = {}
    for path in (ROOT / top).rglob("*.py"):
        name, count = path.relative_to(ROOT).as_posix(), len(path.read_text().splitlines())
        if count > LONGER.get(name, LONGEST):
            long[name] = count
    assert long == {}, f"at most {LONGEST} lines"


def test_the_exceptions_are_still_needed() -> None:
    for name in LONGER:
        assert len((ROOT / name).read_text().splitlines()) > LONGEST, f"{name} is short enough by now"


def test_every_module_says_what_it_is_for_in_its_first_line() -> None:
    for top in ("coursehub", "tasks", "ops"):
        for path in (ROOT / top).rglob("*.py"):
            text = path.read_text()
            assert not text.strip() or text.startswith('"""'), path
            assert path.stem not in NO_FILE_IS_CALLED, path
