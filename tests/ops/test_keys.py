"""The secrets of a data folder are made once and never silently replaced."""

from pathlib import Path

import pytest

from ops.embedded import keys
from ops.embedded.problems import CannotRun


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    made = keys.load_or_make(file, data_exists=False)
    assert keys.load_or_make(file, data_exists=True) == made
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.load_or_make(tmp_path / "another.json", data_exists=False) != made


def test_lost_keys_of_a_database_are_a_sentence_not_a_new_key(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"keys\.json is missing although this data folder has a database"):
        keys.load_or_make(tmp_path / "keys.json", data_exists=True)
    assert not (tmp_path / "keys.json").exists()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"key_ring": "k1:AA"}', "\xff"])
def test_a_damaged_key_file_is_a_sentence_and_stays_as_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(CannotRun, match="cannot be read as CourseHub's keys"):
        keys.load_or_make(file, data_exists=False)
    assert file.read_text(encoding="latin-1") == text
