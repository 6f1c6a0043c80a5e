"""Why responses got their scores: asked of a worker, listed, read."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema

from annotate.api.auth import project_for_token
from annotate.api.paging import Id, Page, Paging, page_of
from worker.api.schemas import AttributionDetailOut, AttributionOut, ExplainIn, JobOut, Number
from worker.api.versions import ONE, version_of
from worker.explain import METHODS, parts_of
from worker.models import Attribution, Job
from worker.services.explain import explain_responses

router = Router(tags=["attributions"])
ATTRIBUTIONS = ONE + "/attributions"
LARGE = ("tokens", "units", "layers", "features", "cost")


class Wanted(Schema):
    """Which explanations; what is left out does not matter."""

    response: Id | None = None
    method: str = Field("", max_length=20)
    head: str = Field("", max_length=60)


@router.post(ATTRIBUTIONS, response={202: JobOut}, operation_id="explain")
def explain(request: HttpRequest, slug: str, number: Number, body: ExplainIn) -> tuple[int, Job]:
    """Ask why responses got their scores. If a job explains the same already, it is that one."""
    project = project_for_token(request, slug, "research")
    return 202, explain_responses(version=version_of(project, number), actor=request.user, **body.dict())


@router.get(ATTRIBUTIONS, response=Page[AttributionOut], operation_id="list_attributions")
def list_attributions(
    request: HttpRequest, slug: str, number: Number, paging: Query[Paging], wanted: Query[Wanted]
) -> dict:
    """Explanations of a version's scores, without their tokens."""
    version = version_of(project_for_token(request, slug, "research"), number)
    rows = version.attributions.filter(**{name: value for name, value in wanted.dict().items() if value})
    return page_of(rows.select_related("response", "version").defer("response__text", *LARGE), paging)


@router.get(ATTRIBUTIONS + "/{int:attribution}", response=AttributionDetailOut, operation_id="get_attribution")
def get_attribution(request: HttpRequest, slug: str, number: Number, attribution: Id) -> Attribution:
    """One explanation. Where the method adds up, baseline + features + parts + residual, which is `sum`, = score."""
    version = version_of(project_for_token(request, slug, "research"), number)
    found = get_object_or_404(version.attributions.select_related("response", "version"), pk=attribution)
    parts = sum(part["value"] for part in parts_of(found))
    found.sum = found.baseline + sum(found.features.values()) + parts + found.residual
    found.adds_up = METHODS[found.method].adds_up
    return found
