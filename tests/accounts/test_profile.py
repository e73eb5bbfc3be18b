"""What Ada and Ben say of themselves: address, public page, purchases, preferences."""

from typing import Any

import pytest
from flask import Flask

from coursehub.accounts import profile
from coursehub.accounts.models import Customer
from coursehub.kernel.db import db, transaction
from coursehub.kernel.errors import Invalid
from coursehub.web.filters import linked
from tests.browser import Browser
from tests.factories import a_course, a_purchase

WHOLE = {"name": "Ben Okafor", "address_line1": "12 Quiet Lane", "city": "Bergen", "country": "NO"}


def again(person: Customer) -> Customer:
    db.session.remove()
    return db.session.get_one(Customer, person.id)


# Address


@pytest.mark.parametrize(
    ("left_out", "sentence"),
    [("address_line1", "Enter the street"), ("city", "Enter the city"), ("country", "Choose the country")],
)
def test_half_an_address_is_none(browser: Browser, ben: Customer, left_out: str, sentence: str) -> None:
    half = {name: value for name, value in WHOLE.items() if name != left_out}
    answer = browser.as_(ben).post("/account", half).expect(422).says("There is a problem", sentence)
    assert f'href="#{left_out}"' in answer.text and "<title>Error: " in answer.text
    assert again(ben).city is None


def test_no_address_is_fine_and_a_whole_one_too(browser: Browser, ben: Customer) -> None:
    bens = browser.as_(ben)
    bens.post("/account", {"name": "Ben"}).expect(303)
    bens.post("/account", WHOLE | {"postal_code": "N-5003"}).expect(303)
    assert again(ben).postal_code == "N-5003"
    bens.post("/account", WHOLE | {"postal_code": "50/03;"}).expect(422).says("postal code")


def test_browsers_may_fill_the_address_in(browser: Browser, ben: Customer) -> None:
    page = browser.as_(ben).get("/account").text
    for purpose in ("name", "address-line1", "address-line2", "postal-code", "address-level2", "country"):
        assert f'autocomplete="{purpose}"' in page


def test_countries_stand_where_people_look_for_them(app: Flask) -> None:
    names = [name for _, name in profile.countries("en")]
    assert names.index("Åland Islands") < names.index("Albania") < names.index("Zimbabwe")
    assert len(names) > 240


# The public page


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://example.com", "https://example.com"),
        ("example.com/about/", "https://example.com/about"),
        ("https://Ada.Example.COM/Type?x=1", "https://ada.example.com/Type?x=1"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example"),
        ("", None),
    ],
)
def test_ada_names_her_website(browser: Browser, ada: Customer, typed: str, kept: str | None) -> None:
    browser.as_(ada).post("/account", {"name": "Ada", "website": typed}).expect(303)
    assert again(ada).website == kept


@pytest.mark.parametrize(
    "typed",
    [
        "http://example.com",
        "javascript:alert(1)",
        "javascript://example.com/%0aalert(1)",
        "https://",
        "https://localhost",
        "https://127.0.0.1",
        "https://[::1]/",
        "https://[oops",
        "https://ada:secret@example.com",
        "https://example.com:8080",
        "https://exa mple.com",
        'https://example.com/"onclick=',
        "https://example.com/<script>",
        "https://example.com/\\evil",
        "https://-example.com",
        "ftp://example.com",
        "mailto:ada@example.com",
        "//example.com",
        "https://example.com/" + "x" * 200,
        "https://example.com:port",
        "https://exam\u202eple.com",
    ],
)
def test_what_is_no_website_is_refused_and_stays_typed(browser: Browser, ada: Customer, typed: str) -> None:
    answer = browser.as_(ada).post("/account", {"name": "Ada", "website": typed}).expect(422)
    answer.says("There is a problem")
    assert 'id="website-error"' in answer.text
    assert again(ada).website is None


def test_only_creators_have_a_public_page_to_fill(browser: Browser, ben: Customer, ada: Customer) -> None:
    browser.as_(ben).get("/account").expect(200).is_silent_about('name="website"', "Your public page")
    browser.as_(ben).post("/account", {"name": "Ben", "website": "https://example.com"}).expect(303)
    assert again(ben).website is None
    browser.as_(ada).get("/account").says("The page opens with your first published course.")


def test_the_public_page_shows_it_as_links_that_promise_nothing(browser: Browser, ada: Customer) -> None:
    a_course(by=ada)
    bio = "I teach <b>type</b>.\nMore at https://example.com/a?b=1&c=2.\n\nBye."
    adas = browser.as_(ada)
    adas.post("/account", {"name": "Ada Brandt", "bio": bio, "website": "example.org"}).expect(303)
    assert f'href="/creators/{ada.id}"' in adas.get("/account").says("See my public page").text
    page = browser.get(f"/creators/{ada.id}").expect(200)
    for link in (
        '<a href="https://example.com/a?b=1&amp;c=2" rel="noopener noreferrer nofollow ugc">',
        'href="https://example.org"',
    ):
        assert link in page.text
    page.says("<b>type</b>", "example.org")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", "<p></p>"),
        ("<script>", "<p>&lt;script&gt;</p>"),
        ("(https://a.example/x).", '<p>(<a href="https://a.example/x" rel="noopener noreferrer nofollow ugc">https://a.example/x</a>).</p>'),
        ('https://a.example/"onx', '<p><a href="https://a.example/" rel="noopener noreferrer nofollow ugc">https://a.example/</a>&#34;onx</p>'),
        ("javascript:alert(1)", "<p>javascript:alert(1)</p>"),
        ("a\nb\n\n\nc", "<p>a<br>b</p>\n<p>c</p>"),
    ],
)  # fmt: skip
def test_plain_text_gets_links_and_nothing_else(text: str, html: str) -> None:
    assert str(linked(text)) == html


def test_a_program_names_the_website_too(app: Flask, ada: Customer) -> None:
    from tests.api.program import Program

    adas = Program(app).as_(ada)
    assert adas.put("/me", {"website": "example.com"}).expect(200).json["website"] == "https://example.com"
    adas.put("/me", {"website": "http://example.com"}).expect(422).blames("website")
    assert adas.put("/me", {"website": ""}).expect(200).json["website"] is None


def test_a_story_refuses_what_the_form_would_not_see(ada: Customer) -> None:
    with pytest.raises(Invalid), transaction():
        profile.update(db.session.get_one(Customer, ada.id), website="https://example")


# What stands around


def test_a_saved_name_stands_at_the_top_at_once(browser: Browser, ben: Customer) -> None:
    answer = browser.as_(ben).post("/account", WHOLE | {"name": "Benjamin"}, htmx=True).expect(200)
    assert 'id="person" hx-swap-oob="true"' in answer.text
    answer.says("Benjamin", "Your profile is saved.")


def test_purchases_come_as_a_hole_with_a_link_inside(browser: Browser, ben: Customer, ada: Customer) -> None:
    bens = browser.as_(ben)
    page = bens.get("/account").expect(200)
    assert 'hx-get="/orders/recent"' in page.text and 'href="/library"' in page.text
    bens.get("/orders/recent", htmx=True).expect(200).says("You have not bought anything yet.")
    for number in range(6):
        a_purchase(a_course(by=ada, title=f"Course {number}"), by=ben)
    part = bens.get("/orders/recent", htmx=True).expect(200).says("Course 5", "Paid", "$19.00")
    part.is_silent_about("Course 1<", "<html")
    assert bens.get("/orders/recent").expect(303).location == "/orders"


def test_purchases_are_ones_own(browser: Browser, ben: Customer, cleo: Customer, ada: Customer) -> None:
    a_purchase(a_course(by=ada, title="Only Ben’s"), by=ben)
    browser.as_(cleo).get("/orders/recent", htmx=True).expect(200).is_silent_about("Only Ben")
    assert browser.get("/orders/recent", htmx=True).expect(401).location.startswith("/login")


def test_the_last_orders_cost_two_questions(browser: Browser, ben: Customer, ada: Customer, queries: Any) -> None:
    bens = browser.as_(ben)

    def asked() -> int:
        with queries() as seen:
            bens.get("/orders/recent", htmx=True).expect(200)
        return int(seen.count)

    a_purchase(a_course(by=ada), by=ben)
    bens.get("/orders/recent", htmx=True)
    one = asked()
    for _ in range(3):
        a_purchase(a_course(by=ada), by=ben)
    assert asked() == one


def test_the_wishlist_is_linked(browser: Browser, ben: Customer) -> None:
    assert 'href="/wishlist"' in browser.as_(ben).get("/account").text


def test_colours_are_chosen_on_the_account_page(browser: Browser, ben: Customer) -> None:
    bens = browser.as_(ben)
    page = bens.get("/account").says("Preferences", "Colours", "E-mails")
    assert 'action="/theme"' in page.text
    assert bens.post("/theme", {"theme": "dark", "next": "/account#preferences"}).expect(303).location == (
        "/account#preferences"
    )
    assert 'data-theme="dark"' in bens.get("/account").text
