"""Tables of docs/reliability.md that a run writes: each stands between two marks of its name."""

from tests.site import ROOT

PAGE = ROOT / "docs" / "reliability.md"


def put(name: str, text: str) -> None:
    """The text in place of what stood between the marks."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = PAGE.read_text().partition(begin)
    PAGE.write_text(f"{before}{begin}\n{text}{end}{rest.partition(end)[2]}")
