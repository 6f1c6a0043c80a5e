"""A code beside the password: set up, asked for, used once, lost, and taken away."""

from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone
from pyotp import TOTP

from annotate.models import Event, RecoveryCode, SecondFactor
from annotate.sealed import unseal
from annotate.services import second_factor
from annotate.services.second_factor import begin, confirm, has_second_factor, use_code
from tests.annotate.test_throttle import clock  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db
NAMES = ("login", "code", "account", "second_factor_start", "second_factor_finish", "second_factor_codes",
         "second_factor_off", "home")  # fmt: skip
LOGIN, CODE, ACCOUNT, START, FINISH, CODES, OFF, HOME = (reverse(f"annotate:{name}") for name in NAMES)
PASSWORD = {"password": "bob-pass-phrase"}
RIGHT = {"username": "bob", **PASSWORD}


NOW = timezone.now()


@pytest.fixture(autouse=True)
def _still(monkeypatch):
    """No step ends while a test runs."""
    monkeypatch.setattr(second_factor, "timezone", SimpleNamespace(now=lambda: NOW))


def shown(user, steps=0):
    """What the app shows, so many steps from now."""
    secret = unseal(SecondFactor.objects.get(user=user).sealed)
    return TOTP(secret).generate_otp(int(NOW.timestamp()) // 30 + steps)


@pytest.fixture
def codes(bob):
    """Bob has a second factor, and these recovery codes; the step before this one is used."""
    begin(user=bob)
    found = confirm(user=bob, code=shown(bob, -1))
    bob.refresh_from_db()
    return found


def kinds():
    return list(Event.objects.filter(kind__startswith="account.").values_list("kind", flat=True))


def test_bob_sets_it_up_and_signs_in_with_it(client_of, client, bob):
    browser, other = client_of(bob), client_of(bob)
    page = browser.post(START, PASSWORD)
    assert page.status_code == 200
    assert 'src="data:image/svg+xml' in page.content.decode()
    assert page.context["secret"].replace(" ", "") == unseal(SecondFactor.objects.get().sealed)
    assert "no-store" in page.headers["Cache-Control"]
    assert client.post(LOGIN, RIGHT).url == HOME  # not before a code was given
    done = browser.post(FINISH, {"code": shown(bob, -1)})
    assert len(set(done.context["codes"])) == 10
    assert browser.get(ACCOUNT).status_code == 200
    assert "10 recovery codes left" in browser.get(ACCOUNT).content.decode()
    assert other.get(ACCOUNT).status_code == 302  # what began without a code has ended
    stranger = type(client)()
    assert stranger.post(LOGIN, RIGHT | {"next": ACCOUNT}).url == CODE
    assert not get_user(stranger).is_authenticated
    assert stranger.get(ACCOUNT).url.startswith(LOGIN)
    assert stranger.get(CODE).status_code == 200
    key = stranger.cookies["sessionid"].value
    assert stranger.post(CODE, {"code": shown(bob)}).url == ACCOUNT
    assert get_user(stranger) == bob
    assert stranger.cookies["sessionid"].value != key
    assert "account.second_factor_on" in kinds()


def test_setting_up_needs_the_password_and_the_first_code(client_of, bob):
    browser = client_of(bob)
    assert browser.post(START, {"password": "wrong"}).status_code == 422
    assert not SecondFactor.objects.exists()
    assert browser.post(FINISH, {"code": "123456"}).url == ACCOUNT
    browser.post(START, PASSWORD)
    wrong = browser.post(FINISH, {"code": "wrong"})
    assert (wrong.status_code, "data:image/svg+xml" in wrong.content.decode()) == (422, True)
    assert not has_second_factor(bob)
    assert client_of(bob).post(FINISH, {"code": shown(bob)}).url == ACCOUNT  # a session that gave no password
    assert not has_second_factor(bob)


def test_what_is_on_is_not_set_up_again(client_of, bob, codes):
    sealed = SecondFactor.objects.get().sealed
    assert client_of(bob).post(START, PASSWORD).url == ACCOUNT
    assert SecondFactor.objects.get().sealed == sealed


def test_no_code_is_good_twice_nor_one_before_it(bob, codes):
    used = shown(bob, 1)
    use_code(user=bob, code=used)
    for code in (used, shown(bob), shown(bob, -1)):
        with pytest.raises(ValidationError):
            use_code(user=bob, code=code)


def test_a_recovery_code_lets_in_once_however_it_is_typed(client, bob, codes):
    client.post(LOGIN, RIGHT)
    assert client.post(CODE, {"code": f" {codes[0].lower().replace('-', ' ')} "}).url == HOME
    again = type(client)()
    again.post(LOGIN, RIGHT)
    assert again.post(CODE, {"code": codes[0]}).status_code == 422
    assert RecoveryCode.objects.filter(used_at=None).count() == 9
    assert "account.recovery_code_used" in kinds()


def test_codes_are_guessed_at_no_faster_than_passwords(client, bob, codes, clock):  # noqa: F811
    client.post(LOGIN, RIGHT)
    found = [client.post(CODE, {"code": f"00000{n}"}) for n in range(6)]
    assert [one.status_code for one in found] == [422] * 5 + [429]
    assert found[-1].headers["Retry-After"] == "1"
    assert client.post(CODE, {"code": shown(bob)}).status_code == 429
    lines = Event.objects.filter(kind="account.sign_in_failed", data__what="code")
    assert set(lines.values_list("subject", flat=True)) == {f"user:{bob.pk}"}


def test_the_password_must_have_been_right_here_and_lately(client, bob, codes, monkeypatch):
    assert client.get(CODE).url == LOGIN
    assert client.post(CODE, {"code": shown(bob)}).url == LOGIN
    client.post(LOGIN, RIGHT)
    later = SimpleNamespace(time=lambda: timezone.now().timestamp() + 601)
    monkeypatch.setattr("annotate.door.time", later)
    assert client.post(CODE, {"code": shown(bob)}).url == LOGIN


def test_a_changed_password_ends_the_wait_for_a_code(client, bob, codes):
    client.post(LOGIN, RIGHT)
    bob.set_password("stone-and-gold")
    bob.save()
    assert client.post(CODE, {"code": shown(bob)}).url == LOGIN


def test_new_recovery_codes_and_turning_it_off_need_password_and_code(client_of, bob, codes):
    browser = client_of(bob)
    for path in (CODES, OFF):
        assert browser.post(path, PASSWORD | {"code": "123456"}).status_code == 422
        assert browser.post(path, {"password": "wrong", "code": codes[9]}).status_code == 422
    assert RecoveryCode.objects.filter(used_at=None).count() == 10
    fresh = browser.post(CODES, PASSWORD | {"code": codes[9]}).context["codes"]
    assert not set(fresh) & set(codes)
    assert browser.post(OFF, PASSWORD | {"code": codes[1]}).status_code == 422
    assert browser.post(OFF, PASSWORD | {"code": fresh[1]}).url == ACCOUNT
    assert not has_second_factor(bob)
    assert not RecoveryCode.objects.exists()
    assert kinds()[-1] == "account.second_factor_off"


def test_secrets_are_kept_sealed_and_codes_hashed(bob, codes):
    factor = SecondFactor.objects.get()
    secret = unseal(factor.sealed)
    kept = str([list(table.objects.values()) for table in (SecondFactor, RecoveryCode, Event)])
    for text in (secret, *codes, *[code.replace("-", "") for code in codes]):
        assert text not in kept


def test_another_key_still_opens_it_and_seals_it_anew(bob, codes, settings):
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [before]
    use_code(user=bob, code=shown(bob))
    settings.SECRET_KEY_FALLBACKS = []
    use_code(user=bob, code=shown(bob, 1))


def test_without_the_key_a_recovery_code_does(bob, codes, settings):
    settings.SECRET_KEY = "lost"
    with pytest.raises(ValidationError):
        use_code(user=bob, code="123456")
    use_code(user=bob, code=codes[0])


def test_admins_see_who_has_one(client_of, project, alice, bob, codes):
    page = client_of(alice).get(reverse("annotate:members", args=["answers"])).content.decode()
    assert page.count("second factor</span>") == 1


def test_a_superuser_resets_a_lost_one(admin_client, admin_user, client_of, client, bob, codes):
    body = {"action": "reset_second_factor", "_selected_action": [bob.pk]}
    bob.is_staff = True
    bob.save()
    assert client_of(bob).post("/admin/annotate/user/", body).status_code in (302, 403)
    assert has_second_factor(bob)
    page = admin_client.post("/admin/annotate/user/", body, follow=True).content.decode()
    assert "1 reset." in page
    assert Event.objects.get(kind="account.second_factor_reset").actor == admin_user
    assert client.post(LOGIN, RIGHT).url == HOME


def test_so_does_the_shell(bob, codes, capsys):
    call_command("reset_second_factor", "bob", "--json")
    assert capsys.readouterr().out.strip() == '{"account": "bob", "reset": true}'
    assert not has_second_factor(bob)
    assert Event.objects.get(kind="account.second_factor_reset").actor is None
    with pytest.raises(CommandError, match="no account 'nobody'"):
        call_command("reset_second_factor", "nobody")


def test_letters_that_look_alike_are_in_no_recovery_code(codes):
    assert not set("IO01") & set(second_factor.LETTERS)
    assert all(len(code) == 19 for code in codes)
