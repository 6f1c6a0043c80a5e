"""What the address or the form of the heat-map names, as a Choice; 404 for what there is not."""

from collections.abc import Mapping
from dataclasses import replace

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from annotate.models import Item
from inspector.heatmap.asked import usual
from inspector.heatmap.choice import CUTS, GROUPS, MODES, USUAL, Choice
from inspector.heatmap.pairs import Pairs
from worker.explain import METHODS
from worker.models import Edit, Version
from worker.models.version import PREFERENCE

Asked = Mapping[str, str]
FULL = 100  # percent


def chosen(version: Version, asked: Asked, pairs: Pairs | None = None) -> Choice | None:
    """What was asked for. Without an item the most surprising pair; None in a project without one to show."""
    head, method = asked.get("head") or PREFERENCE, asked.get("method") or ""
    if head not in version.heads or method not in ("", *METHODS):
        raise Http404("No such head or method.")
    edit = _edit(version, asked)
    item = edit.response.item if edit else _item(version, asked, pairs)
    if item is None:
        return None
    responses = {response.pk: response for response in item.responses.all()}
    named = asked if edit is None else {**dict(asked.items()), "a": str(edit.response_id)}
    a, b = _pair(item, list(responses), named, pairs)
    if not {a, b} <= responses.keys():
        raise Http404("No such response of this item.")
    found = Choice(item, responses[a], responses[b], head, method or "exact", edit=edit, **_how(asked))
    return found if method else replace(found, method=usual(version, found))


def _how(asked: Asked) -> dict:
    """The ways of showing, each one of those that there are."""
    known = {"mode": MODES, "group": GROUPS, "cut": CUTS}
    found = {name: asked.get(name) or USUAL[name] for name in known}
    for name, value in found.items():
        if value not in known[name]:
            raise Http404(f"No such {name}.")
    level = _number(asked, "level") if asked.get("level") else USUAL["level"]
    if level > FULL:
        raise Http404("level is a percentage.")
    return found | {"level": level}


def _edit(version: Version, asked: Asked) -> Edit | None:
    """Of the item that was named, where one was."""
    if not asked.get("edit"):
        return None
    edits = version.edits.select_related("response__item")
    edit = get_object_or_404(edits, pk=_number(asked, "edit"))
    if asked.get("item") and edit.response.item_id != _number(asked, "item"):
        raise Http404("This text was made of another item's response.")
    return edit


def _item(version: Version, asked: Asked, pairs: Pairs | None) -> Item | None:
    items = Item.objects.filter(project=version.project_id)
    return get_object_or_404(items, pk=_number(asked, "item")) if asked.get("item") else _first(items, pairs)


def _first(items: QuerySet[Item], pairs: Pairs | None) -> Item | None:
    if pairs is None:
        raise Http404("Name an item.")
    if pairs:
        return items.get(pk=pairs[0].item)
    return items.filter(responses__index=1).order_by("pk").first()


def _pair(item: Item, responses: list[int], asked: Asked, pairs: Pairs | None) -> tuple[int, int]:
    """The responses asked for; those missing from the item's most surprising pair, or its first two."""
    own = pairs.of([item.pk]) if pairs else None
    known = [own[0].first, own[0].second] if own else responses
    if not responses:
        raise Http404("This item has no response.")
    a = _number(asked, "a") if asked.get("a") else known[0]
    b = _number(asked, "b") if asked.get("b") else next((r for r in [*known, *responses] if r != a), a)
    return a, b


def _number(asked: Asked, name: str) -> int:
    """A row id or a percentage, or 404."""
    text = asked[name]
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Http404(f"{name} is a number.")
    return int(text)
