"""Every text column of every model × every page, as the server sends it: hostile text makes no element and no attribute
that harmless text does not make. What a browser makes of it: tests/e2e/test_hostile_pages.py."""

from html.parser import HTMLParser
from urllib.parse import quote

from annotate.models import Judgement
from tests.e2e.hostile_rows import JSON, NOT_TEXT, empty, fields, fill, furnish_all
from tests.e2e.test_axe import FILES, PAGES
from tests.e2e.test_hostile import CORPUS
from tests.hostile_words import CSS, HARMLESS, MARKDOWN, ODD, PLOTLY
from tests.test_permissions import RULES, world  # noqa: F401

HOSTILE = [*CORPUS, *CSS, *PLOTLY, *ODD]
LEADS_AWAY = ("javascript:", "data:text", "//", "https://evil")


class Shape(HTMLParser):
    """Names of the elements of a page, and of their attributes."""

    def __init__(self, html):
        super().__init__()
        self.found = set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found |= {tag, *(f"{tag} {name}" for name, _ in attributes)}
        links = [value.lower() for name, value in attributes if name in ("href", "src", "action") and value]
        self.found |= {value[:30] for value in links if value.startswith(LEADS_AWAY)}


def test_every_column_of_text_is_filled_or_excused():
    named = {name for name, field in fields().items() if field.get_internal_type() == "JSONField"}
    assert named <= set(JSON) | set(NOT_TEXT)
    assert set(JSON) | set(NOT_TEXT) <= set(fields())
    assert not set(JSON) & set(NOT_TEXT)


def pages(world):  # noqa: F811
    """(name, path, whether one must be signed in) of every page as the rows are now."""
    here, boss = world.here, world.people["superuser"]
    who = Judgement.objects.filter(project=here.project, task=here.ids["task"]).values_list("rater_name", flat=True)
    here.ids["who"] = quote(f"name:{who[0]}")
    every = [(name, here.url(name, boss), RULES[name].right != "public") for name in PAGES if name not in FILES]
    return sorted(every, key=lambda one: not one[2])  # those before the door come last


def walk(client_of, world):  # noqa: F811
    """{part: name of a page} of all pages together."""
    browser, found = client_of(world.people["superuser"]), {}
    for name, path, signed in pages(world):
        response = browser.get(path) if signed else type(browser)().get(path)
        assert response.status_code < 400, f"{name}: {response.status_code}"
        found |= dict.fromkeys(Shape(response.content.decode()).found, name)
    return found


def test_hostile_text_makes_no_element_and_no_attribute(client_of, world):  # noqa: F811
    furnish_all(world.here, world.people["superuser"])
    assert empty() == []
    fill(HARMLESS, MARKDOWN)
    usual = walk(client_of, world)
    assert {"math", "table", "a href"} <= set(usual)
    fill(HOSTILE, "\n\n".join(HOSTILE))
    found = walk(client_of, world)
    assert {part: name for part, name in found.items() if part not in usual} == {}
