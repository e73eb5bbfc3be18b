"""Every mail, rendered from its sample and from hostile data: whole, honest, harmless."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask_babel import Babel
from jinja2 import UndefinedError

from coursehub.infra.smtp import MailRefused
from coursehub.kernel.encryption import use_keys
from coursehub.kernel.errors import Invalid
from coursehub.kernel.paths import shipped
from coursehub.kernel.settings import Settings
from coursehub.mail import kinds, messages
from coursehub.mail.forms import LABELS
from tests.stack import JWT, KEYS

KINDS = sorted(kinds.KINDS)
WRITTEN = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }} {% raise %} {# #}",
    "%s %(name)s %n %%",
    "</mj-text><mj-raw><script>alert(1)</script></mj-raw>",
    "&lt;b&gt; &amp; ]]> <!-- -->",
    "two\r\nBcc: cleo@example.com\r\n\r\nlines",
    "bell\x07 nul\x00 escape\x1b[31m",
    "turned \u202earound\u2028 and broken",
    "📚 שלום курс",
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """What a mail needs of the app: settings, keys, languages. No database."""
    settings = Settings.model_validate(
        {
            "COURSEHUB_ENV": "test",
            "COURSEHUB_BASE_URL": "http://shop.example:8000",
            "COURSEHUB_INSECURE_HTTP": True,
            "COURSEHUB_DATA": tmp_path_factory.mktemp("data"),
            "COURSEHUB_KEYS": KEYS,
            "JWT_SECRET": JWT,
            "DATABASE_URL": "postgresql+psycopg://nobody@/nothing",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "COURSEHUB_BROKER_URL": "redis://127.0.0.1:1/1",
        }
    )
    use_keys(settings.key_ring())
    made = Flask("mails")
    made.config["SETTINGS"] = settings
    Babel(made, default_locale="en")
    with made.app_context():
        yield made


def base_of(app: Flask) -> str:
    return str(app.config["SETTINGS"].base_url)


def composed(kind: str, *, to: str = "ben@example.com", **changes: Any) -> EmailMessage:
    data = {**kinds.known(kind).sample, **changes}
    message = messages.compose(kind, to=to, data=data, locale="en", message_id="mail.1", written_at=WRITTEN)
    parsed = message_from_bytes(message.as_bytes(policy=policy.SMTP), policy=policy.default)
    assert not parsed.defects
    return parsed


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


class Tags(HTMLParser):
    """What stands in a mail's HTML: tags, attributes, links, text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._in_style = tag == "style"
        for name, value in attrs:
            self.attributes.add(name)
            if name == "href":
                self.links.append(value or "")
            if name in ("src", "background"):
                self.sources.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._in_style else data


def test_every_folder_is_a_kind_and_every_kind_has_its_three_templates() -> None:
    folder = shipped("templates") / "emails"
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == KINDS
    for kind in KINDS:
        assert {path.name for path in (folder / kind).iterdir()} == {"subject.txt", "body.txt", "body.mjml"}
        assert set(kinds.known(kind).sample) == set(kinds.known(kind).fields)


def test_every_kind_that_can_be_turned_off_has_a_name_for_people() -> None:
    assert set(LABELS) == {kind.name for kind in kinds.optional()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_mail_is_whole(app: Flask, kind: str) -> None:
    message = composed(kind)
    text, html = text_of(message), html_of(message)
    page = Tags(html)
    assert 5 < len(message["Subject"]) < 100
    assert len(message.as_bytes()) < 100_000
    for part in (text, page.text, message["Subject"]):
        assert not re.search(r"\{\{|\}\}|\{%|%\(|None|Undefined|&amp;|&lt;|\bnone\b", part), part
    assert not {"mj-text", "mj-section", "mj-raw", "script", "img", "form", "iframe"} & page.tags
    assert not any(name.startswith("on") for name in page.attributes)
    assert page.sources == []
    assert "h1" in page.tags and "CourseHub" in page.text


@pytest.mark.parametrize("kind", KINDS)
def test_links_lead_to_this_shop_or_to_stripe(app: Flask, kind: str) -> None:
    message = composed(kind)
    found = Tags(html_of(message)).links + re.findall(r"https?://\S+", text_of(message))
    assert found
    for url in found:
        origin = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
        assert origin in (base_of(app), "https://pay.stripe.com"), url
    # Nothing is loaded from anywhere when the mail is opened.
    assert not re.search(r"@import|url\(|<link", html_of(message))


def test_each_path_in_a_mail_is_a_page_of_the_shop(app: Flask, session_app: Flask) -> None:
    pages = session_app.url_map.bind("")
    for kind in KINDS:
        for url in re.findall(r"https?://\S+", text_of(composed(kind))):
            if url.startswith(base_of(app)):
                pages.match(urlsplit(url).path, method="GET")  # raises NotFound for a dead link


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_may_be_refused_can_be_unsubscribed(app: Flask, kind: str) -> None:
    message = composed(kind)
    both = html_of(message) + text_of(message)
    if kinds.known(kind).nature == "transactional":
        assert message["List-Unsubscribe"] is None and message["List-Unsubscribe-Post"] is None
        assert "nsubscribe" not in both
    else:
        url = str(message["List-Unsubscribe"])[1:-1]
        assert url.startswith(f"{base_of(app)}/mail/unsubscribe/")
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert url in text_of(message) and url in Tags(html_of(message)).links
        assert "ben@example.com" not in url


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_people_type_is_never_more_than_text(app: Flask, kind: str, hostile: str) -> None:
    sample = kinds.known(kind).sample
    changes: dict[str, Any] = {
        name: hostile
        for name in ("name", "course_title", "title", "filename", "sentence", "reviewer", "author", "text")
        if name in sample
    }
    if "items" in sample:
        changes["items"] = [{**sample["items"][0], "title": hostile}]
    if "removed" in sample:
        changes["removed"] = [hostile]
    message, plain = composed(kind, **changes), composed(kind)

    assert sorted(message.keys()) == sorted(plain.keys())
    assert message.get_all("To") == ["ben@example.com"]
    page, usual = Tags(html_of(message)), Tags(html_of(plain))
    assert page.tags == usual.tags and page.attributes == usual.attributes
    assert sorted(page.links) == sorted(usual.links)
    visible = " ".join((page.text + text_of(message) + str(message["Subject"])).split())
    # The code and the link's signature are numbers of their own.
    assert "49" not in re.sub(r"/mail/unsubscribe/\S+", "", visible).replace(str(sample.get("code")), "")
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\u2028]", html_of(message).replace("\r", "") + message["Subject"])
    if set(changes) - {"name"}:
        assert " ".join(messages.one_line(hostile, 999).split()) in visible


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_value_is_an_error_not_a_gap(app: Flask, kind: str) -> None:
    for field in set(kinds.known(kind).sample) - {"name"}:
        data = {name: value for name, value in kinds.known(kind).sample.items() if name != field}
        try:
            rendered = messages.render(kind, to="ben@example.com", data=data)
        except (UndefinedError, TypeError):
            continue
        # A field that no template reads would be personal data kept for nothing; ids serve the event.
        assert field.endswith("_id") or field == "version_number", f"{kind} never shows {field}: {rendered.subject}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_person_without_a_name_is_greeted_all_the_same(app: Flask, kind: str) -> None:
    assert text_of(composed(kind, name="")).startswith("Hello,\n")


def test_the_confirmation_link_stands_on_one_line_even_in_the_raw_mail(app: Flask) -> None:
    sample = kinds.known("verify_email").sample
    link = f"{base_of(app)}/account/verify?token={sample['token']}"
    for name in ("Ben", "Jörg Müller"):
        message = composed("verify_email", name=name)
        assert link in text_of(message).splitlines()
        assert link.encode() in message.as_bytes().splitlines()
        assert re.search(rf"^ +{sample['code']}$", text_of(message), re.MULTILINE)


def test_a_receipt_says_what_was_bought_for_how_much_and_how_to_get_it(app: Flask) -> None:
    for part in (text_of(composed("receipt")), Tags(html_of(composed("receipt"))).text):
        for said in (
            "CH-7K3QP2MX", "Quiet Typography", "$19.00", "Watercolour Skies & Seas", "$26.00", "$5.00",
            "$3.80", "$43.80",
            "7K3QP-M2XWE-RT8NY-BD4HF", "24 hours", "5 times", "Nov 23, 2026",
        ):  # fmt: skip
            assert said in part, said
    links = Tags(html_of(composed("receipt"))).links
    assert kinds.known("receipt").sample["receipt_url"] in links
    assert f"{base_of(app)}/library" in links


def test_a_free_order_has_a_receipt_without_stripe_discount_or_tax(app: Flask) -> None:
    text = text_of(composed("receipt", total_cents=0, discount_cents=0, tax_cents=0, receipt_url=""))
    assert "$0.00" in text
    assert not re.search("Stripe|Discount|tax", text)


def test_money_is_written_in_the_order_s_currency(app: Flask) -> None:
    assert "¥1,900" in text_of(composed("receipt", currency="JPY", total_cents=1900))


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/", "http://pay.stripe.com/", "https://stripe.com.evil.example/", "https://a@pay.stripe.com/",
     "javascript:alert(1)", "//pay.stripe.com/x", "https://notstripe.com/"],
)  # fmt: skip
def test_a_receipt_links_to_no_other_payment_page(app: Flask, url: str) -> None:
    assert url not in Tags(html_of(composed("receipt", receipt_url=url))).links
    assert url not in text_of(composed("receipt", receipt_url=url))


@pytest.mark.parametrize("path", ["//evil.example/", "https://evil.example/", "\\evil", "javascript:alert(1)", ""])
def test_a_mail_s_path_cannot_leave_the_shop(app: Flask, path: str) -> None:
    assert f"{base_of(app)}/" in Tags(html_of(composed("course_ready", path=path))).links
    assert "evil" not in html_of(composed("course_ready", path=path))


@pytest.mark.parametrize(
    "name",
    ["Win 1000 $ at http://evil.example", "visit www.evil.example", "evil.example", "Buy now: cheap", "a@b.example",
     "x" * 61, "t.me/evil", "<b>"],
)  # fmt: skip
def test_an_advertisement_is_not_a_name_that_we_carry_to_strangers(app: Flask, name: str) -> None:
    message = composed("verify_email", name=name)
    assert name not in text_of(message) and name not in Tags(html_of(message)).text
    assert text_of(message).startswith("Hello,\n")


@pytest.mark.parametrize("name", ["Ben Okafor", "Dr. J. Müller-Lüdenscheidt", "O’Neil, Pat", "李小龍", "Ada B."])
def test_real_names_are_greeted(app: Flask, name: str) -> None:
    assert text_of(composed("verify_email", name=name)).startswith(f"Hello {name},")


@pytest.mark.parametrize(
    "to",
    [
        "", "ben", "ben@", "@example.com", "ben@example.com,cleo@example.com", "ben@example.com;cleo@example.com",
        "ben@example.com\r\nBcc: cleo@example.com", "ben@example.com\nX: 1", "ben@example.com\0",
        "Ben <ben@example.com>",
        "<ben@example.com>", "ben @example.com", "ben@exam ple.com", "ben@example.com ", "ben@example.com\u2028x",
        "ben@example.com (comment)", "a: ben@example.com;", "ben@@example.com", "ben,cleo@example.com",
    ],
)  # fmt: skip
def test_a_mail_goes_to_exactly_one_address(app: Flask, to: str) -> None:
    with pytest.raises(MailRefused):
        composed("password_changed", to=to)
    with pytest.raises(Invalid):
        messages.one_address(to)


@pytest.mark.parametrize(
    ("to", "written"),
    [
        ("ben+shop@example.com", "ben+shop@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("Ben.Okafor@Example.COM", "Ben.Okafor@Example.COM"),
        ("ben@bücher.example", "ben@xn--bcher-kva.example"),
    ],
)
def test_unusual_addresses_are_written_to(app: Flask, to: str, written: str) -> None:
    assert composed("password_changed", to=to)["To"] == written


def test_a_second_try_is_the_same_mail_byte_for_byte(app: Flask) -> None:
    once, again = composed("receipt"), composed("receipt")
    assert once.as_bytes() == again.as_bytes()
    assert once["Message-ID"] == f"<mail.1@{urlsplit(base_of(app)).hostname}>"


def test_headers_say_who_writes_and_that_no_person_does(app: Flask) -> None:
    message = composed("receipt")
    assert str(message["From"]) == app.config["SETTINGS"].mail_from
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == WRITTEN


def test_a_subject_is_one_line_of_bounded_length(app: Flask) -> None:
    subject = str(composed("course_sold", title="Long\r\nBcc: cleo@example.com " + "x" * 500)["Subject"])
    assert "\n" not in subject and len(subject) <= 150
    assert subject.startswith("You sold “Long Bcc: cleo@example.com")


def test_mail_templates_hold_no_untranslated_sentence() -> None:
    """Whatever a reader sees goes through gettext: what is left after removing it holds no words."""
    for path in Path(shipped("templates") / "emails").rglob("*"):
        if path.suffix not in (".txt", ".mjml"):
            continue
        source = re.sub(
            r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>|&nbsp;|/[a-z/]+(\?token=)?", " ", path.read_text(), flags=re.S
        )
        assert not re.search(r"[A-Za-z]{2,}", source), f"{path.name}: {source.strip()!r}"
