"""The demo shop's courses are whole: text, facts, pages and covers."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from coursehub.infra.pdf import Limits, PdfWorkshop
from ops.seed import SeedCourse, courses, people, typeset_all

CATEGORIES = {"programming", "design", "business", "writing", "science", "languages", "music", "photography"}


def test_there_is_one_course_for_each_of_eight_categories() -> None:
    found = courses()
    assert {course.category for course in found} == CATEGORIES and len(found) == 8
    assert [course.price_cents for course in found].count(0) == 1
    creators = {person.email: person.name for person in people() if person.role == "creator"}
    for course in found:
        assert creators[course.author] == course.author_name
        assert course.currency == "USD" and 3 <= len(course.tags) <= 5
        assert 2 <= len(course.description.split("\n\n")) <= 5
        assert 1400 <= len(course.text.split()) <= 2600


def test_the_four_demo_accounts_and_forty_buyers_are_there_once_each() -> None:
    everybody = people()
    roles = {person.email: person.role for person in everybody if person.known}
    assert roles["ada@example.com"] == "creator" and roles["root@example.com"] == "admin"
    assert roles["ben@example.com"] == roles["cleo@example.com"] == "buyer"
    buyers = [person for person in everybody if not person.known]
    assert len(buyers) >= 40 and len({person.email for person in everybody}) == len(everybody)
    assert all(re.fullmatch(r"[a-z.]+@example\.org", person.email) for person in buyers)


def test_each_course_is_a_book_of_8_to_14_pages_with_an_outline(tmp_path: Path) -> None:
    found = courses()
    workshop = PdfWorkshop(Limits(typesetting=(60, 120)))
    pdfs = typeset_all(found, workshop, kept_in=tmp_path / "kept")
    for course in found:
        file = tmp_path / f"{course.slug}.pdf"
        file.write_bytes(pdfs[course.slug])
        seen = workshop.inspect(file)
        assert 8 <= seen.pages_count <= 14, course.slug
        assert (seen.title, seen.language, seen.tagged, seen.active_content) == (course.title, "en", True, ())
        assert sum(entry.level == 1 for entry in seen.outline) == 5, course.slug
        texts = workshop.page_texts(file, 1, seen.pages_count)
        assert all(len(text) > 100 for text in texts[1:]), course.slug
        assert not any("**" in text or "```" in text for text in texts), course.slug
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}
    assert typeset_all(found, workshop, kept_in=tmp_path / "kept") == pdfs
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()} == kept


@pytest.mark.parametrize("course", courses(), ids=lambda course: course.slug)
def test_each_cover_is_drawn_once_and_for_all(course: SeedCourse) -> None:
    drawn = course.cover_bytes()
    assert drawn == course.cover_bytes()
    with Image.open(io.BytesIO(drawn)) as cover:
        assert (cover.format, cover.size) == ("WEBP", (900, 1200))
        assert len(cover.convert("RGB").getcolors(900 * 1200) or []) > 50
