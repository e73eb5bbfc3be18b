"""Courses over the API: found by everyone, made and published by their creators, kept from everyone else."""

import io
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import select

from coursehub.courses.models import Course, CourseVersion
from coursehub.entitlements import grants
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from coursehub.kernel.ids import new_id
from coursehub.library.models import Download
from tests.api.program import Program, Reply
from tests.factories import a_course, a_purchase, a_version, stored_pdf
from tests.payments.helpers import count

DRAFT = {
    "title": "Quiet Typography",
    "description": "Setting type that nobody notices.",
    "price_cents": 1900,
    "currency": "USD",
    "category": "design",
    "tags": ["Type", "type", "layout"],
}


def _course(course_id: Any) -> Course:
    db.session.rollback()
    return db.session.get_one(Course, UUID(str(course_id)), populate_existing=True)


def _pdf(path: str, program: Program, body: bytes, name: str = "course.pdf") -> Reply:
    return program.ask("POST", path, data={"file": (io.BytesIO(body), name)}, content_type="multipart/form-data")


def _ready(course: Course, number: int) -> CourseVersion:
    version = a_version(course, number=number)
    version.released_at = None
    with transaction() as session:
        session.add(version)
    stored_pdf(version.id)
    return version


# Making one


def test_ada_makes_a_draft_that_only_she_sees(program: Program, adas: Program, cleos: Program, roots: Program) -> None:
    made = adas.post("/courses", DRAFT).expect(201).json
    assert (made["status"], made["price_cents"], made["currency"], made["rating"]) == ("draft", 1900, "USD", None)
    assert (made["tags"], made["pages_count"], made["author"]["name"]) == (["type", "layout"], None, "Ada Brandt")
    path = f"/courses/{made['id']}"
    assert adas.get(path).expect(200).json == made
    roots.get(path).expect(200)
    program.get(path).expect(404)
    cleos.get(path).expect(404)
    assert program.get("/courses").expect(200).json["items"] == []


def test_a_stranger_and_a_buyer_make_none(program: Program, bens: Program) -> None:
    program.post("/courses", DRAFT).expect(401)
    program.post("/courses", {"price_cents": "nonsense"}).expect(401)
    bens.post("/courses", DRAFT).expect(403)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"description": "\udfff"}, "description"),
        ({"price_cents": -1}, "price"),
        ({"price_cents": 1}, "price"),
        ({"price_cents": 10**12}, "price_cents"),
        ({"price_cents": "19.99"}, "price_cents"),
        ({"price_cents": 19.5}, "price_cents"),
        ({"currency": "XXX"}, "currency"),
        ({"category": "cooking"}, "category"),
        ({"tags": "type"}, "tags"),
        ({"tags": [f"tag {n}" for n in range(9)]}, "tags"),
        ({"language": "tlh"}, "language"),
        ({"sample_pages": 11}, "sample_pages"),
    ],
)
def test_what_does_not_fit_is_blamed_on_its_field(adas: Program, change: dict[str, Any], field: str) -> None:
    adas.post("/courses", DRAFT | change).expect(422).blames(field)
    assert count(Course) == 0


def test_only_the_named_fields_can_be_set(adas: Program, ada: Any, cleo: Any) -> None:
    sent = {"author_id": str(cleo.id), "id": str(new_id()), "slug": "mine", "sales_count": 99, "revision": 50}
    sent |= {"status": "published", "rating": 5, "published_at": "2020-01-01T00:00:00Z", "cover_image_url": "x"}
    made = adas.post("/courses", DRAFT | sent).expect(201).json
    course = _course(made["id"])
    assert (course.author_id, course.status, course.sales_count) == (ada.id, "draft", 0)
    assert (course.published_at, course.cover_image_url) == (None, None)
    assert course.slug != "mine"
    adas.put(f"/courses/{made['id']}", {**sent, "status": "draft"}).expect(200)
    assert _course(made["id"]).author_id == ada.id


# Changing one


def test_what_is_left_out_stays(adas: Program) -> None:
    path = f"/courses/{adas.post('/courses', DRAFT).json['id']}"
    changed = adas.put(path, {"price_cents": 2900}).expect(200).json
    assert changed["price_cents"] == 2900
    for name in ("title", "description", "category", "currency"):
        assert changed[name] == DRAFT[name]
    again = adas.put(path, {"price_cents": 2900}).expect(200).json
    assert again["revision"] == changed["revision"]
    assert adas.put(path).expect(200).json == again


def test_the_second_of_two_editors_is_told(adas: Program) -> None:
    path = f"/courses/{adas.post('/courses', DRAFT).json['id']}"
    seen = adas.get(path).headers["ETag"]
    adas.put(path, {"title": "Quiet Type"}, headers={"If-Match": seen}).expect(200)
    adas.put(path, {"title": "Loud Type"}, headers={"If-Match": seen}).expect(409)
    for nonsense in ('"abc"', "W/", "999999999999999", '"1", "2"', "-1"):
        adas.put(path, {"title": "Loud Type"}, headers={"If-Match": nonsense}).expect(409)
    assert adas.get(path).json["title"] == "Quiet Type"
    adas.put(path, {"title": "Third"}, headers={"If-Match": "*"}).expect(200)
    adas.put(path, {"title": "Fourth"}, headers={"If-Match": str(adas.get(path).json["revision"])}).expect(200)


def test_others_change_nothing(program: Program, bens: Program, cleos: Program, roots: Program, ada: Any) -> None:
    public, draft = a_course(by=ada), a_course(by=ada, status="draft")
    for course, refusal in ((public, 403), (draft, 404)):
        path = f"/courses/{course.id}"
        program.put(path, {"title": "Mine now"}).expect(401)
        bens.put(path, {"title": "Mine now"}).expect(refusal)
        cleos.post(f"{path}/versions", {"changelog": "x"}).expect(refusal)
        _pdf(f"{path}/upload", cleos, b"%PDF-1.7 x").expect(refusal)
        assert _course(course.id).title == course.title
        roots.put(path, {"title": "Corrected"}).expect(200)


def test_nothing_published_without_a_file_and_then_found_at_once(adas: Program, program: Program, ada: Any) -> None:
    made = adas.post("/courses", DRAFT).json
    adas.put(f"/courses/{made['id']}", {"status": "published"}).expect(422)
    draft = a_course(by=ada, title="Kerning by Ear", status="draft")
    shown = adas.put(f"/courses/{draft.id}", {"title": "Kerning by Heart", "status": "published"}).expect(200).json
    assert (shown["status"], shown["title"]) == ("published", "Kerning by Heart")
    [found] = program.get("/courses?q=kerning heart").expect(200).json["items"]
    assert found["id"] == str(draft.id)
    assert program.get(f"/courses/{draft.id}").headers["Cache-Control"].startswith("public")
    assert adas.get(f"/courses/{draft.id}").headers["Cache-Control"] == "private, no-store"


def test_a_refused_status_changes_nothing_else(adas: Program) -> None:
    path = f"/courses/{adas.post('/courses', DRAFT).json['id']}"
    adas.put(path, {"title": "Renamed", "status": "published"}).expect(422)
    assert adas.get(path).json["title"] == DRAFT["title"]


def test_only_legal_moves(adas: Program, ada: Any) -> None:
    course = a_course(by=ada)
    path = f"/courses/{course.id}"
    adas.put(path, {"status": "archived"}).expect(200)
    adas.put(path, {"status": "archived"}).expect(200)
    adas.put(path, {"status": "draft"}).expect(409).blames("status")
    adas.put(path, {"status": "deleted"}).expect(422).blames("status")
    adas.put(path, {"status": "unlisted"}).expect(200)


def test_an_archived_course_is_seen_by_its_buyers_only(
    program: Program, bens: Program, cleos: Program, ada: Any, ben: Any
) -> None:
    course = a_course(by=ada)
    a_purchase(course, by=ben)
    with transaction() as session:
        session.get_one(Course, course.id).status = "archived"
    bens.get(f"/courses/{course.id}").expect(200)
    cleos.get(f"/courses/{course.id}").expect(404)
    program.get(f"/courses/{course.id}").expect(404)


# Finding


def test_everyone_finds_by_word_tag_category_and_price(program: Program, ada: Any) -> None:
    type_ = a_course(by=ada, title="Quiet Typography", price=1900, tags=["type"])
    soup = a_course(by=ada, title="Soup for Editors", price=900, category="health", tags=["soup"])
    a_course(by=ada, title="Quiet Drafts", status="draft")
    a_course(by=ada, title="Quiet Corners", status="unlisted")

    def ids(query: str) -> list[str]:
        return [one["id"] for one in program.get(f"/courses?{query}").expect(200).json["items"]]

    assert ids("q=quiet") == [str(type_.id)]
    assert ids("tag=soup") == [str(soup.id)]
    assert ids("category=health") == [str(soup.id)]
    assert ids("price_min=1000&price_max=2000") == [str(type_.id)]
    assert ids("sort=price") == [str(soup.id), str(type_.id)]
    assert ids("category=cooking") == []
    assert ids("unknown=1&sort=&q=") == [str(soup.id), str(type_.id)]


def test_programs_filter_by_language_and_rating_and_order_by_it(program: Program, ada: Any) -> None:
    plain = a_course(by=ada, title="Quiet Typography")
    german = a_course(by=ada, title="Große Typen", language="de", rating_sum=9, rating_count=2, rating_score=4.0)

    def items(query: str) -> list[Any]:
        return list(program.get(f"/courses?{query}").expect(200).json["items"])

    assert [one["id"] for one in items("language=de")] == [str(german.id)]
    assert [one["rating"] for one in items("rating_min=4.5")] == [4.5]
    assert items("rating_min=4.6") == items("language=fr") == []
    assert [(one["id"], one["rating"]) for one in items("sort=rating")] == [
        (str(german.id), 4.5),
        (str(plain.id), None),
    ]
    assert [one["id"] for one in items("q=quiet typograhpy")] == [str(plain.id)]


def test_pages_follow_each_other_without_gaps(program: Program, ada: Any, queries: Any) -> None:
    made = {str(a_course(by=ada, title=f"Course {number}").id) for number in range(7)}
    seen: list[str] = []
    cursor = ""
    while True:
        page = program.get(f"/courses?limit=3&cursor={cursor}").expect(200).json
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert len(seen) == 7
    assert set(seen) == made
    with queries() as few:
        program.get("/courses?limit=1")
    with queries() as many:
        program.get("/courses?limit=7")
    assert few.count == many.count


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "price_min=-1", "price_max=1e9", "price_min=99999999999999999999", "sort=best",
     "rating_min=0", "rating_min=6", "rating_min=nan", "language=%00",
     "cursor=nonsense", "cursor=W10", "q=%00", "tag=a%00", "category=%00"],
)  # fmt: skip
def test_a_strange_query_is_a_422(program: Program, query: str) -> None:
    program.get(f"/courses?{query}").expect(422)


def test_no_such_course(program: Program, adas: Program) -> None:
    program.get(f"/courses/{new_id()}").expect(404)
    program.get("/courses/quiet-typography").expect(404)
    adas.put(f"/courses/{new_id()}", {}).expect(404)
    program.get("/nothing/here").expect(404)


# Files


def test_ada_uploads_and_sees_how_it_goes(adas: Program, cleos: Program, ada: Any) -> None:
    course = a_course(by=ada)
    sent = _pdf(f"/courses/{course.id}/upload", adas, b"%PDF-1.7\n% not much more", "../über.pdf").expect(202).json
    assert (sent["version_number"], sent["status"]) == (2, "processing")
    listed = adas.get(f"/courses/{course.id}/versions").expect(200).json["items"]
    assert [(one["version_number"], one["status"], one["is_current"]) for one in listed] == [
        (2, "processing", False),
        (1, "ready", True),
    ]
    assert listed[0]["id"] == sent["version_id"]
    assert services().storage.stat(f"uploads/{sent['version_id']}.pdf") is not None
    # Others see what was published.
    assert [one["version_number"] for one in cleos.get(f"/courses/{course.id}/versions").json["items"]] == [1]


def test_what_is_no_pdf_leaves_nothing_behind(adas: Program, ada: Any) -> None:
    path = f"/courses/{a_course(by=ada).id}/upload"
    before = list(services().storage.walk("uploads/"))
    _pdf(path, adas, b"GIF89a").expect(422).blames("file")
    _pdf(path, adas, b"").expect(422).blames("file")
    adas.ask("POST", path, data={"other": (io.BytesIO(b"%PDF-"), "x")}, content_type="multipart/form-data").expect(422)
    adas.ask("POST", path, data={"file": "text"}, content_type="multipart/form-data").expect(422)
    adas.ask("POST", path, data=b"%PDF-1.7", content_type="application/pdf").expect(415)
    adas.post(path, {"file": "x"}).expect(415)
    adas.ask("POST", path).expect(415)
    assert list(services().storage.walk("uploads/")) == before
    assert count(CourseVersion) == 1


def test_a_file_over_the_limit_is_refused_unread(adas: Program, ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/courses/{a_course(by=ada).id}/upload"
    limit = adas.app.config["SETTINGS"].upload_limit
    adas.ask(
        "POST",
        path,
        input_stream=io.BytesIO(b""),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(limit + 2_000_000)},
    ).expect(413)
    assert count(CourseVersion) == 1


def test_a_strangers_upload_is_not_read(program: Program, ada: Any) -> None:
    class Untouched(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            raise AssertionError("somebody read the body of a stranger")

    program.ask(
        "POST",
        f"/courses/{a_course(by=ada).id}/upload",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"wsgi.input": Untouched(), "CONTENT_LENGTH": "5000"},
    ).expect(401)


def test_ada_publishes_a_new_version(adas: Program, bens: Program, ada: Any) -> None:
    course = a_course(by=ada)
    path = f"/courses/{course.id}/versions"
    adas.post(path, {"changelog": "Nothing yet"}).expect(409)
    second, third = _ready(course, 2), _ready(course, 3)
    chosen = adas.post(path, {"version_id": str(second.id), "changelog": "Clearer figures."}).expect(200).json
    assert (chosen["version_number"], chosen["is_current"], chosen["changelog"]) == (2, True, "Clearer figures.")
    assert adas.post(path, {"changelog": "An index."}).expect(200).json["id"] == str(third.id)
    adas.post(path, {"version_id": str(third.id)}).expect(409)
    adas.post(path, {"version_id": str(second.id)}).expect(409)
    assert [one["version_number"] for one in bens.get(path).json["items"]] == [3, 2, 1]
    other = a_course(by=ada)
    adas.post(path, {"version_id": str(other.current_version_id)}).expect(404)
    adas.post(path, {"version_id": "x"}).expect(422).blames("version_id")
    adas.post(path, {"changelog": "x" * 5001}).expect(409)  # nothing newer is there to publish


def test_the_file_is_for_owner_creator_and_staff(
    program: Program, adas: Program, bens: Program, cleos: Program, roots: Program, ada: Any, ben: Any
) -> None:
    course = a_course(by=ada)
    assert course.current_version_id is not None
    stored_pdf(course.current_version_id)
    purchase = a_purchase(course, by=ben)
    path = f"/courses/{course.id}/pdf"
    for reader in (adas, bens, roots):
        link = reader.get(path).expect(200).json
        assert set(link) == {"url", "expires_at", "version_id"}
        assert link["version_id"] == str(course.current_version_id)
        fetched = program.app.test_client(use_cookies=False).get(urlsplit(link["url"]).path)
        assert fetched.data.startswith(b"%PDF-")
    assert link["url"].startswith(program.app.config["SETTINGS"].base_url)
    cleos.get(path).expect(403)
    program.get(path).expect(401)
    assert count(Download) == 0
    with transaction() as session:
        session.get_one(Course, course.id).status = "draft"
    cleos.get(path).expect(404)
    with transaction():
        grants.suspend(db.session.merge(purchase), reason="dispute", actor="test")
    bens.get(path).expect(403)


def test_without_a_file_there_is_no_link(adas: Program, ada: Any) -> None:
    made = adas.post("/courses", DRAFT).json
    adas.get(f"/courses/{made['id']}/pdf").expect(404)
    adas.get(f"/courses/{a_course(by=ada).id}/pdf").expect(503)


def test_the_slug_stays_unique(adas: Program) -> None:
    slugs = {adas.post("/courses", DRAFT).expect(201).json["slug"] for _ in range(3)}
    assert len(slugs) == 3
    assert len(set(db.session.scalars(select(Course.slug)))) == 3
