"""The captured mails of a shop without a mail server, as pages; they exist nowhere else."""

from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask

from coursehub.infra.local import CapturedMail
from coursehub.infra.services import EXTENSION, services
from coursehub.infra.smtp import SmtpMailer
from coursehub.kernel.db import transaction
from coursehub.mail import delivery, kinds
from coursehub.mail.views import linked
from tests.browser import Browser


@pytest.fixture
def captured(app: Flask) -> CapturedMail:
    mailer = services().mailer
    assert isinstance(mailer, CapturedMail)
    return mailer


@pytest.fixture
def receipt(app: Flask, captured: CapturedMail, work: Any) -> str:
    """A captured receipt's name."""
    with transaction():
        delivery.request_email(
            "receipt", to="ben@example.com", subject_key="order-1", data=dict(kinds.known("receipt").sample)
        )
    work("email.send")
    return captured.names()[-1]


def _captured_mail(captured: CapturedMail, subject: str, text: str, html: str) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", subject
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    captured.send(message)
    return captured.names()[-1]


def test_the_mailbox_lists_the_newest_mail_first(browser: Browser, receipt: str, captured: CapturedMail) -> None:
    newest = _captured_mail(captured, "The newest one", "text", "<p>html</p>")
    page = browser.get("/dev/mail").expect(200).says("Your receipt for order CH-7K3QP2MX", "ben@example.com")
    assert page.text.index(newest) < page.text.index(receipt)


def test_a_mail_is_shown_as_text_with_links_and_as_html_in_a_frame(browser: Browser, receipt: str, app: Flask) -> None:
    page = browser.get(f"/dev/mail/{receipt}").expect(200).says("Licence key: 7K3QP-M2XWE-RT8NY-BD4HF")
    base = app.config["SETTINGS"].base_url
    assert f'<a href="{base}/library">{base}/library</a>' in page.text
    assert f'src="/dev/mail/{receipt}/html"' in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text


def test_the_html_of_a_mail_can_run_nothing(browser: Browser, receipt: str) -> None:
    answer = browser.client.get(f"/dev/mail/{receipt}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ") and "allow-scripts" not in policy and "allow-same-origin" not in policy
    assert "default-src 'none'" in policy and "script-src" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_blank">' in answer.get_data(as_text=True)


def test_a_hostile_mail_stays_inside_its_frame(browser: Browser, captured: CapturedMail) -> None:
    name = _captured_mail(
        captured, "<script>alert(1)</script>", "<img src=x> https://a.example/?q=<b>", "<script>alert(1)</script>"
    )
    for path in ("/dev/mail", f"/dev/mail/{name}"):
        page = browser.get(path).expect(200)
        assert "<script>alert" not in page.text and "<img src=x>" not in page.text


def test_links_in_a_text_end_where_a_reader_would_end_them() -> None:
    assert linked("See https://a.example/x?a=1&b=2, or (https://b.example).") == (
        'See <a href="https://a.example/x?a=1&amp;b=2">https://a.example/x?a=1&amp;b=2</a>, '
        'or (<a href="https://b.example">https://b.example</a>).'
    )
    assert linked("javascript:alert(1) <b>") == "javascript:alert(1) &lt;b&gt;"


def test_only_mails_can_be_asked_for(browser: Browser, receipt: str) -> None:
    for name in ("nothing", "..%2F..%2Fsecret", "20260101T000000.000000-0", "*"):
        browser.get(f"/dev/mail/{name}").expect(404)
        browser.get(f"/dev/mail/{name}/html").expect(404)


@pytest.fixture(params=["production", "smtp"])
def real_shop(request: pytest.FixtureRequest, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The shop where people are real, or where mails really leave."""
    if request.param == "production":
        monkeypatch.setitem(app.config, "ENVIRONMENT", "production")
    else:
        away = SmtpMailer(app.config["SETTINGS"].model_copy(update={"smtp_url": "smtp://127.0.0.1:1"}))
        monkeypatch.setitem(app.extensions, EXTENSION, replace(services(), mailer=away))
    yield


def test_no_mailbox_exists_in_a_real_shop(receipt: str, real_shop: None, browser: Browser, root: Any) -> None:
    for page in (browser, browser.as_(root)):
        for path in ("/dev/mail", f"/dev/mail/{receipt}", f"/dev/mail/{receipt}/html"):
            page.get(path).expect(404)
