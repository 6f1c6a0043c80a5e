"""Swaps change the surface alone, and leave alone what they have nothing to do with."""

import pytest

from worker.surface import counts
from worker.swaps import PADDING, PRAISE, SWAPS, padded, plain, praised, shorter

MARKDOWN = """# Rivers

**The Oder** ends in the *Baltic* Sea, see [the map](https://example.org/a_b):

- first `go(north)`
2. then wait

> He said so.

```py
go(**there)
```
"""


def test_markdown_goes_and_words_stay():
    found = plain(MARKDOWN)
    assert found.split() == (
        "Rivers The Oder ends in the Baltic Sea, see the map: first go(north) then wait He said so. go(**there)".split()
    )
    assert plain("2 * 3 * 4 = 24 and snake_case") == "2 * 3 * 4 = 24 and snake_case"


def test_stripped_text_has_no_surface_left():
    assert sum(counts(plain(MARKDOWN.replace("**there", "there"))).values()) == 0


def test_one_sentence_goes_always_the_same():
    text = "One is here. Two is there! Is three gone?"
    found = shorter(text)
    assert found in ("One is here. Two is there!", "One is here. Is three gone?", "Two is there! Is three gone?")
    assert shorter(text) == found


@pytest.mark.parametrize("text", ["", "  \n", "One only.", "no stop at all"])
def test_what_cannot_be_shortened_stays(text):
    assert shorter(text) == text


def test_praise_and_padding_are_added_to_what_is_there():
    assert praised("It ends there.") == PRAISE + "It ends there."
    assert praised("Great question! It ends.") == "Great question! It ends."
    assert padded("It ends there.\n") == "It ends there." + PADDING
    assert praised(" ") == padded(" ") == " "


@pytest.mark.parametrize("name", SWAPS)
@pytest.mark.parametrize(
    "text", ["*" * 20_000, "`" * 20_001, "." * 20_000, "[" * 20_000, "a. " * 7_000, "_ __" * 5_000]
)
def test_hostile_texts_are_changed_or_left(name, text):
    assert isinstance(SWAPS[name].change(text), str)
