"""The pages of webhooks: added with a secret that is shown once, tested, switched, removed, sent again."""

import re

import pytest

from worker.models import Delivery, Webhook
from worker.services.webhook import create_webhook, secret_of

URL = "/p/answers/webhooks/"
ASKED = {"url": "https://example.org/hook", "kinds": ["judgement.submitted", "job.done"]}


@pytest.fixture
def browser(client_of, alice, project):
    return client_of(alice)


@pytest.fixture
def hook(project, alice):
    return create_webhook(project=project, actor=alice, **ASKED)[0]


@pytest.fixture
def own(hook):
    return f"{URL}{hook.pk}/"


def shown(response):
    found = re.search(r'id="secret"[^>]*value="(whsec_[^"]+)"', response.content.decode())
    return found and found[1]


def test_a_new_webhook_shows_its_secret_once_and_is_pinged(browser, project):
    assert "No webhook yet" in browser.get(URL).content.decode()
    made = browser.post(f"{URL}create/", ASKED)
    hook = Webhook.objects.get()
    assert shown(made) == secret_of(hook)
    assert hook.kinds == ASKED["kinds"]
    assert hook.deliveries.get().kind == "ping"
    for url in (URL, f"{URL}{hook.pk}/"):
        page = browser.get(url)
        assert shown(page) is None
        assert "a judgement was made" in page.content.decode()


def test_nothing_is_chosen_beforehand(browser):
    assert "checked" not in browser.get(URL).content.decode()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"url": "http://example.org/"}, "must begin with https://"),
        ({"url": "https://127.0.0.1/"}, "not public"),
        ({"url": "https://example.org:22/"}, "Only ports"),
        ({"url": ""}, "required"),
        ({"kinds": []}, "Choose what it is told"),
        ({"kinds": ["user.created"]}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(browser, changed, told):
    answer = browser.post(f"{URL}create/", ASKED | changed)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Webhook.objects.exists()


def test_a_test_is_sent_and_listed(browser, hook, own):
    assert browser.post(f"{own}ping/").status_code == 302
    page = browser.get(own).content.decode()
    assert page.count(">waiting<") + page.count(">Waiting<") == 2
    assert "every 2s" in page  # until it is known what became of it


def test_what_became_of_a_message_is_shown_and_it_can_be_sent_again(browser, hook, own):
    Delivery.objects.update(state="failed", next_at=None, attempts=14, status=503, error="The answer was 503.")
    page = browser.get(own).content.decode()
    assert "The answer was 503." in page
    assert "every 2s" not in page
    one = hook.deliveries.get()
    assert browser.post(f"/p/answers/deliveries/{one.pk}/again/").status_code == 302
    one.refresh_from_db()
    assert (one.state, one.attempts) == ("waiting", 0)


def test_the_list_of_messages_refreshes_alone(browser, own):
    fragment = browser.get(own, headers={"HX-Request": "true"}).content.decode()
    assert fragment.strip().startswith('<div id="deliveries"')
    assert "<h1>" not in fragment


def test_it_is_switched_off_and_on_and_sends_nothing_meanwhile(browser, hook, own):
    browser.post(f"{own}switch/")
    page = browser.get(own).content.decode()
    assert "It is switched off." in page
    assert ">off<" in browser.get(URL).content.decode()
    for path in (f"{own}ping/", f"/p/answers/deliveries/{hook.deliveries.get().pk}/again/"):
        assert "switch it on first" in browser.post(path, follow=True).content.decode()
    assert not Delivery.objects.filter(state="waiting").exists()
    browser.post(f"{own}switch/", {"on": ""})
    assert "It is switched off." not in browser.get(own).content.decode()


def test_a_failing_one_says_since_when(browser, hook, own):
    Webhook.objects.update(failing_since=hook.created_at)
    assert "Nothing has arrived since" in browser.get(own).content.decode()
    assert ">failing<" in browser.get(URL).content.decode()


def test_a_new_secret_is_shown_once(browser, hook, own):
    before = secret_of(hook)
    page = browser.post(f"{own}secret/")
    hook.refresh_from_db()
    assert shown(page) == secret_of(hook) != before
    assert f'hx-get="{own}?page=1"' in page.content.decode()  # and not the address of this answer


def test_removing_takes_its_messages_along(browser, hook, own):
    assert browser.post(f"{own}remove/").status_code == 302
    assert not Webhook.objects.exists()
    assert not Delivery.objects.exists()
    assert browser.get(own).status_code == 404


def test_who_may(client_of, bob, charlie, hook, own, browser):
    acts = ("ping/", "switch/", "secret/", "remove/")
    for user, status in ((charlie, 404), (bob, 403)):
        them = client_of(user)
        assert {them.get(URL).status_code, them.get(own).status_code} == {status}
        assert {them.post(own + act).status_code for act in acts} == {status}
        assert them.post(f"{URL}create/", ASKED).status_code == status
    assert {browser.get(own + act).status_code for act in acts} == {405}
    assert Webhook.objects.count() == 1
