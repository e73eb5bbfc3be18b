"""The password rules, and what a hash is worth."""

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from coursehub.accounts import passwords
from coursehub.kernel.errors import Invalid


def test_a_hash_is_argon2id_at_owasps_costs_and_never_the_same_twice() -> None:
    one, two = passwords.hash_password("a quiet afternoon"), passwords.hash_password("a quiet afternoon")
    costs = extract_parameters(one)
    assert (costs.type, costs.time_cost, costs.memory_cost, costs.parallelism) == (Type.ID, 2, 19_456, 1)
    assert one != two
    assert passwords.verify(one, "a quiet afternoon") and passwords.verify(two, "a quiet afternoon")
    assert not passwords.verify(one, "a quiet evening")


def test_long_passwords_count_to_their_last_letter() -> None:
    stem = "x" * 72  # where bcrypt stops reading
    stored = passwords.hash_password(stem + " one ending")
    assert passwords.verify(stored, stem + " one ending")
    assert not passwords.verify(stored, stem + " another one")


def test_the_same_letters_in_another_unicode_form_are_the_same_password() -> None:
    assert passwords.verify(passwords.hash_password("Cafe\u0301 au lait"), "Caf\u00e9 au lait")


@pytest.mark.parametrize("damaged", ["", "x", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_damaged_hash_is_nobodys_password(damaged: str) -> None:
    assert not passwords.verify(damaged, "a quiet afternoon")


def test_other_costs_ask_for_a_new_hash() -> None:
    assert passwords.needs_rehash(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))
    assert not passwords.needs_rehash(passwords.hash_password("x"))


@pytest.mark.parametrize(
    "password",
    [
        "a quiet afternoon",
        "coursehub-demo",
        "x9" * 5,
        "пароль для Бена",
        "🐙🐢🦑🦀🐟🐬🐳🦈🐡🐠",
        "          no rules about shape",
        "q" * 64 + "r" * 64,
        "it contains ben@example.com somewhere",
    ],
)
def test_good_passwords_have_no_rules_of_shape(password: str) -> None:
    passwords.check_policy(password, email="ben@example.com", name="Ben Okafor")


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "at least 10"),
        ("ninechars", "at least 10"),
        ("x" * 60 + "y" * 69, "at most 128"),
        ("aaaaaaaaaaaa", "most common"),
        ("Password123", "most common"),
        ("BEN@example.com", "not your name"),
        ("benjaminokafor", "not your name"),
        ("Benjamin Okafor", "not your name"),
        ("example.com", "not your name"),
    ],
)
def test_bad_passwords_get_one_clear_sentence(password: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refusal:
        passwords.check_policy(password, email="ben@example.com", name="Benjamin Okafor")
    assert sentence in refusal.value.sentence
    assert refusal.value.field == "password"


def test_every_one_of_the_30000_most_common_is_refused() -> None:
    common = FREQUENCY_LISTS["passwords"]
    assert len(common) >= 3000
    let_through = []
    for password in common:
        for typed in {password, password.upper(), password.capitalize()}:
            try:
                passwords.check_policy(typed)
                let_through.append(typed)
            except Invalid:
                pass
    assert let_through == []
