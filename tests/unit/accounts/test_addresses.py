"""What counts as an e-mail address."""

import pytest

from coursehub.accounts import addresses
from coursehub.kernel.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ben@example.com", "ben@example.com"),
        (" Ben@EXAMPLE.com\n", "Ben@example.com"),
        ("ben+courses@example.com", "ben+courses@example.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("ben@xn--mnchen-3ya.example", "ben@münchen.example"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert addresses.check(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "ben",
        "@example.com",
        "ben@",
        "ben@example",
        "ben@@example.com",
        "ben@exa mple.com",
        "ben@example.com\r\nBcc: everybody@example.com",
        "ben@example.com\x00",
        "Ben <ben@example.com>",
        "ben@example.com,cleo@example.com",
        "ben@-example.com",
        "ben@.example.com",
        "ben..lind@example.com",
        "ben@127.0.0.1",
        "ben@[127.0.0.1]",
        "x" * 65 + "@example.com",
        "ben@" + "x" * 250 + ".com",
        "\u202eben@example.com",
        "🐙@🐙",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Invalid, match=r"name@example\.com") as refusal:
        addresses.check(typed)
    assert refusal.value.field == "email"
