"""A painted text as HTML. Every text run is escaped here; what is joined is the raw text, character by character."""

from collections.abc import Iterable, Iterator

from django import template
from django.utils.html import format_html

from inspector.heatmap.paint import Heat, Piece

register = template.Library()
STRONG = 0.25  # from here on a line under the piece repeats the sign without colour
GROUND = {"up": "--pos", "down": "--neg", "still": "--pos"}
TAG = '<span class="tag" data-tag="{{}}" style="--c: var(--c{})"></span>'


@register.filter
def drawn(pieces: Iterable[Piece]) -> str:
    """Coloured pieces, with a sign before each mark of people.

    A page holds thousands, so they are one format_html: its frame holds names and numbers of ours, and nothing else.
    """
    frame, texts = [], []
    for piece in pieces:
        tags = piece.tags if piece.begins else []
        frame += [*(TAG.format(colour) for _, colour in tags), _frame(piece)]
        texts += [*(words for words, _ in tags), piece.text]
    return format_html("".join(frame), *texts) if frame else ""


def _frame(piece: Piece) -> str:
    """What stands around the text; nothing where nothing was said of it."""
    names = " ".join(_names(piece))
    if any(piece.heats):
        which, values = _told(piece)
        return f'<span class="{names}" style="{_style(piece)}" data-t="{which}" data-v="{values}">{{}}</span>'
    return f'<span class="{names}" style="{_lines(piece)}">{{}}</span>' if piece.marks else "{}"


def _told(piece: Piece) -> tuple[str, str]:
    """Which part of each layer it is of, and that part's value."""
    which = " ".join(str(heat.number) if heat else "-" for heat in piece.heats)
    return which, " ".join(f"{heat.value:.6g}" if heat else "-" for heat in piece.heats)


def _names(piece: Piece) -> Iterator[str]:
    yield "piece"
    if len(piece.heats) == 1 and piece.heat:
        yield piece.heat.way
        if piece.heat.strength > STRONG:
            yield "strong"
    if piece.planted:
        yield "planted"


def _style(piece: Piece) -> str:
    if len(piece.heats) == 1:
        return f"--h:{piece.heat.strength:.3f}{_lines(piece)}"
    rows = (f"--m{place}:{_colour(heat)}" for place, heat in enumerate(piece.heats, 1) if heat)
    return ";".join(rows) + _lines(piece)


def _colour(heat: Heat) -> str:
    return f"rgb(var({GROUND[heat.way]}) / {heat.strength:.2f})"


def _lines(piece: Piece) -> str:
    return f";box-shadow:{piece.lines}" if piece.marks and piece.lines else ""
