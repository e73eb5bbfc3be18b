"""The person behind the token: profile, creator, purchases."""

from typing import Any

from coursehub.accounts import profile
from coursehub.accounts.models import Customer
from coursehub.api.blueprint import answer, caller, operation
from coursehub.api.schemas import Listed, ListQuery, ProfileBody, PurchaseShown, User
from coursehub.kernel.db import transaction
from coursehub.library import queries as library

TAG = "me"


@operation("get", "/me", tag=TAG, answers={200: User})
def show_me() -> Any:
    """Who I am."""
    return answer(User.of(caller()))


@operation("put", "/me", tag=TAG, answers={200: User})
def update_me(body: ProfileBody) -> Any:
    """Change my profile. What is left out stays as it is."""
    with transaction() as session:
        customer = profile.update(
            session.get_one(Customer, caller().id, with_for_update=True), **body.model_dump(exclude_unset=True)
        )
    return answer(User.of(customer))


@operation("post", "/me/creator", tag=TAG, answers={200: User})
def become_creator() -> Any:
    """Become a creator: one step for anyone with a confirmed address."""
    with transaction() as session:
        customer = profile.become_creator(session.get_one(Customer, caller().id, with_for_update=True))
    return answer(User.of(customer))


@operation("get", "/me/purchases", tag=TAG, answers={200: Listed[PurchaseShown]})
def list_purchases(query: ListQuery) -> Any:
    """What I own, newest first."""
    page = library.of_customer(caller().id, cursor=query.cursor or None, limit=query.limit)
    return answer(Listed(items=[PurchaseShown.of(owned) for owned in page.items], next_cursor=page.next_cursor))
