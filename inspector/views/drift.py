"""Where does it leave the gold? Over best of n from a pool, or over the steps of a policy's training."""

from dataclasses import dataclass, field

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotate.access import project_for
from annotate.models import Project
from inspector.drift import page as reports
from inspector.drift import pools
from inspector.drift.figures import AXES, NAMES, drift_figure, residuals_figure, side_figure
from inspector.drift.numbers import numbers, parts
from inspector.drift.words import left_over, shifted
from inspector.numbers import download
from worker.models import PolicyRun, Pool, Version

RUN = "run-"


@dataclass
class Asked:
    """What the address says, checked; every choice is in the link."""

    version: Version | None
    pool: Pool | None
    run: PolicyRun | None
    axis: str
    proxies: dict[str, str] = field(default_factory=dict)
    golds: dict[str, str] = field(default_factory=dict)
    proxy: str = ""
    gold: str = ""

    @property
    def source(self) -> str:
        return f"{RUN}{self.run.pk}" if self.run else str(self.pool.pk)

    @property
    def link(self) -> dict[str, str]:
        """What the page chose where nothing was said."""
        chosen = {"pool": self.source, "proxy": self.proxy, "gold": self.gold}
        return {name: value for name, value in chosen.items() if value}

    @property
    def missing(self) -> bool:
        """Whether the version has still to score the pool."""
        return bool(self.version and self.pool and self.pool.texts and not self.proxy)


@require_safe
def drift(request: HttpRequest, slug: str, number: int | None = None) -> HttpResponse:
    """?pool=PK or run-PK, &proxy= &gold= &x=d|kl|step; &part=others or moved gives that part alone."""
    project = project_for(request.user, slug, "research")
    version = number is not None and get_object_or_404(Version, project=project, number=number)
    context = {"project": project, "version": version or None, "pools": list(project.pools.order_by("name", "pk"))}
    context["runs"] = list(project.policy_runs.order_by("name", "pk"))
    asked = _asked(project, version or None, context, request.GET)
    if asked is None:
        return download(request, "drift", {}) or render(request, "inspector/drift.html", context)
    context |= {"asked": asked, "link": asked.link, "names": NAMES}
    context["axes"] = {key: AXES[key] for key in AXES if asked.run or key != "step"}
    if part := request.GET.get("part"):
        return _part(request, context, asked, part)
    if request.htmx and not asked.missing:  # the page that waited for scores
        return HttpResponseClientRefresh()
    if asked.run or asked.proxy:
        context |= _report(asked)
    if "format" in request.GET:
        return download(request, f"drift{f'-v{number}' if number else ''}", _numbers(asked, context.get("report")))
    return render(request, "inspector/drift.html", context)


def _numbers(asked: Asked, report: reports.Report | None) -> dict:
    """The page with the parts that it asks for after itself."""
    if report is None or report.drift is None:
        return {}
    found = {"source": str(asked.run or asked.pool), "proxy": asked.proxy, "gold": asked.gold} | numbers(report)
    return found | parts(asked.pool, asked.version, asked.gold) if asked.version and asked.pool else found


def _report(asked: Asked) -> dict:
    own = (asked.pool, asked.version, asked.proxy, asked.gold)
    report = reports.of_run(asked.run) if asked.run else reports.of_pool(*own)
    if report.drift is None:
        return {"report": report}
    figure = drift_figure(report.drift, asked.axis, report.unit)
    residuals = residuals_figure(report.drift, asked.axis) if report.drift.fits else None
    told = {"residuals": residuals, "left_over": left_over(report.drift.fits) if residuals else ""}
    return {"report": report, "figure": figure, "points": reports.points(report)} | told


def _part(request: HttpRequest, context: dict, asked: Asked, part: str) -> HttpResponse:
    """What takes as long as the page itself, and is asked for by it."""
    if asked.version is None or asked.pool is None or asked.missing or part not in ("others", "moved"):
        raise Http404("No such part.")
    if part == "moved":
        before, found = reports.moved(asked.pool, asked.version)
        context |= {"before": before, "moved": found, "moved_words": shifted(found)}
        return render(request, "inspector/drift.html#moved", context)
    rows = reports.side_by_side(asked.pool, asked.version, asked.gold)
    drawn = [row for row in rows if row.drift]
    if len(drawn) > 1:
        context |= {"side": side_figure([(row.name, row.drift) for row in drawn]), "side_words": reports.beside(drawn)}
    return render(request, "inspector/drift.html#others", context | {"rows": rows})


def _asked(project: Project, version: Version | None, context: dict, sent: QueryDict) -> Asked | None:
    """None in a project with neither pools nor runs; the first of them where nothing is said."""
    axis = sent.get("x", "d")
    if axis not in AXES:
        raise Http404("The axis is d, kl or step.")
    known = {str(pool.pk): pool for pool in context["pools"]} | {f"{RUN}{run.pk}": run for run in context["runs"]}
    if not known and "pool" not in sent:
        return None
    source = known.get(sent.get("pool", next(iter(known), "")))
    if source is None:
        raise Http404("No such pool or run.")
    if isinstance(source, PolicyRun):
        return Asked(version, None, source, axis)
    asked = Asked(version, source, None, "d" if axis == "step" else axis)
    asked.proxies, asked.golds = pools.proxies(source, version), pools.golds(source, version)
    asked.proxy = _one_of(sent.get("proxy"), asked.proxies, pools.first_proxy(source, version, asked.proxies))
    asked.gold = _one_of(sent.get("gold"), asked.golds, next(iter(asked.golds), ""))
    return asked


def _one_of(said: str | None, known: dict[str, str], first: str) -> str:
    if said is not None and said not in known:
        raise Http404("No such column.")
    return first if said is None else said
