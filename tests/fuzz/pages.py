"""What the site's own pages would send, and which names a view asks for."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from unittest.mock import patch
from urllib.parse import urljoin, urlsplit

from django.utils.datastructures import MultiValueDict

Fields = dict[str, list[str]]


class Forms(HTMLParser):
    """Of one page: the address that each form sends to, and its fields with the values they have."""

    def __init__(self, page: str, markup: str) -> None:
        super().__init__()
        self.page, self.found, self.field, self.inside = page, defaultdict(dict), "", ""
        self.form: Fields = {}
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        here, self.inside = dict(attrs), tag
        if tag == "form":
            self.form = self._to(here.get("action") or here.get("hx-post") or self.page)
        elif here.get("hx-post"):
            self._to(here["hx-post"])
        if tag in ("input", "button", "textarea", "select") and here.get("name"):
            self.field = here["name"]
            self._has(
                here.get("value") or "", unless=here.get("type") in ("checkbox", "radio") and "checked" not in here
            )
        elif tag == "option" and self.field:
            self._has(here.get("value") or "", unless=bool(self.form.get(self.field)) and "selected" not in here)

    def handle_data(self, data: str) -> None:
        if self.inside == "textarea":
            self._has(data, unless=False)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""
        if tag == "form":
            self.form = {}

    def _to(self, address: str) -> Fields:
        return self.found[urlsplit(urljoin(self.page, address)).path]

    def _has(self, value: str, unless: bool) -> None:
        values = self.form.setdefault(self.field, [])
        if value and not unless:
            values[:] = [value]


@contextmanager
def asked_for() -> Iterator[set[str]]:
    """The names that anybody looks up meanwhile in what was sent."""
    names: set[str] = set()

    def spy(method: str) -> object:
        plain = getattr(MultiValueDict, method)

        def spied(self: MultiValueDict, name: object, *args: object, **options: object) -> object:
            names.add(str(name))
            return plain(self, name, *args, **options)

        return patch.object(MultiValueDict, method, spied)

    with spy("__getitem__"), spy("__contains__"), spy("getlist"):
        yield names
