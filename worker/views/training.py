"""Launching a retrain, with what it would learn from in sight."""

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods
from pydantic import ValidationError as PydanticError

from annotate.access import project_for
from annotate.models import Project
from worker.models.job import JobKind
from worker.recipe_form import RecipeForm, formulas
from worker.recipes import flat
from worker.rm.recipe import Recipe
from worker.services.forecast import count_tokens, counting, forecast
from worker.services.snapshot import Survey, missing, survey
from worker.services.training import start_training


@require_http_methods(["GET", "HEAD", "POST"])
def train(request: HttpRequest, slug: str) -> HttpResponse:
    """?job=N: with that job's recipe. htmx asks for the form alone, with what stands in it."""
    project = project_for(request.user, slug, "manage")
    form = recipe_form(request, project)
    if request.htmx:
        return render(request, "worker/_recipe.html", {"project": project, "form": form})
    found = survey(project)  # all judgements are read: once a request
    if request.method == "POST" and form.is_valid():
        try:
            job = start_training(project=project, actor=request.user, found=found, **form.launch)
            return redirect("worker:job", slug, job.pk)
        except ValidationError as error:
            form.add_error(None, error)
    about = {"project": project, "form": form, "counts": found.counts, "missing": missing(found.counts)}
    context = about | {"formulas": formulas()} | _foreseen(project, form, found)
    return render(request, "worker/train.html", context, status=422 if form.errors else 200)


def _foreseen(project: Project, form: RecipeForm, found: Survey | None = None) -> dict:
    """What stands in the page's part "forecast"; nothing where the recipe that was sent is wrong."""
    if form.is_bound and not form.is_valid():
        return {}
    busy, told = counting(project=project, **form.launch), forecast(project=project, found=found, **form.launch)
    return {"told": told, "recipe": form.launch["recipe"], "counting": busy}


def recipe_form(request: HttpRequest, project: Project, form: type[RecipeForm] = RecipeForm) -> RecipeForm:
    """From what was sent, from a job that is to be changed, or with everything as it is by default."""
    about = {"project": project, "here": request.path}
    if request.method == "POST":
        return form(request.POST, **about)
    if "name" in request.GET:
        return form(request.GET, **about)
    return form(initial=_of_job(project, request.GET["job"]) if "job" in request.GET else None, **about)


def _of_job(project: Project, pk: str) -> dict:
    """The form's values by which that job was launched; a job of another project is not found."""
    jobs = project.jobs.filter(kind=JobKind.TRAIN, params__has_key="recipe")
    job = get_object_or_404(jobs, pk=pk if pk.isascii() and pk.isdecimal() and len(pk) < 19 else 0)
    try:
        values = flat(Recipe.model_validate(job.params["recipe"]))
    except PydanticError:  # recipes are written differently today
        raise Http404("That job's recipe cannot be read any more.") from None
    return values | {"backbone": job.params["backbone"], "queue": "gpu" if job.queue == "gpu" else "cpu"}


@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """What texts, tokens and time the recipe that is sent would be about; POST has the tokens counted by a worker.

    ?seen=STATE of the job that counts: 204 while that is so, since to read all judgements every second costs much.
    """
    project = project_for(request.user, slug, "manage")
    form = recipe_form(request, project)
    if form.is_bound and form.is_valid():
        if request.method == "POST":
            count_tokens(project=project, actor=request.user, **form.launch)
        busy = counting(project=project, **form.launch)
        if busy and busy.state == request.GET.get("seen"):
            return HttpResponse(status=204)
    return render(request, "worker/train.html#forecast", {"project": project} | _foreseen(project, form))
