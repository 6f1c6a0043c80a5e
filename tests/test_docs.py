"""What the README promises is there, and what is there is in the README."""

import json
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.benchmarks.__main__ import KEPT, PAGE, beside, row

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "config" / "settings.py").read_text()
VARIABLES = sorted(set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", SETTINGS)))
TARGETS = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("name", VARIABLES)
def test_each_setting_is_explained(name):
    assert f"`{name}`" in README
    assert re.search(rf"^#{name}=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_the_example_names_no_setting_that_is_not_read():
    named = re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(named) == VARIABLES


@pytest.mark.parametrize("name", TARGETS)
def test_each_make_target_is_explained(name):
    assert f"`make {name}`" in README


def test_each_command_in_the_readme_exists():
    assert set(re.findall(r"manage\.py ([a-z_]+)", README)) <= set(get_commands())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_the_documents_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_page_of_benchmarks_says_all_that_was_measured_and_the_memory_beside_it():
    lines, page = [json.loads(text) for text in KEPT.read_text().splitlines()], PAGE.read_text()
    assert not [line["name"] for line in lines if row(line) not in page]
    measured = next(line for line in lines if "loss_difference" in line)
    assert f"{measured['memory_mb']:,} / {measured['peer_memory_mb']:,} MB; losses" in page
    assert beside({"memory_mb": 1, "difference": 0.015, "reward_sd": 0.96, "flipped": 0.004}) == (
        "1 MB; scores at most 0.015 apart, sd 0.96; 0.4% of pairs turn"
    )
