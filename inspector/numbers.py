"""The numbers of a page as a file: ?format=json or ?format=csv behind the same address that shows the page.

JSON is {"provenance": {…}, "numbers": {…}}: the page's values as they are, an Interval as {value, low, high, n, why}.

CSV is one row per number or text, with a header, for any program that reads tables:

    project version file_sha256 snapshot made address | table row name | value low high n why | text

The first six are the provenance, the same in each row, so that files of several versions can be put together. `table`
is the list that the row is of ("page" for what stands alone), `row` its place there from 0 (3/0: the first of a list
inside the fourth), `name` what it is. Numbers are in `value` with their interval, texts in `text`; yes and no are 1
and 0. A table comes back by df[df.table == "raters"].pivot(index="row", columns="name", values="value") in pandas.
A figure becomes the points that it draws. What is not finite is left empty.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.text import slugify

from annotate.agreement import Interval
from worker.models import Version

PROVENANCE = ("project", "version", "file_sha256", "snapshot", "made", "address")
COLUMNS = (*PROVENANCE, "table", "row", "name", "value", "low", "high", "n", "why", "text")
INTERVAL = tuple(field.name for field in fields(Interval))
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet would run a text that begins with one


def download(request: HttpRequest, name: str, values: dict) -> HttpResponse | None:
    """The page's values as a file, project-name.csv or .json; None where the address asks for the page itself.

    Raises Http404 for another format, and for a page that has no numbers yet ({}). Call it after the permission line:
    it asks for none.
    """
    format = request.GET.get("format")
    if format is None:
        return None
    if format not in ("csv", "json"):
        raise Http404("The format is csv or json.")
    if not values:
        raise Http404("This page has no numbers yet.")
    origin = provenance(request)
    file = f"{slugify(origin['project'])}-{slugify(name)}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "X-Content-Type-Options": "nosniff"}
    if format == "json":
        found = {"provenance": origin, "numbers": plain(values)}
        return JsonResponse(found, headers=headers, json_dumps_params={"ensure_ascii": False, "allow_nan": False})
    return HttpResponse(text(origin, values), content_type="text/csv; charset=utf-8", headers=headers)


def provenance(request: HttpRequest) -> dict[str, Any]:
    """What the numbers are of: project and version by the address; "" where a page is of no version."""
    named, sent = request.resolver_match.kwargs, request.GET.copy()
    sent.pop("format", None)
    address = request.build_absolute_uri(f"{request.path}{'?' if sent else ''}{sent.urlencode()}")
    rows = Version.objects.filter(project__slug=named["slug"], number=named.get("number", 0))
    number, file, snapshot = rows.values_list("number", "file_sha256", "snapshot__sha256").first() or ("", "", "")
    found = (named["slug"], number, file, snapshot, timezone.now().isoformat(timespec="seconds"), address)
    return dict(zip(PROVENANCE, found, strict=True))


def plain(value: Any) -> Any:
    """JSON values only: Intervals and dataclasses as dicts, a figure as its points; None for what is not finite."""
    if is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        return _points(value) if value.keys() == {"data", "layout"} else {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    raise TypeError(f"{type(value).__name__} is no number, text or Interval.")


def _points(figure: dict) -> list[dict]:
    """x and y of each point drawn, by the name of its trace."""
    traces = [trace for trace in figure["data"] if trace.get("name") and "x" in trace and "y" in trace]
    pairs = ((trace["name"], x, y) for trace in traces for x, y in zip(trace["x"], trace["y"], strict=False))
    return [{"trace": name, "x": plain(x), "y": plain(y)} for name, x, y in pairs]


def text(origin: dict, values: dict) -> str:
    """The whole CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    first = [origin[name] for name in PROVENANCE]
    writer.writerows(safe([*first, *row]) for row in rows(plain(values), "page", "", ""))
    return out.getvalue()


def rows(value: Any, table: str, row: str, name: str) -> Iterator[tuple]:
    """table, row, name, value, low, high, n, why, text of everything in plain values, from top to bottom."""
    if isinstance(value, dict) and value.keys() == set(INTERVAL):
        yield table, row, name, *(value[key] for key in INTERVAL), ""
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from rows(part, table, row, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        inner = ".".join(filter(None, ["" if table == "page" else table, name]))
        for place, part in enumerate(value):
            whole = isinstance(part, dict) and part.keys() != set(INTERVAL)
            yield from rows(part, inner, f"{row}/{place}" if row else str(place), "" if whole else name)
    elif isinstance(value, str):
        yield table, row, name, "", "", "", "", "", value
    else:
        yield table, row, name, "" if value is None else float(value) if isinstance(value, bool) else value, *[""] * 5


def safe(cells: Iterable[Any]) -> list:
    """A text that a spreadsheet would run is led by an apostrophe; numbers stay what they are."""
    return [f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in cells]
