"""Which answer would it choose? Best-of-n from a pool, prompt by prompt, and the files of it."""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from annotate.access import project_for
from annotate.models import Project
from inspector import rows, selected
from inspector.figures import best_of_n_figure
from inspector.numbers import download
from inspector.stats.selection import curve, summary
from worker.models import Pool, Version

PAGE = 20
TYPES = {"jsonl": "application/jsonl", "csv": "text/csv"}
WHAT = {"selected": "chosen answers", "ranking": "whole ranking"}


@dataclass(frozen=True)
class Asked:
    """What the address says, checked; `wrong` is a sentence when n is none."""

    pool: Pool
    values: list  # per prompt: proxies, golds
    n: int
    most: int
    q: str
    wrong: str = ""


@require_safe
def page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """?pool=PK&n=4&q=words&page=2"""
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    version.project = project
    context = {"project": project, "version": version, "pools": _pools(project), "what": WHAT}
    asked = _asked(project, version, request.GET)
    if request.htmx.target == "scoring" and asked and asked.values:  # the page that waited for scores
        return HttpResponseClientRefresh()
    if asked:
        context |= {"asked": asked, "link": {"pool": asked.pool.pk, "n": asked.n}}
    if asked and asked.values and not asked.wrong:
        pages = Paginator(selected.prompts(asked.pool, asked.q), PAGE).get_page(request.GET.get("page"))
        found = list(selected.ranked(version, asked.pool, asked.n, only=list(pages)))
        context |= {"page": pages, "found": found} | _told(asked)
    if answer := download(request, f"best-of-n-v{number}", _numbers(context)):
        return answer
    template = "inspector/best_of_n.html#rows" if request.htmx else "inspector/best_of_n.html"
    return render(request, template, context, status=422 if asked and asked.wrong else 200)


def _told(asked: Asked) -> dict:
    """Of the whole pool: means, the curve over n, and the sentence."""
    told, over = summary(asked.values, asked.n), curve(asked.values)
    figure = best_of_n_figure(over.n, over.gold, asked.n)
    return {"summary": told, "curve": over, "figure": figure, "sentence": selected.sentence(asked.n, told, over)}


def _numbers(context: dict) -> dict:
    """Of the whole pool; which answers were chosen is in the files."""
    if "summary" not in context:
        return {}
    found = {name: context[name] for name in ("sentence", "summary", "curve")}
    return {"pool": context["asked"].pool.name, "n": context["asked"].n} | found


@require_safe
def file(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """?pool=PK&n=4&what=selected|ranking&format=jsonl|csv: a download that begins at once."""
    project = project_for(request.user, slug, "research")
    version = get_object_or_404(Version, project=project, number=number)
    asked, sent = _asked(project, version, request.GET), request.GET
    what, format = sent.get("what", "selected"), sent.get("format", "jsonl")
    if asked is None or asked.wrong or not asked.values or what not in WHAT or format not in TYPES:
        raise Http404("No such file.")
    found = selected.ranked(version, asked.pool, asked.n)
    name = f"{project.slug}-{version.number}-{asked.pool.pk}-best-of-{asked.n}-{what}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    body = selected.lines(found, every=what == "ranking", format=format)
    return StreamingHttpResponse(body, content_type=f"{TYPES[format]}; charset=utf-8", headers=headers)


def _asked(project: Project, version: Version, sent: QueryDict) -> Asked | None:
    """None in a project without pools; the first pool, and all candidates, where nothing is said."""
    pool = _pool(project, sent.get("pool"))
    if pool is None:
        return None
    values = list(rows.candidate_values(version, pool).values())
    most = min((len(proxy) for proxy, _ in values), default=0)
    said, q = sent.get("n", ""), sent.get("q", "").strip()[:200]
    n = int(said) if said.isascii() and said.isdecimal() and len(said) < 7 else 0 if said else most
    wrong = f"n goes from 1 to {most}, the fewest scored candidates of a prompt." if most and not 1 <= n <= most else ""
    return Asked(pool, values, n, most, q, wrong)


def _pools(project: Project) -> QuerySet:
    """Those with texts to choose from."""
    return project.pools.filter(texts=True).order_by("name", "pk")


def _pool(project: Project, asked: str | None) -> Pool | None:
    pools = _pools(project)
    if asked is None:
        return pools.first()
    return get_object_or_404(pools, pk=asked if asked.isascii() and asked.isdecimal() and len(asked) < 19 else 0)
