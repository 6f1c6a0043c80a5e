"""The page of access tokens: each person's own."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotate.models import AccessToken, Event
from annotate.models.project import token_hash
from annotate.services.access_token import create_token
from annotate.services.project import create_project
from tests.annotate.test_throttle import clock  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db
URL = reverse("annotate:tokens")
SENT = {"name": "nightly", "scopes": ["see", "research"], "project": "", "days": "30", "password": "bob-pass-phrase"}


def secret_in(response):
    found = re.search(r'value="(ts_[\w-]{43})"', response.content.decode())
    return found and found[1]


def test_a_token_is_shown_once_and_opens_the_api(client_of, client, project, bob):
    browser = client_of(bob)
    made = browser.post(URL, SENT)
    secret, token = secret_in(made), AccessToken.objects.get()
    assert (token.user, token.name, token.scopes, token.project) == (bob, "nightly", ["research", "see"], None)
    assert token.sha256 == token_hash(secret)
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    assert "no-store" in made.headers["Cache-Control"]
    assert secret_in(browser.get(URL)) is None
    answer = client.get("/api/v1/projects/answers", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
    assert b"never" not in browser.get(URL).content.split(b"<tbody>")[1].split(b"</tbody>")[0]


def test_the_page_is_found_from_the_account_and_says_what_to_do_when_empty(client_of, bob):
    browser = client_of(bob)
    assert URL.encode() in browser.get(reverse("annotate:account")).content
    assert b"Make the first one below" in browser.get(URL).content


def test_it_can_be_for_one_project_of_mine_alone(client_of, project, alice, bob):
    other = create_project(slug="other", name="Other", actor=alice)
    browser = client_of(bob)
    assert b"Other" not in browser.get(URL).content
    assert browser.post(URL, SENT | {"project": other.pk}).status_code == 422
    browser.post(URL, SENT | {"project": project.pk})
    assert AccessToken.objects.get().project == project


WRONG = [
    {"name": ""}, {"name": "x" * 121}, {"scopes": []}, {"scopes": ["everything"]},
    {"days": "0"}, {"days": "366"}, {"days": ""}, {"project": "x"}, {"password": ""}, {"password": "alice-pass-phrase"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_cannot_be_is_told_at_its_field_and_makes_nothing(client_of, project, bob, wrong):
    response = client_of(bob).post(URL, SENT | wrong)
    assert (response.status_code, list(response.context["form"].errors)) == (422, list(wrong))
    assert not AccessToken.objects.exists()


def test_the_password_is_guessed_here_as_slowly_as_at_the_door(client_of, project, bob, clock):  # noqa: F811
    browser = client_of(bob)
    found = [browser.post(URL, SENT | {"password": f"guess {n}"}) for n in range(6)]
    assert [response.status_code for response in found] == [422] * 5 + [429]
    assert int(found[-1].headers["Retry-After"]) > 0
    assert browser.post(URL, SENT).status_code == 429
    assert not AccessToken.objects.exists()


def test_revoked_it_opens_nothing_and_stays_in_the_list(client_of, client, project, bob):
    browser = client_of(bob)
    secret = secret_in(browser.post(URL, SENT))
    page = browser.post(reverse("annotate:token_revoke", args=[AccessToken.objects.get().pk]), follow=True)
    assert b"The token opens nothing any more." in page.content
    assert b"revoked" in page.content
    assert client.get("/api/v1/projects", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert Event.objects.filter(kind="token.revoked", actor=bob).count() == 1


def test_another_persons_token_is_neither_listed_nor_revoked(client_of, project, alice, bob):
    token = create_token(user=alice, name="of alice", scopes=["see"], expires_at=None)[0]
    browser = client_of(bob)
    assert b"of alice" not in browser.get(URL).content
    assert browser.post(reverse("annotate:token_revoke", args=[token.pk])).status_code == 404
    assert AccessToken.objects.usable().count() == 1


def test_a_strange_name_is_escaped(client_of, project, bob):
    page = client_of(bob).post(URL, SENT | {"name": "<script>alert(1)</script>"})
    assert b"&lt;script&gt;alert(1)" in page.content
    assert b"<script>alert" not in page.content


def test_more_tokens_cost_no_more_queries(client_of, project, bob, django_assert_num_queries):
    browser = client_of(bob)
    for count in (1, 5):
        for _ in range(count):
            create_token(user=bob, name="x", scopes=["see"], expires_at=None, project=project)
        with django_assert_num_queries(4):  # session, person, tokens with their projects, projects to choose
            browser.get(URL)
