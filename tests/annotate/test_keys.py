"""People choose their keys from an allow-list (CVE-2026-22033 was a key that became a script)."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from annotate.keys import ACTS, DEFAULT, PRESETS, keys_of, wrong
from annotate.services.user import set_keys

URL = reverse("annotate:keys")
HOSTILE = ["</script><script>alert(1)</script>", "'><img src=x onerror=alert(1)>", "Ctrl+q", "dd", "1", "D", "Shift+D"]
HOSTILE += ["Shift+Shift+d", "Tab", "Escape", "F5", " ", "", "<", "d\n", None, 7, ["d"], {"d": 1}]


@pytest.mark.parametrize("hand", PRESETS)
def test_each_hand_has_a_key_for_every_act_and_none_twice(hand):
    assert set(PRESETS[hand]) == set(ACTS)
    assert wrong(PRESETS[hand]) == {}


def test_the_default_map_is_reached_by_the_left_hand_alone():
    letters = {key[-1] for key in DEFAULT.values() if key not in ("F2", "F4")}
    assert letters <= set("qwertasdfgzxcvb")


def test_the_map_of_the_right_hand_is_reached_by_the_right_hand_alone():
    letters = {key.removeprefix("Shift+") for key in PRESETS["right"].values()}
    assert not letters & set("qwertasdfgzxcv12345")


@pytest.mark.parametrize("key", HOSTILE, ids=repr)
def test_a_key_of_another_shape_is_refused_and_counts_for_nothing(key):
    assert list(wrong({"submit": key})) == ["submit"]
    assert keys_of({"submit": key, "skip": "k"}) == DEFAULT | {"skip": "k"}


@pytest.mark.parametrize("key", ["m", "Shift+m", "ы", "Shift+ж", "ü", ";", "Enter", "F2"])
def test_letters_of_any_alphabet_signs_and_a_few_keys_are_allowed(key):
    assert wrong({"flag": key}) == {}


def test_two_acts_on_one_key_and_acts_that_are_none_are_told():
    assert set(wrong({"submit": "x"})) == {"submit"}
    assert set(wrong({"submit": "m", "skip": "m"})) == {"submit", "skip"}
    assert set(wrong({"__proto__": "m"})) == {"__proto__"}
    assert keys_of("nonsense") == DEFAULT


def test_only_what_differs_is_stored_and_the_default_is_empty(bob):
    set_keys(user=bob, keys=DEFAULT | {"submit": "m"})
    bob.refresh_from_db()
    assert bob.keys == {"submit": "m"}
    set_keys(user=bob, keys=dict(DEFAULT))
    assert bob.keys == {}
    with pytest.raises(ValidationError):
        set_keys(user=bob, keys={"submit": "<b>"})


def test_the_page_stores_a_choice_for_who_asks_alone(client_of, alice, bob):
    browser = client_of(bob)
    assert browser.get(URL).status_code == 200
    assert browser.post(URL, DEFAULT | {"submit": "m", "user": alice.pk, "id": alice.pk}).url == URL
    for user, keys in ((alice, {}), (bob, {"submit": "m"})):
        user.refresh_from_db()
        assert user.keys == keys


def test_a_hand_is_chosen_as_a_whole_and_taken_back(client_of, bob):
    browser = client_of(bob)
    browser.post(URL, {"preset": "right"})
    bob.refresh_from_db()
    assert keys_of(bob.keys) == PRESETS["right"]
    browser.post(URL, {"preset": "left"})
    bob.refresh_from_db()
    assert bob.keys == {}


def test_wrong_keys_are_told_at_their_field_and_escaped(client_of, bob):
    response = client_of(bob).post(URL, DEFAULT | {"submit": HOSTILE[0], "skip": DEFAULT["raw"]})
    assert response.status_code == 422
    assert b"Not a key that can be chosen." in response.content
    assert b"does something else already" in response.content
    assert b"<script>alert" not in response.content
    bob.refresh_from_db()
    assert bob.keys == {}


def test_a_hostile_key_put_into_the_database_by_hand_reaches_no_page(client_of, bob):
    bob.keys = {"submit": HOSTILE[0], HOSTILE[0]: "x"}
    bob.save()
    assert b"alert(1)" not in client_of(bob).get(URL).content
