"""What takes long to work out is kept with the version until the rows it was made of change."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from annotate.agreement import Interval
from worker.models import Summary, Version
from worker.services.summary import keep, keep_all

INTERVAL = {field.name for field in fields(Interval)}


def kept(version: Version, name: str, made_of: str, make: Callable[[], dict]) -> dict:
    """What `make` gives, in plain values and Intervals, now or when it was last made of the same rows."""
    found = Summary.objects.filter(version=version, name=name, made_of=made_of).first()
    if found is None:
        values = make()
        keep(version=version, name=name, made_of=made_of, values=_written(values))
        return values
    return _read(found.values)


def known(name: str, made_of: Mapping[int, str]) -> dict[int, dict]:
    """Version → what is kept under the name, of those whose rows are still the ones that it was made of."""
    found = Summary.objects.filter(version__in=made_of, name=name)
    return {one.version_id: _read(one.values) for one in found if one.made_of == made_of[one.version_id]}


def keep_each(name: str, made_of: Mapping[int, str], values: dict[int, dict]) -> dict[int, dict]:
    """Keep and give back what was made of several versions at once, by their ids."""
    rows = [Summary(version_id=pk, name=name, made_of=made_of[pk], values=_written(one)) for pk, one in values.items()]
    keep_all(rows=rows)
    return values


def _written(value: Any) -> Any:
    if isinstance(value, Interval):
        return {name: getattr(value, name) for name in INTERVAL}
    if isinstance(value, dict):
        return {key: _written(part) for key, part in value.items()}
    return [_written(part) for part in value] if isinstance(value, list | tuple) else value


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return Interval(**value) if value.keys() == INTERVAL else {key: _read(part) for key, part in value.items()}
    return [_read(part) for part in value] if isinstance(value, list) else value
