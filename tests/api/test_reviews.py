"""Reviews over the API: read by everyone, written by those who own the course."""

from typing import Any
from uuid import uuid4

import pytest

from coursehub.courses import publishing, queries
from coursehub.kernel.db import transaction
from tests.api.program import Program
from tests.factories import a_course, a_purchase
from tests.people import a_person


@pytest.fixture
def path(ada: Any, ben: Any) -> str:
    course = a_course(by=ada, title="Quiet Typography")
    a_purchase(course, by=ben)
    return f"/courses/{course.id}/reviews"


def test_ben_writes_and_changes_his_review(program: Program, bens: Program, path: str) -> None:
    made = bens.post(path, {"rating": 4, "text": "Clear."}).expect(201).json
    assert (made["rating"], made["text"], made["author"], made["reply"]) == (4, "Clear.", "Ben Okafor", None)
    changed = bens.post(path, {"rating": 5}).expect(200).json
    assert (changed["id"], changed["rating"], changed["text"]) == (made["id"], 5, "")
    assert changed["edited_at"] is not None
    assert program.get(path).expect(200).json == {"items": [changed], "next_cursor": None}
    assert program.get(path.removesuffix("/reviews")).json["rating"] == 5.0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rating"),
        ({"rating": "good"}, "rating"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": 4.5}, "rating"),
        ({"rating": 4, "text": "x" * 5001}, "text"),
        ({"rating": 4, "text": "a\0b"}, "text"),
    ],
)
def test_what_does_not_fit_is_blamed_on_its_field(bens: Program, path: str, body: Any, field: str) -> None:
    bens.post(path, body).expect(422).blames(field)
    assert bens.get(path).json["items"] == []


def test_strangers_and_the_author_are_refused(program: Program, adas: Program, cleos: Program, path: str) -> None:
    program.post(path, {"rating": 5}).expect(401)
    adas.post(path, {"rating": 5}).expect(403)
    cleos.post(path, {"rating": 5}).expect(403)
    cleos.post(f"/courses/{uuid4()}/reviews", {"rating": 5}).expect(404)
    program.get(f"/courses/{uuid4()}/reviews").expect(404)


def test_what_is_not_public_has_no_reviews_for_strangers(
    program: Program, bens: Program, cleos: Program, ada: Any
) -> None:
    course = a_course(by=ada)
    ben = bens.get("/me").json
    from coursehub.accounts.models import Customer
    from coursehub.kernel.db import db

    a_purchase(course, by=db.session.get_one(Customer, ben["id"]))
    with transaction():
        publishing.move_to(queries.get(course.id), "archived", ada)
    at = f"/courses/{course.id}/reviews"
    program.get(at).expect(404)
    cleos.get(at).expect(404)
    bens.post(at, {"rating": 3}).expect(201)
    bens.get(at).expect(200)


def test_the_list_goes_on_with_its_cursor(program: Program, ada: Any) -> None:
    course = a_course(by=ada)
    at = f"/courses/{course.id}/reviews"
    for number in range(3):
        person = a_person(f"Reader {number}", email=f"reader{number}@example.org")
        a_purchase(course, by=person)
        program.as_(person).post(at, {"rating": 1 + number}).expect(201)
    first = program.get(f"{at}?limit=2").expect(200).json
    assert [one["rating"] for one in first["items"]] == [3, 2]
    rest = program.get(f"{at}?limit=2&cursor={first['next_cursor']}").json
    assert [one["rating"] for one in rest["items"]] == [1] and rest["next_cursor"] is None
    program.get(f"{at}?cursor=nonsense").expect(422).blames("cursor")
