"""The address of a page with every choice in it, those too that the page made by itself."""

from collections.abc import Mapping

from django import template
from django.template.context import RequestContext

register = template.Library()


@register.simple_tag(takes_context=True)
def whole(context: RequestContext, usual: Mapping[str, object] | None = None, **more: str) -> str:
    """?item=4&a=7&x=kl: what was asked for, what the page chose where nothing was said, and what is to be added.

    A pool, a pair or a version that a page opens with may be another one tomorrow; in this address it stays.
    """
    query = context["request"].GET.copy()
    query.pop("part", None)
    chosen = {name: str(one) for name, one in (usual or {}).items() if not query.get(name)}
    for name, value in (chosen | more).items():
        query[name] = value
    return f"?{query.urlencode()}"
