"""Columns of numbers out of rows, with the line and the column named where one is wrong. PURE."""

import math
from collections.abc import Mapping

import numpy as np

MOST_COLUMNS = 300
LONGEST_NAME = 120


class Numbers:
    """Columns that hold a number in the first row; one that lacks it later is an error, or if not `strict` let go."""

    def __init__(self, leave: tuple[str, ...] = ("gold",), strict: bool = True) -> None:
        self.leave, self.strict, self.values = leave, strict, {}

    def add(self, where: str, row: Mapping, own: Mapping[str, float]) -> None:
        """`own` are columns of ours, which come first."""
        if not self.values:
            names = [name for name in row if name not in self.leave and _is_number(row[name])]
            self.values = {name: [] for name in (*own, *(n for n in names if n not in own))}
            if len(self.values) > MOST_COLUMNS or any(len(name) > LONGEST_NAME for name in self.values):
                raise ValueError(f"{where}: at most {MOST_COLUMNS} columns, their names of {LONGEST_NAME} characters")
        if not self.strict:
            self.values = {name: had for name, had in self.values.items() if name in own or _is_number(row.get(name))}
        for name, values in self.values.items():
            values.append(own[name] if name in own else number(row, name, where))

    def columns(self) -> dict[str, np.ndarray]:
        """Name → (rows,) float64."""
        return {name: np.array(values, dtype=float) for name, values in self.values.items()}


def number(row: Mapping, name: str, where: str) -> float:
    """The number that the row holds under the name, also as the text of a cell; ValueError names line and column."""
    if not _is_number(value := row.get(name)):
        raise ValueError(f"{where} has no number {name}")
    return float(value)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return math.isfinite(float(value)) and (not isinstance(value, str) or "_" not in value)
    except (ValueError, OverflowError):
        return False
