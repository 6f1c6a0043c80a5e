"""Personal data: one's own, and for superusers everybody's, with the way out."""

from typing import IO

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotate.models import User
from worker.person_form import EraseForm
from worker.services.erase import erase_person, preview
from worker.services.person import counts_of, export_person, hand_over, in_words
from worker.services.retention import kept_for

PAGE = 100


@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    return render(request, "worker/my_data.html", {"counts": _told(counts_of(request.user))})


def _told(counts: dict[str, int]) -> dict[str, int]:
    """In words: "annotate.Judgement.rater" is for machines."""
    return {in_words(part): count for part, count in counts.items()}


@never_cache
@require_safe
def my_file(request: HttpRequest) -> HttpResponse:
    return _file(request.user, export_person(request.user, own=True))


def _file(user: User, file: IO[bytes]) -> HttpResponse:
    return FileResponse(file, as_attachment=True, filename=f"person-{user.pk}.zip", content_type="application/zip")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """?q= finds by name."""
    _superusers_only(request.user)
    words = request.GET.get("q", "").replace("\0", "").strip()
    rows = User.objects.filter(is_machine=False, username__icontains=words).order_by("erased_at", "username")
    page = Paginator(rows.prefetch_related("memberships__project"), PAGE).get_page(request.GET.get("page"))
    return render(request, "worker/people.html", {"page": page, "words": words, "kept": kept_for()})


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _detail(request, _person(request, pk), EraseForm())


def _detail(request: HttpRequest, person: User, form: EraseForm, status: int = 200) -> HttpResponse:
    context = {"person": person, "preview": preview(person), "counts": _told(counts_of(person)), "form": form}
    return render(request, "worker/person.html", context, status=status)


@never_cache
@require_safe
def file(request: HttpRequest, pk: int) -> HttpResponse:
    person = _person(request, pk)
    return _file(person, hand_over(user=person, actor=request.user))


@require_POST
def erase(request: HttpRequest, pk: int) -> HttpResponse:
    person = _person(request, pk)
    form = EraseForm(request.POST, name=person.username)
    if form.is_valid():
        try:
            removed = erase_person(user=person, remove=form.cleaned_data["judgements"] == "remove", actor=request.user)
            messages.success(
                request, f"Erased. {removed} judgements were removed; the account is {person.username} now."
            )
            return redirect("worker:person", pk)
        except ValidationError as error:
            form.add_error(None, error)
    return _detail(request, person, form, status=422)


def _person(request: HttpRequest, pk: int) -> User:
    _superusers_only(request.user)
    return get_object_or_404(User, pk=pk, is_machine=False)


def _superusers_only(user: User | AnonymousUser) -> None:
    if not user.is_superuser:
        raise PermissionDenied("Only a superuser sees what is stored about people.")
