"""The demo shop is planted in an empty shop only, and keeps quiet only its own mails."""

from pathlib import Path
from typing import Any

import pytest
from click import ClickException
from flask import Flask
from sqlalchemy import func, select

from coursehub.accounts.models import Customer
from coursehub.courses.models import Course
from coursehub.infra.services import services
from coursehub.kernel.db import db, transaction
from coursehub.kernel.outbox import OutboxMessage
from coursehub.library.models import ArchivedPurchase, PrivateFile
from coursehub.mail import delivery, kinds
from coursehub.mail.models import MailMessage
from coursehub.reading import positions
from ops.seed import plant as seed
from tests.factories import a_course, a_purchase
from tests.people import a_person


def test_production_gets_no_demo_shop(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = app.config["SETTINGS"].model_copy(update={"environment": "production"})
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    with pytest.raises(ClickException, match="production"):
        seed.plant(services(), tmp_path, 1_000_000, print)
    assert db.session.scalar(select(func.count()).select_from(Customer)) == 0


def test_a_shop_with_people_of_its_own_gets_no_demo_shop(app: Flask, tmp_path: Path) -> None:
    a_person("Zoe Adler", email="zoe@shop.example")
    with pytest.raises(ClickException, match="1 people have accounts here"):
        seed.plant(services(), tmp_path, 1_000_000, print)
    assert db.session.scalar(select(func.count()).select_from(Course)) == 0


def test_planting_again_is_allowed(app: Flask) -> None:
    seed._people()
    seed._refuse_a_real_shop()


def test_bens_library_is_furnished_once(app: Flask, ada: Any, ben: Any, tmp_path: Path) -> None:
    for _ in range(3):
        a_purchase(a_course(by=ada), by=ben)
    for _ in range(2):
        seed._furnish_library(ben, services(), 1_000_000)
    (own,) = db.session.scalars(select(PrivateFile)).all()
    assert (own.title, own.status, own.pages_count, own.pages_drawn) == ("Notes from the reading group", "ready", 3, 3)
    assert db.session.scalar(select(func.count()).select_from(ArchivedPurchase)) == 1


def test_ben_is_in_the_middle_of_two_courses(app: Flask, ada: Any, ben: Any) -> None:
    for number in range(3):
        a_purchase(a_course(by=ada, title=f"Course {number}", pages=12), by=ben)
    for _ in range(2):
        seed._open_books(ben)
    read = positions.recent(ben)
    assert [(item.page, item.pages_count) for item in read] == [(6, 12), (4, 12)]


def test_only_the_mails_of_the_planted_are_kept_back(app: Flask) -> None:
    planted, other = a_person("Ada Brandt"), a_person("Zoe Adler", email="zoe@shop.example")
    sample: dict[str, Any] = dict(kinds.known("receipt").sample)
    with transaction():
        for person in (planted, other):
            delivery.request_email(
                "receipt", to=person.email, subject_key=str(person.id), data=sample, customer_id=person.id
            )
    seed._keep_quiet([planted.id])
    assert db.session.scalars(select(MailMessage.customer_id)).all() == [other.id]
    waiting = db.session.scalars(select(OutboxMessage).where(OutboxMessage.name == "email.send")).all()
    kept = db.session.scalars(select(MailMessage.id)).one()
    assert [message.payload["mail_id"] for message in waiting] == [str(kept)]
