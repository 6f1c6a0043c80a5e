"""The pure parts of saving, run in a browser: bringing two answers together, and the history of undo."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
STATIC = Path(__file__).resolve().parents[2] / "static"
ORIGIN = "http://touchstone.test/"
PAGE = """<!doctype html><html lang="en"><title>merge</title><script type="module" src="/js/page.js"></script></html>"""
SCRIPT = """import { merge } from "/js/judge_merge.js";
import { History, parts } from "/js/judge_history.js";
import { named } from "/js/judge_conflict.js";
Object.assign(window, { merge, History, parts, named });
document.documentElement.dataset.ready = "";"""
TIE = {"outcome": "tie", "ranking": [], "strength": None, "reason": ""}
LEFT = {"outcome": "ranking", "ranking": [[1], [2]], "strength": 2, "reason": ""}
MARK = {"response": 1, "start": 0, "end": 3, "quote": "The", "category": "wrong", "severity": None, "note": ""}
OTHER = MARK | {"start": 4, "end": 9, "quote": "tower"}
MISSING = {"response": 1, "at": 3, "note": "the river", "severity": None}
# name: (base, mine, theirs, what comes of it, paths of the conflicts)
CASES = {
    "only mine": ({}, TIE, {}, TIE, []),
    "only theirs": ({}, {}, TIE, TIE, []),
    "the same on both sides": ({}, TIE, TIE, TIE, []),
    "a verdict is one thing": ({}, TIE, LEFT, TIE, ["verdict"]),
    "mine back to where it was": (TIE, TIE, LEFT, LEFT, []),
    "two fields": ({"rationale": ""}, {"rationale": "so"}, TIE | {"rationale": ""}, TIE | {"rationale": "so"}, []),
    "one text twice": ({"rationale": ""}, {"rationale": "so"}, {"rationale": "no"}, {"rationale": "so"}, ["rationale"]),
    "ratings by criterion": (
        {"ratings": {"1": {"a": 1}}},
        {"ratings": {"1": {"a": 2}}},
        {"ratings": {"1": {"a": 1, "b": 3}, "2": {"a": 4}}},
        {"ratings": {"1": {"a": 2, "b": 3}, "2": {"a": 4}}},
        [],
    ),
    "one rating twice": (
        {},
        {"ratings": {"1": {"a": 2}}},
        {"ratings": {"1": {"a": 5}}},
        {"ratings": {"1": {"a": 2}}},
        ["ratings 1 a"],
    ),
    "a rating taken back": (
        {"safety": {"1": {"x": 1}}},
        {"safety": {"1": {}}},
        {"safety": {"1": {"x": 1}}},
        {"safety": {"1": {}}},
        [],
    ),
    "marks are united": ({}, {"spans": [MARK]}, {"spans": [OTHER]}, {"spans": [MARK, OTHER]}, []),
    "one mark on both sides": ({}, {"spans": [MARK]}, {"spans": [MARK]}, {"spans": [MARK]}, []),
    "a mark removed": ({"spans": [MARK, OTHER]}, {"spans": [OTHER]}, {"spans": [MARK, OTHER]}, {"spans": [OTHER]}, []),
    "two details of a mark": (
        {"spans": [MARK]},
        {"spans": [MARK | {"note": "why"}]},
        {"spans": [MARK | {"severity": 3}]},
        {"spans": [MARK | {"note": "why", "severity": 3}]},
        [],
    ),
    "one note twice": (
        {"spans": [MARK]},
        {"spans": [MARK | {"note": "a"}]},
        {"spans": [MARK | {"note": "b"}]},
        {"spans": [MARK | {"note": "a"}]},
        ["spans 1 0 3 wrong 1 note"],
    ),
    "removed here and changed there": (
        {"spans": [MARK, OTHER]},
        {"spans": [OTHER]},
        {"spans": [MARK | {"note": "b"}, OTHER]},
        {"spans": [OTHER]},
        ["spans 1 0 3 wrong 1"],
    ),
    "omissions by place": (
        {},
        {"omissions": [MISSING]},
        {"omissions": [MISSING | {"at": 9}]},
        {"omissions": [MISSING, MISSING | {"at": 9}]},
        [],
    ),
    "steps one by one": (
        {"steps": {"1": [None, None, None]}},
        {"steps": {"1": [1, None, None]}},
        {"steps": {"1": [None, None, -1]}},
        {"steps": {"1": [1, None, -1]}},
        [],
    ),
    "principles are one list": (
        {},
        {"principles": ["a"]},
        {"principles": ["b"]},
        {"principles": ["a"]},
        ["principles"],
    ),
    "checked on both sides": ({}, {"checked": [1]}, {"checked": [2]}, {"checked": [1, 2]}, []),
    "hashes are of the page": ({}, {"schema_version": 2}, {"schema_version": 1}, {"schema_version": 2}, []),
}


@pytest.fixture(scope="module")
def pure(chromium):
    """A page with the two modules as globals."""
    page, bodies = chromium.new_page(), {"": PAGE, "js/page.js": SCRIPT}

    def serve(route):
        path = route.request.url.removeprefix(ORIGIN)
        kind = "text/javascript" if path else "text/html"
        route.fulfill(body=bodies.get(path) or (STATIC / path).read_text(), content_type=f"{kind}; charset=utf-8")

    page.route("**/*", serve)
    page.goto(ORIGIN)
    page.wait_for_selector("[data-ready]", state="attached")
    yield page
    page.close()


def merged(page, base, mine, theirs, choices=()):
    return page.evaluate("([b, m, t, c]) => merge(b, m, t, c)", [base, mine, theirs, list(choices)])


def told(value):
    """Without what is empty: the merge may leave a field out or give it empty."""
    return {key: one for key, one in value.items() if one not in (None, "", [], {})}


@pytest.mark.parametrize("name", CASES)
def test_two_answers_come_together(pure, name):
    base, mine, theirs, expected, conflicts = CASES[name]
    result = merged(pure, base, mine, theirs)
    assert told(result["answer"]) == told(expected)
    assert [" ".join(one["path"]) for one in result["conflicts"]] == conflicts


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case[4]])
def test_without_a_conflict_it_does_not_matter_who_asks(pure, name):
    base, mine, theirs, _, _ = CASES[name]
    one, other = merged(pure, base, mine, theirs)["answer"], merged(pure, base, theirs, mine)["answer"]
    one.pop("schema_version", None), other.pop("schema_version", None)
    by_place = lambda marks: sorted(marks or [], key=str)  # noqa: E731
    for field in ("spans", "omissions"):
        assert by_place(one.pop(field, None)) == by_place(other.pop(field, None))
    assert told(one) == told(other)


def test_each_choice_settles_its_own_conflict(pure):
    base = {"rationale": "", "spans": [MARK]}
    mine = {"rationale": "so", "spans": []}
    theirs = {"rationale": "no", "spans": [MARK | {"note": "b"}]}
    result = merged(pure, base, mine, theirs, ["theirs", "mine"])
    assert (result["answer"]["rationale"], result["answer"]["spans"]) == ("no", [])
    result = merged(pure, base, mine, theirs, ["mine", "theirs"])
    assert (result["answer"]["rationale"], result["answer"]["spans"]) == ("so", [MARK | {"note": "b"}])


def test_marks_of_one_side_stay_where_the_other_said_nothing_to_mark(pure):
    result = merged(pure, {}, {"checked": [1, 2]}, {"spans": [MARK]})
    assert (result["answer"]["checked"], result["answer"]["spans"]) == ([2], [MARK])
    assert result["unchecked"] == [1]


def test_no_input_is_changed_by_merging(pure):
    script = "(s) => { const old = JSON.stringify(s); merge(...s, ['theirs']); return old === JSON.stringify(s) }"
    assert pure.evaluate(script, [{"spans": [MARK]}, {"spans": []}, {"spans": [MARK | {"note": "x"}]}])


def history(page, *acts):
    """Runs notes [answer, at], "undo" and "redo" on a new history; what each gave."""
    script = """(acts) => { const h = new History({}); return acts.map((act) =>
      typeof act === "string" ? h[act]() : (h.note(...act), h.now)) }"""
    return page.evaluate(script, list(acts))


def test_every_kind_of_edit_is_undone_and_done_again(pure):
    one, two = {"checked": [1]}, {"checked": [1], "outcome": "tie"}
    assert history(pure, [one, 0], [two, 1], "undo", "undo", "undo", "redo", "redo", "redo")[2:] == [
        one,
        {},
        None,
        one,
        two,
        None,
    ]


def test_letters_without_a_pause_are_undone_together_and_with_one_apart(pure):
    words = [{"rationale": text} for text in ("a", "ab", "abc", "abc d")]
    notes = [[answer, at] for answer, at in zip(words, (0, 300, 600, 3000), strict=True)]
    assert history(pure, *notes, "undo", "undo")[4:] == [words[2], {}]


def test_two_fields_are_never_undone_together(pure):
    one, two = {"rationale": "a"}, {"rationale": "a", "reason": "b"}
    assert history(pure, [one, 0], [two, 1], "undo")[2] == one


def test_an_edit_after_undo_ends_what_could_be_done_again(pure):
    one, two = {"outcome": "tie"}, {"outcome": "both_bad"}
    assert history(pure, [one, 0], "undo", [two, 1], "redo", "undo")[3:] == [None, {}]


def test_the_same_answer_again_is_no_edit(pure):
    one = {"outcome": "tie"}
    assert history(pure, [one, 0], [{**one}, 5], "undo", "undo")[2:] == [{}, None]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({}, LEFT, "verdict"),
        (LEFT, LEFT | {"strength": 3}, "verdict"),
        ({"spans": [MARK], "checked": []}, {"spans": [], "checked": []}, "mark"),
        ({"ratings": {"1": {"a": 1}}}, {"ratings": {"1": {"a": 2}}, "rationale": "so"}, "rating, rationale"),
        (TIE, dict(reversed(TIE.items())), ""),
    ],
)
def test_what_was_undone_has_words(pure, before, after, words):
    assert pure.evaluate("([before, after]) => named(parts(before, after))", [before, after]) == words
