"""Refresh tokens of the API: one use each, a race is no theft, a theft ends the family."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from coursehub.accounts import tokens
from coursehub.accounts.models import ApiToken, Customer
from coursehub.kernel import clock
from coursehub.kernel.db import db, transaction
from coursehub.kernel.ids import new_id


def issue(person: Customer) -> UUID:
    with transaction():
        return tokens.issue(person).id


def rotate(jti: UUID) -> UUID | None:
    with transaction():
        token = tokens.rotate(jti)
        return token.id if token else None


def some_time_later(jti: UUID, seconds: int = 11) -> None:
    with transaction():
        then = clock.now() - timedelta(seconds=seconds)
        db.session.execute(update(ApiToken).where(ApiToken.id == jti).values(used_at=then))


def test_a_token_gives_its_successor_and_lives_for_30_days(ben: Customer) -> None:
    first = issue(ben)
    second = rotate(first)
    assert second is not None and second != first
    row = db.session.get_one(ApiToken, second)
    assert row.replaces_id == first and row.family_id == db.session.get_one(ApiToken, first).family_id
    assert abs(row.expires_at - clock.now() - timedelta(days=30)) < timedelta(minutes=1)
    with transaction():
        found = tokens.find(second)
        assert found is not None and found[1].id == ben.id
        assert tokens.find(first) is None


def test_two_tabs_with_one_token_both_go_on(ben: Customer) -> None:
    first = issue(ben)
    second = rotate(first)
    assert rotate(first) == second
    assert second is not None and rotate(second) is not None


def test_50_refreshes_at_once_make_one_new_token(ben: Customer, together: Callable[..., list[Any]]) -> None:
    first = issue(ben)
    outcome = together(50, lambda number: rotate(first))
    assert len(set(outcome)) == 1 and isinstance(outcome[0], UUID), set(map(str, outcome))
    db.session.remove()
    assert len(db.session.scalars(select(ApiToken)).all()) == 2


def test_without_the_row_lock_the_same_race_goes_wrong(
    ben: Customer, together: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without waiting for each other, rivals trip over the unique successor."""
    real = db.session.get

    def unlocked(kind: Any, key: Any, **more: Any) -> Any:
        more.pop("with_for_update", None)
        return real(kind, key, **more)

    monkeypatch.setattr(db.session, "get", unlocked, raising=False)
    wrong = False
    for _ in range(10):
        first = issue(ben)
        outcome = together(30, lambda number, first=first: rotate(first))
        wrong = wrong or len(set(map(str, outcome))) > 1
        db.session.remove()
        if wrong:
            break
    assert wrong


def test_a_used_token_that_comes_again_later_ends_the_family(ben: Customer) -> None:
    first = issue(ben)
    second = rotate(first)
    assert second is not None
    other_family = issue(ben)
    some_time_later(first)
    assert rotate(first) is None
    assert rotate(second) is None
    family = db.session.get_one(ApiToken, first).family_id
    assert not tokens.family_lives(family)
    assert rotate(other_family) is not None


def test_signing_out_ends_the_family_and_no_other(ben: Customer) -> None:
    first, other = issue(ben), issue(ben)
    second = rotate(first)
    assert second is not None
    family = db.session.get_one(ApiToken, first).family_id
    assert tokens.family_lives(family)
    for _ in range(2):
        with transaction():
            tokens.revoke_family(second)
    assert not tokens.family_lives(family)
    assert rotate(second) is None and rotate(first) is None
    assert rotate(other) is not None
    with transaction():
        tokens.revoke_family(new_id())


def test_what_never_was_ran_out_or_belongs_to_the_deleted_counts_for_nothing(ben: Customer, cleo: Customer) -> None:
    assert rotate(new_id()) is None
    old, cleos = issue(ben), issue(cleo)
    with transaction():
        db.session.execute(update(ApiToken).where(ApiToken.id == old).values(expires_at=clock.now()))
        db.session.execute(update(Customer).where(Customer.id == cleo.id).values(status="deleted"))
    assert rotate(old) is None
    assert rotate(cleos) is None
    assert tokens.find(old) is None and tokens.find(cleos) is None


def test_refreshing_does_not_count_as_giving_the_password(ben: Customer) -> None:
    first = issue(ben)
    an_hour_ago = clock.now() - timedelta(hours=1)
    with transaction():
        db.session.execute(update(ApiToken).values(password_checked_at=an_hour_ago))
    second = rotate(first)
    assert db.session.get_one(ApiToken, second).password_checked_at == an_hour_ago
