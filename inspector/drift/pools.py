"""What the drift page reads of a pool: which columns can be held against each other, and their numbers."""

from dataclasses import dataclass

import numpy as np

from inspector.stats.rules import RULES, combine
from worker.models import Pool, PoolColumn, Version
from worker.models.version import PREFERENCE
from worker.services.columns import GOLD, column, column_names

MEMBER, DISAGREEMENT = "member:", "disagreement"  # the latter the population deviation of the former
UWO_WEIGHT = 0.5  # of a recipe that does not say


@dataclass(frozen=True)
class Sides:
    """Candidates that have every number, prompt after prompt."""

    sizes: np.ndarray  # (prompts,)
    proxy: np.ndarray  # (candidates,)
    gold: np.ndarray
    variance: np.ndarray | None  # (candidates,) of an ensemble's members


def proxies(pool: Pool, version: Version | None) -> dict[str, str]:
    """Key → label of what can be optimised: the version's heads, rules over its members, metrics of the file."""
    heads = column_names(pool, version) if version else []
    found = {f"head:{head}": f"version {version.number}: {head}" for head in heads if _is_whole(head)}
    if f"{MEMBER}1" in heads:
        found |= {f"rule:{rule}": f"version {version.number}: {name}" for rule, name in RULES.items()}
    return found | {key: label for key, label in metrics(pool).items() if key != f"metric:{GOLD}"}


def first_proxy(pool: Pool, version: Version | None, known: dict[str, str]) -> str:
    """Of the known proxies the one shown when nothing is chosen; "" while a version has still to score the pool."""
    metrics_too = version is None or not pool.texts
    return next((key for key in known if metrics_too or not key.startswith("metric:")), "")


def _is_whole(head: str) -> bool:
    return not head.startswith((MEMBER, "segment:")) and head != DISAGREEMENT


def metrics(pool: Pool) -> dict[str, str]:
    """The columns of the file, gold first."""
    return {f"metric:{name}": name for name in column_names(pool)}


def golds(pool: Pool, version: Version | None) -> dict[str, str]:
    """Key → label of what can be the truth: the file's gold or another column, or another version's preference."""
    rows = PoolColumn.objects.filter(pool=pool, name=PREFERENCE, version__isnull=False).order_by("-version__number")
    numbers = rows.exclude(version=version).values_list("version__number", flat=True)[:50]
    return metrics(pool) | {f"version:{number}": f"version {number}'s preference" for number in numbers}


def values(pool: Pool, version: Version | None, key: str) -> np.ndarray:
    """(candidates,) of a key of `proxies` or `golds`."""
    kind, _, name = key.partition(":")
    if kind == "rule":
        weight = version.recipe.get("extras", {}).get("uwo_weight", UWO_WEIGHT)
        return combine(members(pool, version), name, weight)
    if kind == "version":
        return column(pool, PREFERENCE, Version.objects.get(project=pool.project_id, number=int(name)))
    return column(pool, name, version if kind == "head" else None)


def members(pool: Pool, version: Version) -> np.ndarray:
    """(K, candidates) scores of an ensemble's members."""
    found = PoolColumn.objects.filter(pool=pool, version=version, name__startswith=MEMBER).order_by("pk")
    return np.stack([np.frombuffer(one, "<f8") for one in found.values_list("values", flat=True)])


def sides(pool: Pool, version: Version | None, proxy: str, gold: str) -> Sides:
    """Both columns without the candidates that lack a number, and the members' variance where the proxy is theirs."""
    own = version is not None and proxy in (f"head:{PREFERENCE}", *(f"rule:{rule}" for rule in RULES))
    return whole(
        np.array(pool.sizes, dtype=int),
        values(pool, version, proxy),
        values(pool, version, gold),
        column(pool, DISAGREEMENT, version) ** 2 if own and DISAGREEMENT in column_names(pool, version) else None,
    )


def whole(sizes: np.ndarray, proxy: np.ndarray, gold: np.ndarray, variance: np.ndarray | None = None) -> Sides:
    """Without the candidates that lack a number, and the prompts that have none left."""
    known = np.isfinite(proxy) & np.isfinite(gold)
    if known.all():
        return Sides(sizes, proxy, gold, variance)
    prompt = np.repeat(np.arange(len(sizes)), sizes)
    left = np.bincount(prompt[known], minlength=len(sizes))
    return Sides(left[left > 0], proxy[known], gold[known], None if variance is None else variance[known])


def scored(pool: Pool, version: Version) -> bool:
    """Whether the version has scored the pool."""
    return PoolColumn.objects.filter(pool=pool, version=version).exists()


def earlier(pool: Pool, version: Version) -> Version | None:
    """The version before this one that scored the same pool."""
    rows = Version.objects.filter(project=version.project_id, number__lt=version.number, pool_columns__pool=pool)
    return rows.order_by("-number").first()


def others(pool: Pool, version: Version, most: int) -> list[Version]:
    """The newest other versions that scored the pool."""
    rows = Version.objects.filter(pool_columns__pool=pool, pool_columns__name=PREFERENCE).exclude(pk=version.pk)
    return list(rows.order_by("-number")[:most])
