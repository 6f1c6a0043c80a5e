"""The house rules that a reader cannot see from one file: who imports whom, and what may never be written."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("annotate", "worker", "inspector", "config")
PURE = (
    "annotate/agreement/**/*.py",
    "annotate/audit.py",
    "annotate/formats/**/*.py",
    "annotate/keys.py",
    "annotate/schema.py",
    "annotate/schema_form.py",
    "annotate/schema_text.py",
    "annotate/tally.py",
    "annotate/text/**/*.py",
    "annotate/world/**/*.py",
    "inspector/heatmap/paint.py",
    "inspector/stats/**/*.py",
    "worker/compare.py",
    "worker/explain.py",
    "worker/outgoing.py",
    "worker/rm/**/*.py",
    "worker/surface.py",
    "worker/swaps.py",
)
FRAMEWORKS = {"django", "celery", "channels", "plotly", "django_htmx", "environ"}
# What one room may take of another; a room that is not named here is closed.
OPEN = {
    ("worker", "annotate"): {
        "access",
        "admin",
        "agreement",
        "api",
        "formats",
        "ledger",
        "management",
        "models",
        "schema",
        "services",
        "signed_in",
        "text",
        "world",
    },
    ("inspector", "annotate"): {"access", "agreement", "models", "schema", "services", "tally", "text"},
    ("inspector", "worker"): {"compare", "explain", "models", "services"},
}


WITHOUT_TORCH = ("worker.rm.recipe", "worker.rm.transforms")  # what the web process checks forms by
WITH_TORCH = {("worker", "jobs"), ("worker", "serving")}  # processes of their own, never the web's


def sources(*globs):
    paths = {path for glob in globs for path in ROOT.glob(glob)}
    return sorted(path for path in paths if "migrations" not in path.parts)


@cache
def imports(path):
    """The dotted names of all modules that a file imports, also inside functions; `from a import b` gives a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            module = ".".join([*package, *filter(None, [node.module])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def place(path):
    return str(path.relative_to(ROOT))


EVERY = sources(*(f"{room}/**/*.py" for room in ROOMS))
PURE_FILES = sources(*PURE)


def is_pure(name):
    """Whether the dotted name is a pure file of ours, or something in one."""
    parts = name.split(".")
    tries = [ROOT.joinpath(*parts[:n]) for n in range(1, len(parts) + 1)]
    return any(path.with_suffix(".py") in PURE_FILES or path / "__init__.py" in PURE_FILES for path in tries)


@pytest.mark.parametrize("glob", PURE)
def test_each_pure_part_exists(glob):
    assert sources(glob)


@pytest.mark.parametrize("path", PURE_FILES, ids=place)
def test_pure_files_import_no_framework_and_nothing_impure(path):
    names = imports(path)
    assert not {name for name in names if name.split(".")[0] in FRAMEWORKS}
    assert not {name for name in names if name.split(".")[0] in ROOMS and not is_pure(name)}


@pytest.mark.parametrize("path", EVERY, ids=place)
def test_imports_go_one_way(path):
    room = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        to, _, rest = name.partition(".")
        if room != "config" and to in ROOMS and to != room:
            part = rest.split(".")[0]
            assert part in OPEN.get((room, to), ()), f"{place(path)} imports {name}"


def test_reward_models_are_reached_from_jobs_alone_and_reach_nothing():
    for path in EVERY:
        inside = path.is_relative_to(ROOT / "worker" / "rm")
        if not inside and path.relative_to(ROOT).parts[:2] not in WITH_TORCH:
            found = {n for n in imports(path) if n.startswith("worker.rm")}
            assert all(n.startswith(WITHOUT_TORCH) for n in found), place(path)
        if inside:
            ours = {n for n in imports(path) if n.split(".")[0] in ROOMS}
            assert all(name.startswith("worker.rm") for name in ours), place(path)


def test_only_figures_import_plotly():
    importers = [place(p) for p in EVERY if {n for n in imports(p) if n.split(".")[0] == "plotly"}]
    assert "inspector/figures.py" in importers
    assert all(re.fullmatch(r"inspector/(\w+/)?figures\.py", one) for one in importers)


# VmHWM and not ru_maxrss: the latter starts from the size of the process that launched this one.
WEB = """
import re, sys
from pathlib import Path
from config.asgi import application
from django.test import Client
from django.urls import get_resolver
list(get_resolver().reverse_dict)
browser = Client(SERVER_NAME="localhost")
assert browser.get("/login/").status_code == 200
assert browser.get("/nowhere/").status_code == 404
heavy = {"torch", "transformers", "peft", "scipy", "plotly"} & set(sys.modules)
kilobytes = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(sorted(heavy), int(kilobytes) // 1024)
"""


def test_the_web_process_stays_light():
    done = subprocess.run([sys.executable, "-c", WEB], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy, megabytes = done.stdout.strip().rsplit(" ", 1)
    assert heavy == "[]"
    assert int(megabytes) < 150


def found(pattern, paths):
    return [f"{place(path)}: {hit}" for path in paths for hit in re.findall(pattern, path.read_text())]


TEMPLATES = sources("templates/**/*.html")
SCRIPTS = sources("static/js/**/*.js")


def test_only_the_text_package_calls_a_string_markup():
    python = [path for path in EVERY if place(path) != "annotate/text/__init__.py"]
    assert not found(r"mark_safe|SafeString|def __html__", python)
    assert not found(r"\|\s*safe\b|\|\s*safeseq\b|autoescape\s+off", TEMPLATES)


def test_templates_hold_no_script_and_no_handlers():
    assert not found(r"<script(?![^>]*\bsrc=)[^>]*>", TEMPLATES)
    assert not found(r"\son[a-z]+\s*=\s*[\"']|\bhx-on\b|javascript:|[\"']js:", TEMPLATES)


def test_no_file_of_another_can_run_code_here():
    assert not found(
        r"\bimport pickle|\bpickle\.|torch\.load\(|\bjoblib\b|\bnp\.load\(|(?<![.\w])eval\(|(?<![.\w])exec\("
        r"|\bimport (?:marshal|shelve|dill|cloudpickle)\b|yaml\.load\(|shell=True|os\.system\(",
        EVERY,
    )
    code_of_models = [place(path) for path in EVERY if "trust_remote_code=True," in path.read_text()]
    assert code_of_models == ["worker/rm/export.py"]  # of the folder that it has just written


def test_no_door_is_left_without_its_lock():
    assert not found(r"csrf_exempt|CSRF_COOKIE_HTTPONLY = False|verify=False|CERT_NONE", EVERY)


def test_what_bandit_is_told_to_overlook_is_named():
    assert not found(r"nosec(?! B\d{3})", EVERY)


def test_scripts_build_no_markup_from_data():
    assert not found(r"\.(?:inner|outer)HTML\s*\+?=|insertAdjacentHTML|document\.write|\beval\(|new Function", SCRIPTS)


def test_no_script_is_long():
    long = {place(path): len(path.read_text().splitlines()) for path in SCRIPTS}
    assert {path: lines for path, lines in long.items() if lines > 150} == {}
