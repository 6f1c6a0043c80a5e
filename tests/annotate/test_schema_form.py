"""The schema as a form: fields to a schema and back, rows moved, mistakes at their field. Pure."""

import pytest
from pydantic import ValidationError

from annotate.schema import DEFAULT, Category, Criterion, Principle, Schema, SpanRules
from annotate.schema_form import ACT, PRESETS, anchors_of, body_of, edited, errors_of, fields_of, key_of

EVERYTHING = Schema(
    arrangement="all",
    strengths=1,
    partial=True,
    categories=DEFAULT.categories,
    rules=SpanRules(shortest=True, priority=True),
    criteria=(
        Criterion(key="a", label="A", low=0, high=4, anchors={0: "bad", 4: "good: best"}, weight=0.5, rationale=True),
        Criterion(key="b", label="B", kind="yes_no", anchors={1: "it is"}),
        Criterion(key="c", label="C", kind="number", low=-10, high=100),
    ),
    omissions=False,
    rationale="required",
    principles=(Principle(key="honest", label="Honest", description="Says what is.", weight=2),),
    weighing="weighted",
    safety=(Category(key="hate", label="Hate"),),
    steps="first_error",
    turns=True,
    rewrite=True,
    demonstration=True,
)


def read(form):
    return Schema.model_validate(body_of(form))


@pytest.mark.parametrize("schema", [Schema(), EVERYTHING, *(schema for _, schema in PRESETS.values())])
def test_a_schema_becomes_a_form_and_is_read_again(schema):
    assert read(fields_of(schema.model_dump(mode="json"))) == schema


def test_rows_are_added_moved_and_removed():
    form = fields_of(EVERYTHING.model_dump(mode="json"))
    keys = lambda form: [criterion.key for criterion in read(form).criteria]  # noqa: E731
    assert keys(edited(form, "up.criteria.2")) == ["a", "c", "b"]
    assert keys(edited(form, "up.criteria.0")) == ["a", "b", "c"]
    assert keys(edited(form, "down.criteria.0")) == ["b", "a", "c"]
    assert keys(edited(form, "remove.criteria.1")) == ["a", "c"]
    longer = edited(form, "add.criteria") | {"criteria.3.label": "Wholly new"}
    assert keys(longer) == ["a", "b", "c", "wholly-new"]
    assert read(longer).principles == EVERYTHING.principles


def mistakes(form):
    with pytest.raises(ValidationError) as found:
        read(form)
    return errors_of(found.value)


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("criteria.0.label", "", "criteria.0.label"),
        ("criteria.0.key", "Not a Key", "criteria.0.key"),
        ("criteria.0.low", "many", "criteria.0.low"),
        ("criteria.0.anchors", "no level", "criteria.0.anchors"),
        ("criteria.0.high", "-3", "criteria.0"),
        ("criteria.0.weight", "-1", "criteria.0.weight"),
        ("criteria.0.key", "b", ""),
        ("principles.0.weight", "heavy", "principles.0.weight"),
        ("steps", "some", "steps"),
        ("strengths", "2", "strengths"),
    ],
)
def test_a_mistake_is_said_at_its_field(field, value, where):
    form = fields_of(EVERYTHING.model_dump(mode="json")) | {field: value}
    assert list(mistakes(form)) == [where]


def test_lines_are_levels_with_words():
    assert anchors_of("1: useless\n\n 5 – all I needed \nnonsense") == {
        "1": "useless",
        "5": "all I needed",
        "nonsense": "",
    }


@pytest.mark.parametrize(("label", "key"), [("Wrong fact", "wrong-fact"), ("2nd – É!", "nd"), ("42", ""), ("", "")])
def test_a_key_is_made_of_a_label(label, key):
    assert key_of(label) == key


def test_acts_are_an_allow_list():
    assert all(ACT.fullmatch(act) for act in ("add.safety", "up.criteria.0", "remove.principles.12"))
    assert not any(ACT.fullmatch(act) for act in ("add.secrets", "up.criteria", "save", "remove.criteria.-1"))
