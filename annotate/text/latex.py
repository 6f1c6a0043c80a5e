"""LaTeX: which stretches of a text are formulas, and formulas → MathML by allow-list. PURE.

The converter's own string output is not well-formed for hostile input (`\\text{<b>}` comes out as it is), so its
element tree is walked here: known elements, known attributes, plain values, escaped text. Anything else is dropped.
"""

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element  # nosec B405  # built by us, nothing is parsed

from latex2mathml.converter import convert_to_element

LONGEST = 4000  # characters; a longer formula is shown as its source
TAGS = frozenset(
    "math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom menclose"
    " msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr".split()
)
ATTRIBUTES = frozenset(
    "display mathvariant displaystyle scriptlevel stretchy fence form separator accent accentunder lspace rspace"
    " linethickness columnalign rowalign columnspacing rowspacing columnlines rowlines width height depth voffset"
    " minsize maxsize notation mathcolor".split()
)
NAMES = {"aligned": "split", "gathered": "matrix"}  # environments the converter knows under another name
BRACKET = re.compile(
    r"(?<![A-Za-z0-9_/])(?P<open>\\[(\[])|(?P<close>\\[\])])(?!\()|\\.|(?P<blank>\n[ \t]*\r?\n)", re.DOTALL
)
CLOSER = {r"\(": r"\)", r"\[": r"\]"}
DOLLAR = re.compile(r"\\.|\$\$|\$|\n[ \t]*\r?\n", re.DOTALL)
AMOUNT = re.compile(r"\d[\d,.–-]*\s+[^\W\d_]{3,}")  # "5 million": a price, whatever closes it
PRICE = "\ue000"  # stands for a dollar that opens no formula, so that the parser sees none
ENVIRONMENT = re.compile(r"\\(begin|end)\{(aligned|gathered)\}")
VALUE = re.compile(r"[\w#.%+\- ]{0,40}", re.ASCII)


@lru_cache(maxsize=4096)
def mathml(latex: str, display: bool = False) -> str | None:
    """MathML of one formula, or None where it cannot be read: the caller then shows the source."""
    if not latex.strip() or len(latex) > LONGEST:
        return None
    try:
        latex = ENVIRONMENT.sub(lambda found: f"\\{found[1]}{{{NAMES[found[2]]}}}", latex)
        tree = convert_to_element(latex, display="block" if display else "inline")
        return _write(tree)
    except Exception:  # the converter fails in a dozen ways (IndexError, RecursionError, …) on text nobody vouches for
        return None


def _write(element: Element) -> str:
    inner = _text(element.text) + "".join(_write(child) + _text(child.tail) for child in element)
    if element.tag not in TAGS:
        return inner
    attributes = "".join(
        f' {name}="{value}"' for name, value in element.attrib.items() if name in ATTRIBUTES and VALUE.fullmatch(value)
    )
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>"


def _text(text: str | None) -> str:
    return escape(unescape(text or ""))


ODD = re.compile(r"[\\$\0\ud800-\udfff]")  # all that `for_parser` changes, or looks at


def for_parser(raw: str) -> str:
    r"""A text of the same length that the Markdown parser can read. What is shown always comes from the raw text.

    \(…\) and \[…\] become $$…$$, a dollar of money becomes PRICE, and what UTF-8 cannot carry becomes U+FFFD.
    """
    if not ODD.search(raw):
        return raw
    text = _with_dollars(raw)
    for at in _prices(text):
        text[at] = PRICE
    return re.sub("[\0\ud800-\udfff]", "\ufffd", "".join(text))


def _with_dollars(raw: str) -> list[str]:
    text, opener = list(raw), None
    for token in BRACKET.finditer(raw):
        if token["blank"]:
            opener = None
        elif opener is None and token["open"]:
            opener = token
        elif opener and token["close"] == CLOSER[opener["open"]]:
            for at in (opener.start(), token.start()):
                text[at : at + 2] = "$$"
            opener = None
    return text


def _prices(letters: list[str]) -> list[int]:
    """Places of the dollars that are money: pandoc's rule ("$5 and $10"), and "US$5" and "$5 million" as well."""
    text, lone, opener = "".join(letters), [], None
    for token in DOLLAR.finditer(text):
        at, single = token.start(), token[0] == "$"
        if token[0] == "$$" or token[0][0] == "\\":
            continue
        if single and opener is not None and _closes(text, opener, at):
            opener = None
            continue
        if opener is not None:
            lone.append(opener)
        opener = at if single and _opens(text, at) else None
        if single and opener is None:
            lone.append(at)
    return lone if opener is None else [*lone, opener]


def _opens(text: str, at: int) -> bool:
    before, after = text[max(at - 1, 0) : at], text[at + 1 : at + 2]
    return bool(after.strip()) and not (before.isascii() and before.isalnum())


def _closes(text: str, opener: int, at: int) -> bool:
    before, after = text[at - 1], text[at + 1 : at + 2]
    hugged = after.isascii() and after.isalnum()
    return not before.isspace() and not hugged and not AMOUNT.match(text, opener + 1)
