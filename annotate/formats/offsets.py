"""Offsets that others counted → code points. PURE.

A browser counts UTF-16 units, in which 🙂 is two; we count code points, in which it is one.
"""


def code_points(text: str, start: int, end: int) -> tuple[int, int]:
    """The same stretch in code points. ValueError where it cuts a character in two or lies outside the text."""
    places, units = {0: 0}, 0
    for place, character in enumerate(text, 1):
        units += 1 + (character > "\uffff")
        places[units] = place
    if start not in places or end not in places or not start < end:
        raise ValueError(f"span {start}–{end} lies outside its text ({units} UTF-16 units long) or cuts a character")
    return places[start], places[end]


def marked(text: str, start: int, end: int, quote: str | None, browser: bool = True) -> dict:
    """{"start", "end", "quote"} of a span that a browser counted, or a script, or whose quote shows that one did."""
    if not browser and quote is None and 0 <= start < end <= len(text):
        quote = text[start:end]
    if quote and text[start:end] == quote and 0 <= start < end:
        return {"start": start, "end": end, "quote": quote}
    first, last = code_points(text, start, end)
    if quote and _loose(text[first:last]) != _loose(quote):
        raise ValueError(f"the text of span {start}–{end} is not what stands there")
    return {"start": first, "end": last, "quote": text[first:last]}


def _loose(text: str) -> str:
    """Tools write line ends as \\n in words, and cut white space at the ends."""
    return " ".join(text.replace("\\n", "\n").split())
