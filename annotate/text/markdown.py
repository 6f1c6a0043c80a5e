"""One text, written as markup and runs: the parser's events in, `annotate/text/__init__.py` says what comes out. PURE.

The parser (pyromark) gives each event its range in UTF-8 bytes; `Page` turns it into code points and takes every shown
character from the raw text, so that an exact run equals raw[start:end] by construction.
"""

import re
from dataclasses import dataclass
from html import escape

from pyromark import Markdown, Options

from annotate.text.highlight import shaded
from annotate.text.latex import PRICE, for_parser, mathml

MARKDOWN = Markdown(
    options=Options.ENABLE_TABLES | Options.ENABLE_MATH | Options.ENABLE_STRIKETHROUGH | Options.ENABLE_TASKLISTS
)
LINK = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x20\x7f\"'<>`]+", re.IGNORECASE)
UNSHOWABLE = re.compile("\r\n?|[\0\ud800-\udfff]")  # an HTML parser would change these: they become atoms
DEEPEST = 40  # levels; what is nested deeper is shown without further marks
TAGS = {
    "Paragraph": "p", "BlockQuote": "blockquote", "Item": "li", "TableRow": "tr",
    "Emphasis": "em", "Strong": "strong", "Strikethrough": "del",
}  # fmt: skip
BLOCKS = frozenset("Paragraph Heading BlockQuote List Item Table TableCell CodeBlock HtmlBlock".split())
CODE = ("CodeBlock", "HtmlBlock")
LETTER = re.compile(r"&#?\w+;|([^\W\d_])")
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")


@dataclass(frozen=True)
class Run:
    """A stretch of shown text; start and end are code points into the raw text."""

    start: int
    end: int
    text: str
    exact: bool


def _code_points(source: str) -> list[int] | range:
    """Byte offset in UTF-8 → code point."""
    if source.isascii():
        return range(len(source) + 1)
    return [i for i, ch in enumerate(source) for _ in range(len(ch.encode()))] + [len(source)]


class Page:
    """Writes one text: the parser's events in, markup and runs out."""

    def __init__(self, raw: str, offsets: bool = True) -> None:
        self.raw, self.source, self.offsets = raw, for_parser(raw), offsets
        self.out: list[str] = []
        self.runs: list[Run] = []
        self.waiting: tuple[int, int, str] | None = None  # start, end, shade of a run that may still grow
        self.reached = 0  # everything shown so far ends here
        self.closers: list[str] = []
        self.image: tuple[int, str, list[str]] | None = None  # depth, address, words of the image being read
        self.code: list[tuple[str, int, int]] | None = None  # pieces of the code block being read
        self.language = ""
        self.aligns: tuple[str, ...] = ()
        self.cells, self.cell_tag = 0, "td"
        self.both_ways = bool(RIGHT_TO_LEFT.search(raw))

    def html(self) -> str:
        """All that was written, as markup."""
        self.flush()
        return "".join(self.out)

    def markdown(self) -> "Page":
        at, block_end = _code_points(self.source), 0
        for event, where in MARKDOWN.events_with_range(self.source):
            kind, value = (event, None) if isinstance(event, str) else next(iter(event.items()))
            start, end = at[where["start"]], at[where["end"]]
            if not self.closers:
                self.definitions(block_end, start)
            self.event(kind, value, start, end)
            block_end = max(block_end, end)
        self.definitions(block_end, len(self.raw))
        return self

    def event(self, kind: str, value, start: int, end: int) -> None:
        if kind == "Start":
            self.open(value, start, end)
        elif kind == "End":
            self.close(start, end)
        elif self.image:
            self.image[2].append(value if isinstance(value, str) else " ")
        elif self.code is not None:
            self.code.append((value, start, end))
        else:
            getattr(self, f"on_{kind.lower()}")(value, start, end)

    # Runs

    def put(self, html: str) -> None:
        self.flush()
        self.out.append(html)

    def exact(self, start: int, end: int, shade: str = "") -> None:
        """Show raw[start:end] as it is; the few characters that HTML would change become atoms."""
        start = max(start, self.reached)
        for odd in UNSHOWABLE.finditer(self.raw, start, end):
            self.grow(start, odd.start(), shade)
            self.atom(odd.start(), odd.end(), escape("\n" if odd[0][0] == "\r" else "\ufffd"), odd[0], shade)
            start = odd.end()
        self.grow(start, end, shade)

    def grow(self, start: int, end: int, shade: str) -> None:
        if start >= end:
            return
        if self.waiting and self.waiting[1:] == (start, shade):
            start = self.waiting[0]
        else:
            self.flush()
        self.waiting, self.reached = (start, end, shade), end

    def flush(self) -> None:
        if self.waiting:
            start, end, shade = self.waiting
            self.waiting = None
            text = self.raw[start:end]
            self.write(Run(start, end, text, True), escape(text), shade)

    def atom(self, start: int, end: int, html: str, text: str, shade: str = "") -> None:
        """Show something else in place of raw[start:end]; nothing is claimed twice."""
        self.flush()
        start, self.reached = max(start, self.reached), max(end, self.reached)
        self.write(Run(start, end, text.replace(PRICE, "$"), False), html.replace(PRICE, "$"), shade)

    def write(self, run: Run, html: str, shade: str) -> None:
        if run.start < run.end and self.offsets:
            self.runs.append(run)
            kind = " ".join(filter(None, ("r", "" if run.exact else "atom", shade)))
            html = f'<span class="{kind}" data-s="{run.start}" data-e="{run.end}">{html}</span>'
        elif shade:
            html = f'<span class="{shade}">{html}</span>'
        self.out.append(html)

    def definitions(self, start: int, end: int) -> None:
        """Link definitions, which Markdown hides between blocks: who judges a text must see them."""
        hidden = self.raw[start:end]
        if hidden.strip():
            start += len(hidden) - len(hidden.lstrip())
            self.put('<p class="definition">')
            self.exact(start, start + len(hidden.strip()))
            self.put("</p>")

    # Blocks and inline marks

    def open(self, tag: str | dict, start: int, end: int) -> None:
        name, value = (tag, None) if isinstance(tag, str) else next(iter(tag.items()))
        if name == "Image" and not self.image:
            self.image = (len(self.closers), value["dest_url"], [])
        flat = self.image or len(self.closers) >= DEEPEST
        opening, closing = ("", "") if flat else self.tag(name, value)
        self.closers.append(closing)
        self.put(opening.replace(">", self.direction(name, start, end) + ">", 1))

    def close(self, start: int, end: int) -> None:
        closing = self.closers.pop()
        if self.image and self.image[0] == len(self.closers):
            _, address, words = self.image
            self.image = None
            text = f"Image: {''.join(words)} ({address[:120]}{'…' * (len(address) > 120)})"
            self.atom(start, end, escape(text), text, "image")
        if self.code is not None:
            self.code_block()
        self.put(closing)

    def tag(self, name: str, value) -> tuple[str, str]:
        match name:
            case "Heading":
                level = min(int(value["level"][1]) + 2, 6)  # below the page's own h1 and h2
                return f"<h{level}>", f"</h{level}>"
            case "List":
                return ("<ul>", "</ul>") if value is None else (f'<ol start="{value}">', "</ol>")
            case "CodeBlock":
                self.code, self.language = [], value.get("Fenced", "") if isinstance(value, dict) else ""
                language = escape(self.language[:40].replace(PRICE, "$"))  # tabindex: long lines scroll by keyboard too
                return f'<pre tabindex="0" data-language="{language}"><code>', "</code></pre>"
            case "HtmlBlock":
                return '<pre tabindex="0" class="html">', "</pre>"
            case "Table":
                self.aligns = value
                return '<div class="scroll"><table>', "</tbody></table></div>"
            case "TableHead":
                self.cells, self.cell_tag = 0, "th"
                return "<thead><tr>", "</tr></thead><tbody>"
            case "TableCell":
                return self.cell()
            case "Link":
                return _link(value)
        self.cells, self.cell_tag = 0, "td"
        return f"<{TAGS[name]}>", f"</{TAGS[name]}>"

    def direction(self, name: str, start: int, end: int) -> str:
        """Which way a block is read: by its first letter, code always from left to right; "" in a text with one way.

        Not dir="auto": that skips what is in blocks with a direction of their own, so a list would never know.
        """
        if not self.both_ways or name not in BLOCKS:
            return ""
        letter = next((found[1] for found in LETTER.finditer(self.raw, start, end) if found[1]), "")
        way = "rtl" if name not in CODE and RIGHT_TO_LEFT.match(letter) else "ltr"
        return f' dir="{way}"' if letter or name in CODE else ""

    def cell(self) -> tuple[str, str]:
        align = self.aligns[self.cells].lower() if self.cells < len(self.aligns) else "none"
        self.cells += 1
        return f'<{self.cell_tag} class="{align}">', f"</{self.cell_tag}>"

    def code_block(self) -> None:
        """The code in colours, each character at its own place in the raw text."""
        pieces, self.code = self.code, None
        text = "".join(value for value, _, _ in pieces).replace(PRICE, "$")
        places = [place for piece in pieces for place in self.places(*piece)]
        language = (self.language.split() or [""])[0].lower()
        for offset, shade, token in shaded(text, language):
            self.spread(token, places[offset : offset + len(token)], shade)

    def places(self, value: str, start: int, end: int) -> list[int]:
        """Where each character of a piece stands in the raw text; -1 for what the parser made up (a split tab)."""
        return list(range(start, end)) if self.source[start:end] == value else [-1] * len(value)

    def spread(self, text: str, places: list[int], shade: str = "") -> None:
        """Show characters that stand at these places, neighbours together."""
        for ch, place in zip(text, places, strict=True):
            if place >= 0:
                self.exact(place, place + 1, shade)
            else:
                self.put(escape(ch))

    # Leaves

    def on_text(self, value: str, start: int, end: int, shade: str = "") -> None:
        if self.source[start:end] == value:
            self.exact(start, end, shade)
        else:
            self.atom(start, end, escape(value), value, shade)

    def on_html(self, value: str, start: int, end: int) -> None:
        self.on_text(value, start, end, "html")

    on_inlinehtml = on_html

    def on_code(self, value: str, start: int, end: int) -> None:
        """Inline code: find each character between the ticks, past quote marks and the escapes of tables."""
        source = self.source[start:end]
        ticks = len(source) - len(source.lstrip("`"))
        places, place, last = [], start + ticks, end - ticks
        for ch in value:
            while place < last and self.source[place] != ch and not (ch == " " and self.source[place] in "\r\n"):
                place += 1
            places.append(place)
            place += 1
        self.put("<code>")
        if place <= last:
            self.spread(value, places)
        else:
            self.atom(start, end, escape(value), value)
        self.put("</code>")

    def on_inlinemath(self, value: str, start: int, end: int, display: bool = False) -> None:
        markup = mathml(value.replace(PRICE, "$"), display)
        if markup is None:
            self.exact(start, end, "source")
        else:
            self.atom(start, end, markup, value, "math display" if display else "math")

    def on_displaymath(self, value: str, start: int, end: int) -> None:
        self.on_inlinemath(value, start, end, display=not self.raw.startswith(r"\(", start))

    def on_softbreak(self, _, start: int, end: int) -> None:
        self.exact(start, end)

    def on_hardbreak(self, _, start: int, end: int) -> None:
        self.put("<br>")

    def on_rule(self, _, start: int, end: int) -> None:
        self.put("<hr>")

    def on_tasklistmarker(self, done: bool, start: int, end: int) -> None:
        mark = "☑" if done else "☐"
        self.atom(start, end, mark, mark, "task")


def _link(link: dict) -> tuple[str, str]:
    """An outside address that asks no questions; any other kind of link is just its words."""
    address = ("mailto:" * (link["link_type"] == "Email") + link["dest_url"]).replace(PRICE, "$")
    if not LINK.fullmatch(address):
        return '<span class="nolink">', "</span>"
    address = escape(address)
    attributes = f'href="{address}" title="{address}" target="_blank" rel="noopener noreferrer nofollow"'
    return f"<a {attributes}>", "</a>"
