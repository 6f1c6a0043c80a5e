"""LaTeX formulas → MathML by allow-list. PURE.

The converter's own string output is not well-formed for hostile input (`\\text{<b>}` comes out as it is), so its
element tree is walked here: known elements, known attributes, plain values, escaped text. Anything else is dropped.
"""

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

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
