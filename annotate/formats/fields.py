"""Reading one row of somebody else's file: each value asked for by name and kind, each error names it. PURE.

A table's cells are strings, so lists and objects may come as JSON text, and numbers as digits.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import groupby

from annotate.formats.rows import Rows, check

Group = tuple[str, list[dict]]  # "line 17", the rows that stand together


def text(row: dict, name: str, default: str | None = None) -> str:
    """The string at `name`; without a default it must be there."""
    value = row.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise ValueError(f"{name!r} must be a string" if name in row else f"{name!r} is missing")
    return value


def number(row: dict, name: str) -> int | float:
    """The number at `name`, whole where it can be, so that 4 and 4.0 are equal answers."""
    value = row.get(name)
    if isinstance(value, str):
        value = _digits(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9:
        raise ValueError(f"{name!r} must be a number" if name in row else f"{name!r} is missing")
    return int(value) if value == int(value) else value


def whole(row: dict, name: str, low: int, high: int) -> int:
    """A whole number from low to high."""
    value = number(row, name)
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name!r} must be a whole number from {low} to {high}")
    return value


def listed(row: dict, name: str) -> list:
    """The list at `name`; what is not there is empty."""
    return _json(row, name, list, "a list") or []


def mapping(row: dict, name: str) -> dict:
    """The object at `name`; what is not there is empty."""
    return _json(row, name, dict, "an object") or {}


def objects(row: dict, name: str) -> list[dict]:
    """The list of objects at `name`."""
    values = listed(row, name)
    if not all(isinstance(value, dict) for value in values):
        raise ValueError(f"{name!r} must hold objects")
    return values


def strings(row: dict, name: str) -> list[str]:
    """The list of strings at `name`."""
    values = listed(row, name)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name!r} must hold strings")
    return values


def rest(row: dict, *names: str) -> dict:
    """What else the row holds: it becomes metadata."""
    return {key: value for key, value in row.items() if key not in names and value is not None}


def key_of(words: str) -> str:
    """A key of the schema for somebody's name of a category: "Accuracy/Mistranslation" → accuracy-mistranslation."""
    key = re.sub(r"[^a-z0-9_]+", "-", words.lower()).strip("-_")
    if not key:
        raise ValueError(f"{words!r} has no letter or digit that could name it")
    return (key if key[0].isalpha() else f"c-{key}")[:40].rstrip("-_")


def together(rows: Rows, same: Callable[[dict], object]) -> Iterator[Group]:
    """Neighbours for which `same` gives the same, under the place of the first."""
    for _, group in groupby(rows, key=lambda row: same(row[1])):
        places, values = zip(*group, strict=True)
        if len(values) > 10_000:
            raise ValueError(f"{places[0]}: more than 10,000 rows belong together")
        yield places[0], list(values)


def _digits(value: str) -> int | float | None:
    if not re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,12})?", value.strip()):
        return None
    return float(value) if "." in value else int(value)


def _json(row: dict, name: str, kind: type, words: str) -> object:
    value = row.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"{name!r} must be {words}, as JSON") from None
        check(value, name, 0)
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"{name!r} must be {words}")
    return value
