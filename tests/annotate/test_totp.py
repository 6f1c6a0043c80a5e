from base64 import b32encode

import pytest

from annotate.totp import new_secret, picture, step_of

RFC = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("now", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037"), (20000000000, "353130")],
)
def test_the_codes_are_those_of_rfc_6238(now, code):
    assert step_of(RFC, code, now) == now // 30


def test_a_phone_may_be_one_step_off_and_no_more():
    assert [step_of(RFC, "081804", 1111111109 + 30 * n) for n in (-2, -1, 0, 1, 2)] == [
        None,
        *[1111111109 // 30] * 3,
        None,
    ]


@pytest.mark.parametrize("code", ["", "08180", "0818040", "٠٨١٨٠٤", "abcdef", "\0"])
def test_what_is_no_code_is_none(code):
    assert step_of(RFC, code, 1111111109) is None


def test_a_secret_has_160_bits_and_its_picture_is_one_that_the_policy_allows():
    secret = new_secret()
    assert len(secret) == 32
    assert secret != new_secret()
    assert picture(secret, "bob").startswith("data:image/svg+xml")
