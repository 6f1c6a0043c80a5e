"""What a response looks like, whatever it says: counted in its raw Markdown. PURE: standard library alone."""

import re
from collections.abc import Callable

FENCE = re.compile(r"^ {0,3}(```|~~~).*?(?:^ {0,3}\1|\Z)", re.M | re.S)
INLINE = re.compile(r"(?<!`)`[^`\n]+`(?!`)")
POINT = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S", re.M)
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+\S", re.M)
BOLD = re.compile(r"(?<![\w*])\*\*(?=\S)[^\n]+?(?<=\S)\*\*|(?<![\w_])__(?=\S)[^\n]+?(?<=\S)__(?!\w)")
HEDGES = re.compile(
    r"\b(?:perhaps|maybe|might|may|could|possibly|probably|likely|seems?|appears?|generally|usually|often|sometimes|"
    r"somewhat|roughly|arguably|i think|i believe|i am not sure|i'm not sure|it depends|as far as i know|in general)\b",
    re.I,
)
OPENER = re.compile(
    r"\W*(?:great|good|excellent|interesting|wonderful|fantastic|what an? \w+) (?:question|point|idea|choice)\b|"
    r"\W*(?:sure|certainly|absolutely|of course|definitely|gladly|happy to help|i'd be happy|i would be happy)\b",
    re.I,
)
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\U0001f1e6-\U0001f1ff]")

# The name of a field of worker.models.Surface → how many there are in a text.
COUNTS: dict[str, Callable[[str], int]] = {
    "lists": lambda text: len(POINT.findall(text)),
    "headings": lambda text: len(HEADING.findall(text)),
    "bold": lambda text: len(BOLD.findall(text)),
    "hedges": lambda text: len(HEDGES.findall(text)),
    "opener": lambda text: int(bool(OPENER.match(text))),
    "emoji": lambda text: len(EMOJI.findall(text)),
}


def counts(text: str) -> dict[str, int]:
    """Every count of a text; what stands inside code counts as code alone."""
    code: list[str] = FENCE.findall(text)
    rest = FENCE.sub("\n", text)
    inline = INLINE.findall(rest)
    rest = INLINE.sub(" ", rest)
    return {"code": len(code) + len(inline)} | {name: count(rest) for name, count in COUNTS.items()}
