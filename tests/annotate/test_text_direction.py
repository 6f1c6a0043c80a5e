"""Which way blocks are read: Hebrew, Arabic and their kin from right to left, code never."""

import re

import pytest

from annotate.text import render


def ways(raw):
    """[(tag, direction)] of the blocks that say one."""
    return re.findall(r'<(\w+)[^>]* dir="(\w+)"', str(render(raw)))


def test_a_text_with_one_way_says_nothing_of_directions():
    assert ways("# One\n\n- two\n\n| 三 | d |\n|-|-|\n| 1 | 2 |\n\n```\nx\n```") == []


@pytest.mark.parametrize("word", ["שלום", "مرحبا", "ﷺ", "ߒ", "𞤀"])
def test_a_block_is_read_the_way_of_its_first_letter(word):
    assert ways(f"{word} abc\n\nabc {word}\n\n# 1. **{word}**") == [("p", "rtl"), ("p", "ltr"), ("h3", "rtl")]
    assert ways(f"&nbsp;{word}") == [("p", "rtl")]


def test_lists_quotes_and_tables_turn_with_what_they_hold_and_code_never_does():
    assert ways("- שלום\n- two") == [("ul", "rtl"), ("li", "rtl"), ("li", "ltr")]
    assert ways("> שלום") == [("blockquote", "rtl"), ("p", "rtl")]
    cells = [("div", "rtl"), ("th", "rtl"), ("th", "ltr"), ("td", "ltr")]
    assert ways("| א | b |\n|-|-|\n| c | 2 |") == cells
    assert ways("```\nשלום\n```") == [("pre", "ltr")]
    assert ways("<div>\nשלום") == [("pre", "ltr")]
