"""Rounds, suites, selection and lineage in the browser. Roles and foreign objects: tests/test_permissions.py."""

import pytest

from annotate.models import Judgement, Role
from annotate.services.project import add_member
from tests.worker.conftest import jsonl
from tests.worker.test_rounds import measured, more, policy, trained  # noqa: F401
from tests.worker.test_suite import REWARD_BENCH, scored
from worker.models import Job, Round, RoundPolicy, Suite, Version
from worker.services import rounds
from worker.services.job import launch
from worker.services.suite import freeze_held_out, import_suite
from worker.services.transform import transform_version
from worker.services.version import promote

HTMX = {"HX-Request": "true"}
P = "/p/answers/"
SENT = {"enabled": "on", "after_judgements": "50", "queue": "cpu", "rule": "better", "tolerance": "0"}


@pytest.fixture
def browser(client_of, alice):
    return client_of(alice)


@pytest.fixture
def researcher(client_of, charlie, project):
    add_member(project=project, user=charlie, role=Role.RESEARCHER)
    return client_of(charlie)


def page_of(browser, url, **more):
    return browser.get(f"{P}{url}", **more).content.decode()


def told(browser, url, data=()):
    """What the page says after the form was sent."""
    return browser.post(f"{P}{url}", dict(data), follow=True).content.decode()


# ---- Rounds


def test_without_a_policy_the_page_says_that_nothing_starts(browser, judged):
    page = page_of(browser, "rounds/")
    assert "Rounds are off" in page
    assert "Make a suite" in page
    assert "None yet." in page


def test_the_policy_is_saved_and_the_page_says_what_it_waits_for(browser, judged):
    trained(judged)
    suite = freeze_held_out(project=judged, name="core")
    sent = SENT | {"suite": suite.pk, "like": judged.versions.get().pk, "every_hours": "24", "on_drift": "on"}
    page = told(browser, "rounds/policy/", sent)
    assert "<strong>0 of 50</strong> new judgements" in page
    assert "not while the judgements are the same" in page
    assert "no version is promoted" in page
    saved = RoundPolicy.objects.get()
    assert (saved.suite, saved.recipe, saved.backbone) == (suite, {"name": "heads"}, "minilm")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"suite": ""}, "Choose the suite"),
        ({"after_judgements": ""}, "Say when"),
        ({"after_judgements": "0"}, "At least 1"),
        ({"after_judgements": "x"}, "whole number"),
        ({"rule": "not_worse"}, "Not worse by how much"),
        ({"rule": "best"}, "Select a valid choice"),
        ({"like": "999"}, "Select a valid choice"),
        ({"tolerance": "0.5"}, "less than or equal to 0.2"),
    ],
)
def test_a_bad_policy_is_named_and_nothing_is_saved(browser, judged, change, words):
    suite = freeze_held_out(project=judged, name="core")
    answer = browser.post(f"{P}rounds/policy/", SENT | {"suite": suite.pk} | change)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not RoundPolicy.objects.exists()


def test_the_suite_of_another_project_cannot_be_chosen(browser, judged, alice):
    from annotate.services.project import create_project

    other = create_project(slug="other", name="Other", actor=alice)
    theirs = import_suite(project=other, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")
    assert browser.post(f"{P}rounds/policy/", SENT | {"suite": theirs.pk}).status_code == 422


def test_a_round_is_run_by_hand_once(browser, policy, judged):  # noqa: F811
    assert "Round 1 has begun" in told(browser, "rounds/run/")
    assert "round 1 is under way" in told(browser, "rounds/run/")
    rows = page_of(browser, "rounds/", headers=HTMX)
    assert "<html" not in rows
    assert 'hx-trigger="every 3s"' in rows
    assert Round.objects.get().job.created_by.username == "alice"


def test_a_decision_is_shown_with_its_numbers(browser, policy, judged):  # noqa: F811
    promote(version=trained(judged))
    more(judged, [99])
    one = rounds.start(project=judged, reason="asked")
    trained(judged, one.job)
    rounds.advance(one)
    measured(one, 0.6, 0.5)
    rounds.advance(one)
    page = page_of(browser, "rounds/")
    assert "Not promoted: the interval holds 0." in page
    assert "against <a" in page
    assert "hx-trigger" not in page


def test_a_researcher_reads_and_changes_nothing(researcher, policy):  # noqa: F811
    page = page_of(researcher, "rounds/")
    assert "40 of" not in page
    assert "Run a round now" not in page
    assert researcher.post(f"{P}rounds/run/").status_code == 403


# ---- Suites


def test_pairs_come_in_from_a_file(browser, project):
    assert "No suite yet" in page_of(browser, "suites/")
    sent = {"name": "core", "format": "reward-bench", "file": jsonl(*REWARD_BENCH)}
    page = told(browser, "suites/import/", sent)
    assert "6 pairs of 6 prompts" in page
    assert "from reward-bench" in page
    assert "Train a version first" in page
    assert "core" in page_of(browser, "suites/")


@pytest.mark.parametrize(
    ("change", "words"),
    [({"file": jsonl({"prompt": "a"})}, "line 1"), ({"format": ""}, "required"), ({"name": ""}, "required")],
)
def test_a_bad_suite_is_named_and_nothing_is_kept(browser, project, change, words):
    sent = {"name": "core", "format": "reward-bench", "file": jsonl(*REWARD_BENCH)} | change
    answer = browser.post(f"{P}suites/import/", sent)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert not Suite.objects.exists()


def test_held_out_pairs_are_frozen_or_it_says_why_not(browser, judged):
    assert "pairs of" in told(browser, "suites/freeze/", {"name": "core"})
    answer = browser.post(f"{P}suites/freeze/", {"name": "core"})
    assert answer.status_code == 422
    assert "already" in answer.content.decode()


def test_versions_are_measured_and_stand_on_the_leaderboard(browser, judged):
    suite = import_suite(project=judged, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")
    version = trained(judged)
    assert "Choose versions below" in page_of(browser, f"suites/{suite.pk}/")
    browser.post(f"{P}suites/{suite.pk}/run/", {"version": ["1", "x", "77"]})
    assert Job.objects.get().params == {"suite": suite.pk, "versions": [version.pk]}
    assert "is measuring" in page_of(browser, f"suites/{suite.pk}/")
    scored(version, suite, 1, 1, 1, 0, 0.5, 0)
    page = page_of(browser, f"suites/{suite.pk}/")
    assert "58.3 %" in page
    assert "83.3 %" in page
    assert "Choose the versions" in told(browser, f"suites/{suite.pk}/run/")


def test_a_suite_is_measured_by_itself_until_it_is_switched_off(browser, judged):
    off = "New versions are measured on it only when asked."
    suite = import_suite(project=judged, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")
    for on, words in (("0", off), ("0", off), ("1", "Every new version is measured on it")):
        assert words in told(browser, f"suites/{suite.pk}/each/", {"on": on})
    assert [event.data["on"] for event in judged.events.filter(kind="suite.each_version").order_by("pk")] == [
        False,
        True,
    ]
    assert "1 or 0" in told(browser, f"suites/{suite.pk}/each/", {"on": "yes"})


# ---- Lineage


def test_lineage_goes_from_versions_to_judgements_and_back(browser, judged):
    trained(judged)
    assert "answers:1" in page_of(browser, "lineage/")
    page = page_of(browser, "versions/1/lineage/")
    assert "Dana" in page
    one = judged.judgements.filter(rater_name="Dana").first()
    assert f"/lineage/judgements/{one.pk}/" in page
    assert "answers:1" in page_of(browser, f"lineage/judgements/{one.pk}/")
    assert "40 judgements" in page_of(browser, "lineage/rater/?who=name:Dana")
    erin = page_of(browser, "versions/1/lineage/?who=name:Erin")
    assert "Judgements of one rater" in erin
    assert erin.count("/lineage/judgements/") == 4


@pytest.mark.parametrize("url", ["lineage/rater/", "lineage/rater/?who=name:nobody", "lineage/rater/?who=user:x"])
def test_a_rater_who_is_not_there_is_not_found(browser, judged, url):
    assert browser.get(f"{P}{url}").status_code == 404


def test_a_withdrawn_rater_marks_the_versions_and_one_click_rebuilds(browser, judged):
    trained(judged)
    assert "Say why" in told(browser, "lineage/withdraw/", {"who": "name:Erin"})
    page = told(browser, "lineage/withdraw/", {"who": "name:Erin", "why": "Asked for it."})
    assert "4 withdrawn" in page
    assert "Asked for it." in page
    version = judged.versions.get()
    assert version.affected == {"withdrawn": 4}
    assert "Rebuild without them" in page_of(browser, "versions/1/lineage/")
    assert "Round 1 rebuilds version 1" in told(browser, "versions/1/rebuild/")
    assert Job.objects.get().params["parent"] == version.pk


def test_undoing_a_withdrawal_takes_the_mark_away(browser, judged):
    trained(judged)
    one = judged.judgements.first()
    page = told(browser, "lineage/withdraw/", {"judgement": one.pk, "why": "A slip."})
    assert "Withdrawn: 1." in page
    event = judged.events.get(kind="judgement.withdrawn")
    assert "1 judgement count" in told(browser, f"lineage/{event.pk}/restore/")
    assert "undone already" in told(browser, f"lineage/{event.pk}/restore/")
    assert judged.versions.get().affected_at is None
    assert not Judgement.objects.exclude(withdrawn_at=None).exists()


def test_rebuilding_what_is_whole_is_refused(browser, judged):
    trained(judged)
    assert "Nothing that this version" in told(browser, "versions/1/rebuild/")
    assert not Round.objects.exists()


def test_what_was_put_together_is_rebuilt_by_its_members(browser, judged):
    parts = [trained(judged).pk, trained(judged).pk]
    mean = trained(judged, launch(project=judged, kind="average", params={"versions": parts}))
    Version.objects.filter(pk=mean.pk).update(file="mean")
    transform_version(version=judged.versions.get(number=3), transforms=[{"name": "clip", "low": 0}])
    told(browser, "lineage/withdraw/", {"who": "name:Erin", "why": "Asked for it."})
    assert "rebuild those" in page_of(browser, "versions/3/lineage/")
    assert "Rebuild without" not in page_of(browser, "versions/3/lineage/")
    for number in (3, 4):
        assert "put together from versions 1, 2: rebuild those" in told(browser, f"versions/{number}/rebuild/")
    assert not Round.objects.exists()


def test_a_rebuild_says_that_transforms_are_to_be_made_again(browser, judged):
    transform_version(version=trained(judged), transforms=[{"name": "clip", "low": 0}])
    told(browser, "lineage/withdraw/", {"who": "name:Erin", "why": "Asked for it."})
    assert "Make its transforms again" in told(browser, "versions/2/rebuild/")


def test_a_rebuilt_version_has_the_old_one_for_a_parent(judged):
    trained(judged)
    middle = trained(judged)
    from worker.services.lineage import note_withdrawals, rebuild

    Judgement.objects.filter(rater_name="Erin").update(withdrawn_at=middle.created_at)
    assert note_withdrawals(project=judged) == 2
    old = judged.versions.get(number=1)
    one = rebuild(version=old, actor=None)
    new = trained(judged, one.job)
    rounds.advance(one)
    new.refresh_from_db()
    assert (one.reason, new.parent) == ("withdrawal", old)
    assert new.affected_at is None


# ---- Selection

POLICY = {"strategy": "margin", "random_share": "0.2", "batch": "10", "each_version": "on"}


def test_without_a_policy_tasks_come_as_they_came_in(browser, judged):
    page = page_of(browser, "selection/")
    assert "Nothing is put in front" in page
    assert "in the order it came in" in page


def test_a_policy_is_saved_and_ordered(browser, judged):
    trained(judged)
    page = told(browser, "selection/policy/", POLICY | {"order": "1"})
    assert "is ordering the tasks" in page
    assert judged.selection_policy.batch == 10
    assert 'hx-trigger="every 3s"' in page_of(browser, "selection/", headers=HTMX)
    assert "being ordered already" in told(browser, "selection/policy/", POLICY | {"order": "1"})


def test_what_is_missing_is_said_when_it_is_ordered(browser, judged):
    assert "no version yet" in told(browser, "selection/policy/", POLICY | {"order": "1"})
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "change", [{"random_share": "0"}, {"random_share": "1.5"}, {"batch": "0"}, {"strategy": "best"}, {"batch": ""}]
)
def test_a_bad_selection_is_refused(browser, judged, change):
    assert browser.post(f"{P}selection/policy/", POLICY | change).status_code == 422
    assert not hasattr(type(judged).objects.get(), "selection_policy")


def test_the_next_tasks_say_why(browser, judged):
    from worker.services.selection import Pick, put_in_front

    told(browser, "selection/policy/", POLICY)
    one, two = judged.tasks.order_by("-pk")[:2]
    picks = [Pick(one.pk, "margin", -0.125, 1.0), Pick(two.pk, "random", None, 0.25)]
    put_in_front(project=judged, picks=picks, version=None)
    worth = {"worth": {str(one.pk): -0.125}, "by_lot": 1, "in_front": 2}
    Job.objects.create(project=judged, kind="select", state="done", params={"version": None}, result=worth)
    page = page_of(browser, "selection/")
    assert "|Δ| = 0.125" in page
    assert "drawn by lot" in page
    assert "0.250" in page
    assert "2 tasks wait in the order" in told(browser, "selection/stop/")


@pytest.mark.parametrize("hours", ["87601", "2147483647", "0", "-1"])
def test_a_schedule_beyond_the_calendar_is_refused(browser, judged, hours):
    suite = freeze_held_out(project=judged, name="core")
    answer = browser.post(f"{P}rounds/policy/", SENT | {"every_hours": hours, "suite": suite.pk})
    assert answer.status_code == 422
    assert not RoundPolicy.objects.exists()
