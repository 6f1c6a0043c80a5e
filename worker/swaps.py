"""Changes of a response's surface that leave what it says alone, or nearly: how much does the score move? PURE.

Each swap takes a raw text and gives the changed one; where there is nothing to change it gives the same text back.
Attribute swaps as probes of reward models: arXiv 2411.16502 (counterfactual explanations), here without a model.
"""

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from worker.surface import FENCE, HEADING, OPENER

PRAISE = "Great question! "
PADDING = (
    " I hope that this is helpful. There is of course a great deal more that could be said about it, and there are"
    " many ways of looking at it. Please let me know if there is anything else that you would like to know."
)
SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?。！？]+[\"'”’)]*|\n|$)\s*")


class Swap(NamedTuple):
    label: str
    change: Callable[[str], str]


def plain(text: str) -> str:
    """Without Markdown: its marks go, its words stay, code as well."""
    text = FENCE.sub(lambda found: "\n".join(found[0].split("\n")[1:]).rstrip("`~ \n"), text)
    text = HEADING.sub(lambda found: found[0].lstrip("# \t"), text)
    text = re.sub(r"^([ \t]*)(?:[-*+•]|\d{1,3}[.)])[ \t]+(?=\S)", r"\1", text, flags=re.M)
    text = re.sub(r"^[ \t]*>[ \t]?", "", text, flags=re.M)
    text = re.sub(r"!?\[([^\[\]\n]*)\]\([^)\n]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__)(?=\S)([^\n]+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])", r"\1", text)
    return re.sub(r"(?<!`)`([^`\n]+)`(?!`)", r"\1", text)


def shorter(text: str) -> str:
    """Without one of its sentences, drawn by the text's own hash; a text of one sentence stays."""
    found = [one for one in SENTENCE.finditer(text) if one[0].strip()]
    if len(found) < 2:
        return text
    gone = found[int(hashlib.sha256(text.encode()).hexdigest(), 16) % len(found)]
    return (text[: gone.start()] + text[gone.end() :]).strip()


def praised(text: str) -> str:
    """With praise of the question in front, unless it opens with some."""
    return text if OPENER.match(text) or not text.strip() else PRAISE + text


def padded(text: str) -> str:
    """With sentences at its end that say nothing."""
    return text.rstrip() + PADDING if text.strip() else text


SWAPS = {
    "plain": Swap("Markdown stripped", plain),
    "shorter": Swap("one sentence removed", shorter),
    "praise": Swap("praise of the question in front", praised),
    "padding": Swap("empty sentences at the end", padded),
}
