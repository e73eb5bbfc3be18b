"""What people do in the browser, step by step."""

import re
from pathlib import Path
from typing import Any

PASSWORD = "a quiet afternoon"


def register(page: Any, shop: Any, name: str, email: str) -> None:
    """Create an account on the page that is open and confirm it by the mailed link."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail", exact=False).first.fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("heading", name="Confirm your e-mail address").wait_for()
    confirm(page, shop, email)


def confirm(page: Any, shop: Any, email: str) -> None:
    """Follow the confirmation link in the mail."""
    text = shop.mailbox.text(shop.mail_to(email))
    link = re.search(r"(/account/verify\?token=\S+)", text)
    assert link, text
    page.goto(link[1])
    page.get_by_role("button", name="Confirm my address").click()
    page.wait_for_url(lambda url: "token=" not in url)


def become_creator(page: Any) -> None:
    """One click in the studio."""
    page.goto("/studio")
    page.get_by_role("button", name="Become a creator").click()
    page.get_by_role("link", name="Studio", exact=True).first.wait_for()


def upload_and_publish(page: Any, pdf: Path, *, title: str, price: str, js: bool) -> str:
    """From the studio to a published course; returns its address."""
    page.goto("/studio/courses/new")
    page.locator("#title").fill(title)
    page.locator("#description").fill("What you need, in **plain** words.")
    page.locator("#category").select_option("design")
    page.locator("#price").fill(price)
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url(re.compile("/content"))
    page.set_input_files("input[type=file]", str(pdf))
    if not js or page.get_by_role("button", name="Upload", exact=True).is_visible():
        page.get_by_role("button", name="Upload", exact=True).click()
    wait_for_text(page, "is ready", js=js)  # "Version 1 is ready"; "saved already" is no answer
    base = re.sub(r"/content.*", "", page.url)
    page.goto(f"{base}/publish")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_text("People buy it here").wait_for()
    return str(page.locator("main a[href^='/courses/']").first.get_attribute("href"))


def wait_for_text(page: Any, text: str, *, js: bool, seconds: int = 90) -> None:
    """Until the page says `text`; without JavaScript a person reloads."""
    if js:
        page.get_by_text(text).first.wait_for(timeout=seconds * 1000)
        return
    for _ in range(seconds):
        if page.get_by_text(text).count():
            return
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError(f"{text!r} never came: {page.inner_text('main')}")


def pay(page: Any, card: str = "4242424242424242") -> None:
    """Fill in the hosted payment page."""
    page.wait_for_url(re.compile("/c/pay/"))
    page.locator("input[name=card_number]").fill(card)
    page.locator("input[name=exp_month]").fill("12")
    page.locator("input[name=exp_year]").fill("2034")
    page.locator("input[name=cvc]").fill("123")
    page.locator("input[name=name]").fill("Ben Okafor")
    page.get_by_role("button", name=re.compile("^Pay ")).first.click()
