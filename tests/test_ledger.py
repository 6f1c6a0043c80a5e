"""Every act leaves an event that says who did it, and every kind of event can be read. Found from the code itself."""

import ast
from functools import cache
from pathlib import Path

import pytest

from annotate.audit import SAID

ROOT = Path(__file__).resolve().parents[1]
SERVICES = sorted(path for room in ("annotate", "worker") for path in (ROOT / room / "services").glob("*.py"))
CALLERS = sorted(
    path
    for room in ("annotate", "worker", "inspector")
    for folder in ("views", "api")
    for path in (ROOT / room / folder).rglob("*.py")
)
# Keyword-only functions that write nothing anybody would ask about, and why.
PART = "part of an erasure, which is an act"
NO_ACT = {
    "become_nobody": PART,
    "begin": "a second factor asks for nothing until a code was given",
    "beat": "a worker says that it lives",
    "count_some": "derived from judgements",
    "count_waiting": "derived from judgements",
    "counting": "finds a job that counts",
    "expire_leases": "time passed; who was given the task, and when it was answered, is there",
    "export_chunks": "reads",
    "export_rows": "reads",
    "fit": "derived from judgements",
    "give_back": "part of signing in, which is told",
    "heartbeat": "the page is open",
    "keep_all": "derived from scores",
    "drop_name": PART,
    "keep_columns": "part of an import or a score job, which are acts",
    "leave": "a worker says that it ends",
    "leave_all": PART,
    "mark_used": "when a token was used last",
    "note_withdrawals": "derived from withdrawals, which are acts",
    "open_hashes": "reads",
    "put_back": "part of ordering and of stopping, which are acts",
    "read_answers": "notes on the task itself who has read its answers",
    "remove_judgements": PART,
    "rename_rater": PART,
    "recount": "derived from judgements",
    "refresh": "derived from judgements",
    "release": "part of a skip, a removal or a lapse",
    "save_draft": "an answer on its way, several a minute",
    "scored_by": "reads",
    "set_overlap": "part of changed settings",
    "shorten_leases": "a clock was set back; as expire_leases",
    "survey_file": "reads",
}
# What nobody does: the site does it by itself.
NOBODY = {
    "account.sign_in_failed": "nobody was let in",
    "judgement.stored": "part of an import, which has an actor",
    "round.*": "a round ends when its jobs do",
    "selection.ordered": "by a job, whose launch has an actor",
    "task.made": "by an import or a change of the schema, which have an actor",
    "user.created": "the demo's raters",
    "world.written": "the demo",
}


@cache
def functions(paths):
    """(path, node) of every function at the top of these files."""
    return [
        (path, node)
        for path in paths
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]


def called(node):
    return {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in calls(node)}


def calls(node):
    return [one for one in ast.walk(node) if isinstance(one, ast.Call)]


def is_write(node):
    """The house convention: what writes takes its arguments by name."""
    return isinstance(node, ast.FunctionDef) and node.args.kwonlyargs and not node.args.args and node.name[0] != "_"


@cache
def leaving():
    """Names of the functions that leave an event, themselves or through another."""
    found, by_name = {"record"}, {}
    for _, node in functions(tuple(SERVICES)):
        by_name.setdefault(node.name, set()).update(called(node))
    while more := {name for name, inside in by_name.items() if inside & found} - found:
        found |= more
    return found


@pytest.mark.parametrize(
    "name", sorted({node.name for _, node in functions(tuple(SERVICES)) if is_write(node) and node.name != "record"})
)
def test_every_write_leaves_an_event(name):
    assert (name in leaving()) != (name in NO_ACT), f"{name}: call record(), or say in NO_ACT why not"


def constants(path):
    """Names of words that a file or one it imports from says at its top."""
    tree = ast.parse(path.read_text())
    pairs = [(node.targets[0], node.value) for node in tree.body if isinstance(node, ast.Assign)]
    found = {}
    for target, value in pairs:
        names, values = (target.elts, value.elts) if isinstance(target, ast.Tuple) else ([target], [value])
        found |= {n.id: v.value for n, v in zip(names, values, strict=True) if isinstance(v, ast.Constant)}
    return found


def kinds(value, path):
    """Every kind that this expression can be; an open part is a star."""
    if isinstance(value, ast.Constant):
        return {value.value}
    if isinstance(value, ast.IfExp):
        return kinds(value.body, path) | kinds(value.orelse, path)
    if isinstance(value, ast.JoinedStr):
        return {"".join(part.value if isinstance(part, ast.Constant) else "*" for part in value.values)}
    return {constants(path)[value.id]}


def recorded():
    """(path, kinds, names of the arguments) of every call of record() in the code."""
    paths = [path for room in ("annotate", "worker", "inspector", "config") for path in (ROOT / room).rglob("*.py")]
    for path in sorted(paths):
        if "annotate.services.event import record" in (text := path.read_text()):
            for call in calls(ast.parse(text)):
                words = {word.arg: word.value for word in call.keywords}
                if getattr(call.func, "id", "") == "record" and "kind" in words:
                    yield path, kinds(words["kind"], path), set(words)


def test_every_event_says_who_unless_nobody_did_it():
    without = {kind for _, found, words in recorded() if "actor" not in words for kind in found}
    assert without <= set(NOBODY)


def test_every_kind_has_words_and_every_word_a_kind():
    every = {kind for _, found, _ in recorded() for kind in found}
    opened = tuple(kind.removesuffix("*") for kind in every if kind.endswith("*"))
    assert {kind for kind in every if not kind.endswith("*")} <= set(SAID)
    assert {kind for kind in SAID if kind not in every and not kind.startswith((*opened, "account."))} == set()
    assert all(any(kind.startswith(start) for kind in SAID) for start in opened)


def test_every_view_says_who_asked():
    """A service that takes an actor is given one wherever a person's request leads to it."""
    taking = {
        node.name
        for _, node in functions(tuple(SERVICES))
        if isinstance(node, ast.FunctionDef) and "actor" in {one.arg for one in node.args.kwonlyargs}
    }
    silent = []
    for path in CALLERS:
        ours, tree = from_services(path), ast.parse(path.read_text())
        for call in calls(tree):
            whole = ast.unparse(call.func)
            names = {word.arg for word in call.keywords}
            if whole.split(".")[0] in ours and whole.split(".")[-1] in taking and not names & {"actor", "user", None}:
                silent.append(
                    f"{path.relative_to(ROOT)}:{call.lineno} {whole}"
                )  # user: it is about themselves; None: **sent
    assert silent == []


def from_services(path):
    """Names that a file takes from services: functions, or modules of them."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return {one.asname or one.name for node in nodes if ".services" in f".{node.module}" for one in node.names}
