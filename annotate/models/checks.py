"""Constraints that many tables share: what code assumes of a value, the database holds to."""

from django.db import models
from django.db.models import CheckConstraint, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact

LARGEST = 1.7976931348623157e308  # of float64: what lies beyond is infinite, or no number
HASH = 64  # letters of a sha256


def known(field: str, choices: type[models.Choices], table: str) -> CheckConstraint:
    """One of the choices, or null where the field may be."""
    return CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=f"{table}_{field}_known")


def share(field: str, table: str, most: float = 1.0) -> CheckConstraint:
    """From 0 to `most`."""
    return CheckConstraint(condition=Q(**{f"{field}__range": (0.0, most)}), name=f"{table}_{field}_is_share")


def finite(table: str, *fields: str) -> CheckConstraint:
    """Numbers, and neither infinite nor NaN."""
    inside = Q(*[(f"{field}__range", (-LARGEST, LARGEST)) for field in fields])
    return CheckConstraint(condition=inside, name=f"{table}_finite")


def positive(field: str, table: str) -> CheckConstraint:
    """From 1, or null where the field may be."""
    return CheckConstraint(condition=Q(**{f"{field}__gte": 1}), name=f"{table}_{field}_from_1")


def hashed(field: str, table: str, empty: bool = False) -> CheckConstraint:
    """As long as a sha256; or nothing, where that is allowed."""
    whole = Q(Exact(Length(field), HASH))
    return CheckConstraint(condition=whole | Q(**{field: ""}) if empty else whole, name=f"{table}_{field}_whole")
