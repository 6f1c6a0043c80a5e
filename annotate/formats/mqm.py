"""MQM error spans of translations (Freitag et al. 2021, arXiv 2104.14478; wmt-mqm-human-evaluation). PURE.

Tab-separated: one line for each error a rater marked, `<v>…</v>` around it in the target, or in the source where the
target lacks something. All raters of one segment of one system are one item; their lines must stand together.
"""

from collections.abc import Iterator

from annotate.formats.fields import Group, key_of, rest, text, together
from annotate.formats.pairs import alone
from annotate.formats.record import Record, make
from annotate.formats.rows import Rows

SEVERITIES = {"minor": 1, "major": 2, "critical": 3}
DOCUMENT, SEGMENT = ("doc", "docId", "document"), ("globalSegId", "seg_id", "segId", "docSegId", "doc_seg_id")
OWN = ("system", "rater", "source", "target", "category", "severity")
START, END = "<v>", "</v>"


def groups(rows: Rows) -> Iterator[Group]:
    """Neighbouring lines of one segment of one system. ValueError where a segment comes back later."""
    seen: set[int] = set()
    for where, group in together(rows, _segment):
        if (mark := hash(_segment(group[0]))) in seen:
            raise ValueError(f"{where}: this segment stood further up; sort the file by document, segment and system")
        seen.add(mark)
        yield where, group


def record(rows: list[dict]) -> Record:
    """The item of one segment of one system: the source asks, the translation answers."""
    source, target = _bare(rows[0], "source"), _bare(rows[0], "target")
    if any((_bare(row, "source"), _bare(row, "target")) != (source, target) for row in rows):
        raise ValueError("the lines of one segment hold different texts")
    raters: dict[str, list[dict]] = {}
    for row in rows:
        raters.setdefault(text(row, "rater"), []).append(row)
    return make(
        turns=[{"role": "user", "content": source}],
        responses=[{"text": target, "source": text(rows[0], "system")}],
        judgements=[_verdict(name, said) for name, said in raters.items()],
        metadata=rest(rows[0], *OWN, "metadata", "note"),
    )


def _segment(row: dict) -> tuple:
    document = next((row[name] for name in DOCUMENT if name in row), "")
    segment = next((row[name] for name in SEGMENT if name in row), row.get("source"))
    return str(row.get("system")), str(document), str(segment)


def _bare(row: dict, name: str) -> str:
    return text(row, name).replace(START, "").replace(END, "")


def _verdict(rater: str, rows: list[dict]) -> dict:
    errors = [row for row in rows if text(row, "category").lower() not in ("no-error", "no error")]
    missing = [row for row in errors if START in row["source"] and START not in row["target"]]
    spans = [_span(row) for row in errors if not any(row is other for other in missing)]
    checked = [] if errors else [0]
    return alone(0, rater=rater, spans=spans, omissions=[_omission(row) for row in missing], checked=checked)


def _span(row: dict) -> dict:
    """What stands between the marks; without any, the error is all of the translation."""
    before, mark, after = row["target"].partition(START)
    quote = after.partition(END)[0] if mark else before.replace(END, "")
    start = len(before) if mark else 0
    if mark and (END not in after or START in after or END in before or not quote):
        raise ValueError("the marks <v> and </v> must stand once, in this order, around something")
    said = {"category": key_of(row["category"]), "severity": SEVERITIES.get(text(row, "severity").lower())}
    return {"response": 0, "start": start, "end": start + len(quote), "quote": quote, "note": _note(row), **said}


def _omission(row: dict) -> dict:
    quote = row["source"].partition(START)[2].partition(END)[0]
    said = ": ".join(filter(None, (row["category"], quote, _note(row))))
    return {"response": 0, "note": said, "severity": SEVERITIES.get(text(row, "severity").lower())}


def _note(row: dict) -> str:
    return text(row, "note", "").strip()
