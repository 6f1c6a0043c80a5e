"""Items in from a file: all of it or nothing, once."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count

from annotate.models import Event, Item, Judgement, Response, Span, Task
from annotate.models.judgement import Source
from annotate.services.item import import_items
from annotate.services.project import change_schema

NOTHING = {"items": 0, "responses": 0, "judgements": 0, "spans": 0, "skipped": 0}
SPAN = {"response": 1, "start": 0, "end": 1, "quote": "🙂", "category": "tone-deaf", "severity": 3}
VERDICT = {
    "shown": [1, 0],
    "outcome": "ranking",
    "ranking": [[0], [1]],
    "strength": 2,
    "spans": [SPAN],
    "omissions": [{"response": 1, "at": 1, "note": "all of it"}],
    "ratings": {"0": {"helpful": 5}},
    "checked": [0],
    "rationale": "Short.",
    "corrections": {"1": "No."},
    "rater": "dana",
    "weight": 0.5,
}
ROW = {"id": "q1", "prompt": "Why?", "responses": ["So.", "🙂"], "judgements": [VERDICT]}


def plain(number: int) -> dict:
    return {"prompt": f"Question {number}?", "responses": ["a", "b", "c"]}


def told_of(project, *rows, **options):
    data = "\n".join(json.dumps(row) for row in rows).encode()
    return import_items(project=project, file=io.BytesIO(data), format="jsonl", **options)


def counted(told):
    return {name: count for name, count in told.items() if name != "warnings"}


def bring_in(project, *rows, **options):
    return counted(told_of(project, *rows, **options))


def test_an_item_is_written_with_everything_that_came_with_it(project, alice):
    counts = bring_in(project, ROW, actor=alice)
    assert counts == {"items": 1, "responses": 2, "judgements": 1, "spans": 1, "skipped": 0}
    item, judgement = Item.objects.get(), Judgement.objects.get()
    left, right = (response.pk for response in item.responses.all())
    assert (item.external_id, item.prompt, item.split in ("train", "test")) == ("q1", "Why?", True)
    assert (judgement.source, judgement.rater_name, judgement.weight) == (Source.IMPORTED, "dana", 0.5)
    assert (judgement.shown_order, judgement.ranking) == ([right, left], [[left], [right]])
    assert judgement.ratings == {str(left): {"helpful": 5}}
    assert judgement.corrections == {str(right): "No."}
    assert (judgement.checked, judgement.omissions[0]["response"]) == ([left], right)
    assert judgement.texts_sha256["prompt"] == item.prompt_sha256
    span = Span.objects.get()
    assert (span.response_id, span.quote, span.severity) == (right, "🙂", 3)
    assert Event.objects.get(kind="items.imported").data == {"format": "jsonl", **counts}


def test_the_ids_that_a_rater_sees_do_not_tell_the_place_in_the_file(project):
    bring_in(project, *(plain(number) | {"responses": [f"x{number}", f"y{number}"]} for number in range(40)))
    in_file = [one.responses.get(index=0).pk < one.responses.get(index=1).pk for one in Item.objects.all()]
    assert 8 < sum(in_file) < 32


def test_again_adds_nothing(project):
    bring_in(project, ROW, plain(1))
    schemas = project.schema_versions.count()
    assert bring_in(project, ROW, plain(1)) == NOTHING | {"skipped": 2}
    assert project.schema_versions.count() == schemas
    assert Task.objects.count() == 1 + 3


def test_a_known_item_takes_new_labels(project):
    bring_in(project, ROW)
    more = ROW | {"judgements": [VERDICT, VERDICT | {"rater": "eli", "spans": []}]}
    assert bring_in(project, more) == NOTHING | {"judgements": 1, "skipped": 1}


def test_equal_labels_of_nameless_raters_are_all_kept(project):
    tie = {"shown": [0, 1], "outcome": "tie"}
    row = ROW | {"judgements": [tie, tie, tie]}
    assert bring_in(project, row)["judgements"] == 3
    assert bring_in(project, row)["judgements"] == 0


def test_an_item_twice_in_one_file_is_one_item(project):
    assert bring_in(project, plain(1), plain(2), plain(1)) == NOTHING | {"items": 2, "responses": 6, "skipped": 1}


def test_the_same_answers_to_other_passages_are_another_item(project):
    rows = (plain(1) | {"context": [{"title": "", "text": text}]} for text in ("One passage.", "Another."))
    assert bring_in(project, *rows)["items"] == 2


def test_every_pair_becomes_a_task_that_people_still_get(project):
    bring_in(project, ROW, plain(1))
    assert Task.objects.filter(open_slots=project.overlap).count() == 1 + 3


def test_one_response_alone_can_be_judged_in_a_file_but_is_not_served(project):
    alone = {"shown": [1], "outcome": "ranking", "ranking": [[1]], "checked": [1]}
    bring_in(project, ROW | {"judgements": [alone]})
    task = Judgement.objects.get().task
    assert (task.open_slots, task.responses.count()) == (0, 1)


@pytest.mark.parametrize(("arrangement", "asked"), [("pairs", {2}), ("all", {3}), ("single", {1})])
def test_people_are_asked_what_the_schema_arranges_and_nothing_else_of_a_file(project, arrangement, asked):
    change_schema(project=project, schema=project.schema.model_copy(update={"arrangement": arrangement}))
    sets = ([0], [0, 1], [2, 1, 0])
    said = [{"shown": one, "outcome": "ranking", "ranking": [[n] for n in one], "checked": [0]} for one in sets]
    bring_in(project, plain(1) | {"judgements": said})
    shown = Task.objects.annotate(responses_total=Count("responses"))
    assert set(shown.filter(slots__gt=0).values_list("responses_total", flat=True)) == asked
    assert set(shown.filter(slots=0).values_list("responses_total", flat=True)) == {1, 2, 3} - asked


def test_span_categories_that_are_new_join_the_schema(project):
    bring_in(project, ROW)
    assert [c.label for c in project.schema.categories if c.key == "tone-deaf"] == ["Tone deaf"]
    assert Judgement.objects.get().schema_version == 2


def test_criteria_and_the_like_that_are_new_join_the_schema(project):
    said = {"shown": [0, 1], "outcome": "tie", "ratings": {"0": {"charm": 3, "wit": 0, "share": 0.5}}}
    said |= {"rationales": {"0": {"charm": "Smiles."}}, "safety": {"1": {"rude": 2}}, "principles": ["be-kind"]}
    steps = [{"start": 0, "end": 1}]
    row = {"prompt": "Why?", "responses": [{"text": "So.", "steps": steps}, "No."]}
    bring_in(project, row | {"judgements": [said | {"steps": {"0": [1]}}]})
    new = {one.key: (one.kind, one.low, one.high, one.rationale) for one in project.schema.criteria[2:]}
    assert new == {"charm": ("likert", 1, 5, True), "share": ("number", 0, 4, False), "wit": ("likert", 0, 4, False)}
    assert (project.schema.safety[0].key, project.schema.principles[0].label) == ("rude", "Be kind")
    assert (project.schema.steps, project.schema.turns) == ("each", False)


def test_items_that_ask_the_same_are_in_one_split(project):
    bring_in(project, *({"prompt": "Same?", "responses": [f"a{n}", "b"]} for n in range(20)))
    assert Item.objects.values("split").distinct().count() == 1


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ({"prompt": "x", "responses": [1]}, "^line 1202: responses.0: Input should be"),
        (
            {"prompt": "x", "responses": ["a", "b"], "id": "q1"},
            "^line 1202: the id 'q1' stands for another item",
        ),
        (
            ROW | {"id": "q2", "judgements": [VERDICT | {"ratings": {"0": {"Charm!": 3}}}]},
            "^line 1202: ratings: 'Charm!' = 3 is no level of a criterion",
        ),
        (
            ROW | {"id": "q2", "judgements": [VERDICT | {"ratings": {"0": {"helpful": 9}}}]},
            "^line 1202: ratings: Helpfulness goes from 1 to 5",
        ),
    ],
)
def test_a_bad_last_line_of_many_leaves_nothing(project, last, message):
    first = {"prompt": "first", "responses": ["a"], "id": "q1"}
    with pytest.raises(ValueError, match=message):
        bring_in(project, first, *map(plain, range(1200)), last)
    for model in (Item, Response, Task, Judgement, Span):
        assert not model.objects.exists()
    assert project.schema_version.number == 1
    assert not Event.objects.filter(kind="items.imported").exists()


def test_an_id_of_another_item_in_the_project_is_refused(project):
    bring_in(project, ROW)
    with pytest.raises(ValueError, match=r"^line 2: the id 'q1' stands for another item in the project"):
        bring_in(project, plain(1), ROW | {"prompt": "Why not?"})
    assert Item.objects.count() == 1


def test_two_projects_do_not_share_items(project, alice):
    from annotate.services.project import create_project

    bring_in(project, ROW)
    assert bring_in(create_project(slug="other", name="Other"), ROW)["items"] == 1


def test_a_file_without_items_is_refused(project):
    with pytest.raises(ValueError, match="the file holds no items"):
        bring_in(project)


def test_progress_ends_at_the_end(project):
    said = []
    bring_in(project, *map(plain, range(700)), report=lambda *place: said.append(place))
    assert said[-2:] == [("writing items", 500, 700), ("writing items", 700, 700)]
    assert said[0][0] == "reading the file (bytes)"


def test_a_report_that_raises_undoes_all(project):
    def report(stage, done, total):
        if stage == "writing items":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        bring_in(project, ROW, report=report)
    assert not Item.objects.exists()


def test_reading_queries_do_not_grow_with_the_file(project, django_assert_max_num_queries):
    bring_in(project, ROW)
    with django_assert_max_num_queries(60):
        bring_in(project, *(ROW | {"id": f"n{n}", "prompt": f"Why {n}?"} for n in range(200)))


def test_responses_that_tell_their_model_are_counted_with_their_lines(project):
    telling = [{"prompt": f"Who {n}?", "responses": ["I am ChatGPT.", "As an AI, I cannot say."]} for n in range(6)]
    warnings = told_of(project, plain(1), *telling)["warnings"]
    assert warnings == [
        "Responses that name the maker of their model, which raters will see: 6"
        " (line 2, line 3, line 4, line 5, line 6 …).",
        "Responses that say they come from a model (“as an AI”): 6 (line 2, line 3, line 4, line 5, line 6 …).",
    ]
    assert told_of(project, plain(2), telling[0])["warnings"][0].endswith(": 1 (line 2).")


def test_the_command(project, tmp_path, capsys):
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps(ROW))
    call_command("import_items", "answers", str(path), "--format", "jsonl", "--json")
    assert counted(json.loads(capsys.readouterr().out)) == {
        "items": 1,
        "responses": 2,
        "judgements": 1,
        "spans": 1,
        "skipped": 0,
    }
    path.write_text('{"prompt": 1}')
    with pytest.raises(CommandError, match=r"^line 1: turns\.0\.content: Input should be a valid string"):
        call_command("import_items", "answers", str(path), "--format", "jsonl")
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_items", "answers", str(tmp_path / "none"), "--format", "jsonl")


@pytest.mark.data
def test_the_real_file_is_imported_whole_and_once(project, human_data):
    with (human_data / "qa_feedback_dev.json").open("rb") as file:
        counts = counted(import_items(project=project, file=file, format="qa-feedback"))
        assert counts == {"items": 500, "responses": 2000, "judgements": 3000, "spans": 1373, "skipped": 0}
        again = counted(import_items(project=project, file=file, format="qa-feedback"))
    assert again == NOTHING | {"skipped": 500}
    assert all(span.response.text[span.start : span.end] == span.quote for span in Span.objects.select_related())
    assert 60 < Item.objects.filter(split="test").count() < 140
