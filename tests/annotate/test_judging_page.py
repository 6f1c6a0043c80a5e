"""What each shape of judgement brings to its page, and what it keeps from raters."""

import json

import pytest

from annotate.models import Assignment, Item, KnownAnswer, Task
from annotate.schema import Category, Criterion, Principle, Schema
from annotate.services.project import change_schema
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from annotate.views.judging_page import criteria, example_of, names_of, page_of, preview_of, scale, shown_key
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db


def page(project, bob, schema, *texts, **fields):
    """The context of Bob's page for an item of these texts."""
    change_schema(project=project, schema=schema)
    make_tasks(project=project, items=[make_item(project, "Which?", *texts, **fields)])
    return page_of(project, lease_next(project=project, user=bob), None, "key")


def test_names_go_by_how_many_are_shown():
    assert names_of(1) == ["Response"]
    assert names_of(2) == ["Left", "Right"]
    assert names_of(4) == ["1", "2", "3", "4"]


def test_the_scale_of_a_pair_has_nine_keys_and_others_have_less_to_say():
    assert [step["value"] for step in scale(Schema(strengths=1))] == [
        "left-2", "tie", "right-2", "both_bad", "cannot_judge",
    ]  # fmt: skip
    assert [step["key"] for step in scale(Schema())] == list("123456789")
    assert [(step["value"], step["key"]) for step in scale(Schema(), 3)] == [("both_bad", "0"), ("cannot_judge", "9")]
    assert [step["value"] for step in scale(Schema(), 1)] == ["cannot_judge"]


def test_of_nine_responses_the_digit_nine_is_the_ninth():
    assert [step["key"] for step in scale(Schema(), 8)] == ["0", "9"]
    assert [step["key"] for step in scale(Schema(), 9)] == ["0", "0"]


def test_lines_of_the_rubric_have_levels_by_their_kind():
    kinds = (
        Criterion(key="a", label="A", low=0, high=2, anchors={0: "bad", 2: "good"}),
        Criterion(key="b", label="B", kind="yes_no", anchors={1: "it is"}),
        Criterion(key="c", label="C", kind="number", low=0, high=100),
    )
    likert, check, number = criteria(Schema(criteria=kinds))
    assert likert["levels"] == [(0, "0", "bad"), (1, "1", ""), (2, "2", "good")]
    assert (likert["words"], number["words"]) == ("0 bad · 2 good", "0 to 100")
    assert check["levels"] == [(1, "yes", "it is"), (0, "no", "")]
    assert number["levels"] == []


@pytest.mark.parametrize(("key", "shown"), [("s", "s"), ("Shift+s", "S"), ("Shift+F2", "Shift+F2"), ("=", "=")])
def test_keys_are_printed_short(key, shown):
    assert shown_key(key) == shown


def test_many_responses_are_shown_at_once_and_hide_where_they_come_from(project, bob):
    context = page(project, bob, Schema(arrangement="all"), *"abcdefgh")
    assert [response["side"] for response in context["responses"]] == list("12345678")
    assert context["across"] == 3
    assert "source" not in json.dumps(context["data"])
    assert "gold" not in json.dumps(context["data"])


def test_one_response_and_none_have_pages_of_their_own(project, bob, client_of):
    context = page(project, bob, Schema(arrangement="single"), "a")
    assert (context["responses"][0]["side"], context["across"]) == ("Response", 1)
    change_schema(project=project, schema=Schema(demonstration=True))
    Task.objects.all().delete()
    make_tasks(project=project, items=[make_item(project, "Write it.")])
    html = client_of(bob).get("/p/answers/judge/", follow=True).content.decode()
    assert "Your own answer" in html
    assert 'class="response"' not in html


def test_steps_reach_the_page_with_their_kinds(project, bob):
    change_schema(project=project, schema=Schema(arrangement="single", steps="each"))
    item = make_item(project, "Which?", "First. Then.")
    steps = [{"start": 0, "end": 6, "kind": "thought"}, {"start": 7, "end": 12, "kind": "call"}]
    item.responses.update(steps=steps)
    make_tasks(project=project, items=[item])
    context = page_of(project, lease_next(project=project, user=bob), None, "key")
    assert context["data"]["responses"][0]["steps"] == steps


def test_only_the_assistants_turns_are_asked_about(project, bob):
    turns = [{"role": role, "content": role} for role in ("user", "assistant", "user")]
    context = page(project, bob, Schema(turns=True), "a", "b", turns=turns)
    assert [turn["asked"] for turn in context["turns"]] == [False, True, False]


def test_everything_that_can_be_asked_stands_on_the_page_and_nothing_is_chosen(project, bob, client_of):
    schema = Schema(
        criteria=(Criterion(key="a", label="Apt", weight=2, rationale=True),),
        principles=(Principle(key="p", label="Honesty"),), safety=(Category(key="h", label="Hate"),),
        rewrite=True, demonstration=True,
    )  # fmt: skip
    page(project, bob, schema, "a", "b")
    html = client_of(bob).get("/p/answers/judge/", follow=True).content.decode()
    for seen in ("Apt", "×2", "why?", "Honesty", "Hate", "Rewrite", "Your own answer", "What decided?"):
        assert seen in html
    assert " checked" not in html.replace("data-checked", "")
    assert " selected" not in html


def test_an_example_shows_its_answer_and_why(project, bob):
    change_schema(project=project, schema=Schema())
    item = make_item(project, "Which?", "a", "b")
    task = Task.objects.create(project=project, item=item, key="k", kind="example", slots=0, open_slots=0)
    task.responses.set(item.responses.all())
    known = KnownAnswer(task=task, answer={"outcome": "tie"}, explanation="*Same*.", title="A tie")
    context = example_of(project, known)
    assert (context["mode"], context["title"]) == ("example", "A tie")
    assert context["data"]["answer"] == {"outcome": "tie"}
    assert "<em>" in context["explanation"]


@pytest.mark.parametrize(("arrangement", "count"), [("single", 1), ("pairs", 2), ("all", 3)])
def test_a_preview_without_items_has_a_sample_and_writes_nothing(project, arrangement, count):
    context = preview_of(project, Schema(arrangement=arrangement, steps="each", turns=True))
    assert len(context["responses"]) == count
    assert context["mode"] == "preview"
    assert context["responses"][0]["steps"]
    assert any(turn["asked"] for turn in context["turns"])
    assert not Item.objects.exists()
    assert not Assignment.objects.exists()


def test_a_preview_of_steps_needs_an_item_in_steps(project):
    make_item(project, "Plain?", "a", "b")
    split = make_item(project, "In steps?", "one two", "b")
    split.responses.update(steps=[{"start": 0, "end": 1, "kind": ""}])
    shown = lambda schema: [turn["html"] for turn in preview_of(project, schema)["turns"]]  # noqa: E731
    assert "Plain" in str(shown(Schema()))
    assert "In steps" in str(shown(Schema(steps="each")))
