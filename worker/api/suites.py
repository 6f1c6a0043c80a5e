"""Suites: frozen pairs that every version is measured on."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema

from annotate.api.auth import project_for_token
from annotate.api.items import BODY
from annotate.api.paging import Id, Page, Paging, page_of
from annotate.formats import AUTO
from annotate.models import Project
from annotate.models.project import count_of
from worker.api.schemas import JobOut, ResultsOut, RunIn, SuiteOut
from worker.api.sent import file_sent
from worker.models import Job, Suite, SuitePair, SuiteQuestion
from worker.round_form import SUITE_BYTES
from worker.services.standing import leaderboard, measure
from worker.services.suite import import_suite, trained_on

router = Router(tags=["suites"])
SUITES = "/projects/{slug:slug}/suites"
ONE = SUITES + "/{int:suite}"


class Named(Schema):
    name: str = Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")
    format: str = Field(AUTO, max_length=40, description="One that items come in; auto: told by the first line.")


def suites_of(project: Project) -> QuerySet:
    """With how much each holds."""
    pairs, questions = (count_of(model.objects.all(), "suite") for model in (SuitePair, SuiteQuestion))
    return project.suites.select_related("created_by").annotate(pair_count=pairs, question_count=questions)


def suite_of(project: Project, pk: int) -> Suite:
    """One of the project's; another project's is not found."""
    return get_object_or_404(suites_of(project), pk=pk)


@router.get(SUITES, response=Page[SuiteOut], operation_id="list_suites")
def list_suites(request: HttpRequest, slug: str, paging: Query[Paging]) -> dict:
    """Suites of the project."""
    return page_of(suites_of(project_for_token(request, slug, "research")), paging)


@router.get(ONE, response=SuiteOut, operation_id="get_suite")
def get_suite(request: HttpRequest, slug: str, suite: Id) -> Suite:
    """One suite: what it holds."""
    return suite_of(project_for_token(request, slug, "research"), suite)


@router.post(SUITES, response={201: SuiteOut}, operation_id="import_suite", openapi_extra=BODY)
def create_suite(request: HttpRequest, slug: str, named: Query[Named]) -> tuple[int, Suite]:
    """Freeze judged pairs into a suite: lines in any format that items come in, all of them or nothing."""
    project = project_for_token(request, slug, "manage")
    file = file_sent(request, min(SUITE_BYTES, settings.UPLOAD_MAX_BYTES))
    suite = import_suite(project=project, file=file, actor=request.user, **named.dict())
    return 201, suite_of(project, suite.pk)


@router.post(f"{ONE}/run", response={202: JobOut}, operation_id="run_suite")
def run_suite(request: HttpRequest, slug: str, suite: Id, body: RunIn) -> tuple[int, Job]:
    """Measure versions on a suite, as a job. One that has all its scores of the suite is not scored again."""
    project = project_for_token(request, slug, "manage")
    found, versions = suite_of(project, suite), list(project.versions.filter(number__in=body.versions))
    if missing := sorted(set(body.versions) - {version.number for version in versions}):
        raise ValidationError({"versions": f"The project has no version {missing[0]}."})
    return 202, measure(suite=found, versions=versions, actor=request.user)


@router.get(f"{ONE}/results", response=ResultsOut, operation_id="get_results")
def get_results(request: HttpRequest, slug: str, suite: Id) -> dict:
    """How versions stand on a suite, best first, with Wilson's intervals; only those that were measured."""
    found = suite_of(project_for_token(request, slug, "research"), suite)
    board = [vars(row) | {"version": row.version.number} for row in leaderboard(found)]
    return {"suite": found, "trained_on": trained_on(found), "results": board}
