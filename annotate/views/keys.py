"""The keys of the judging page, as this person wants them: always the profile of who asks, nobody else's."""

import itertools

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotate.keys import ACTS, DEFAULT, PRESETS, keys_of
from annotate.services.user import set_keys


@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """Show them, and store what was chosen: a whole map of one hand, or a key for each act."""
    if request.method != "POST":
        return _page(request, keys_of(request.user.keys), {})
    chosen = PRESETS.get(request.POST.get("preset")) or {act: request.POST.get(act, DEFAULT[act]) for act in ACTS}
    try:
        set_keys(user=request.user, keys=chosen)
    except ValidationError as error:
        return _page(request, chosen, error.message_dict)
    messages.success(request, "Your keys are saved.")
    return redirect("annotate:keys")


def _page(request: HttpRequest, chosen: dict[str, str], errors: dict[str, list[str]]) -> HttpResponse:
    rows = [
        {
            "act": act,
            "key": chosen[act],
            "default": default,
            "words": words,
            "group": group,
            "errors": errors.get(act, []),
        }
        for act, (default, _, words, group) in ACTS.items()
    ]
    groups = [(name, list(rows)) for name, rows in itertools.groupby(rows, key=lambda row: row["group"])]
    return render(request, "annotate/keys.html", {"groups": groups}, status=422 if errors else 200)
