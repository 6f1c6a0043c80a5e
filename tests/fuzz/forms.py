"""Every route of the site that takes a POST, sent what no page of ours sends: none is an error of the server.

A form begins as the page has it, so that what is odd comes as far as the services; names that a view asks for and no
form has are learnt on the way. What a request did is undone.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from django.db import transaction
from django.test import Client

from annotate.models import Assignment
from annotate.services.judgement import shown_in
from tests.annotate.formats.test_fuzz import bent, twist
from tests.fuzz.odd import EDGE, FORM, JSON, PARTS, RAW, TEXTS, TYPES
from tests.fuzz.pages import Fields, Forms, asked_for
from tests.fuzz.tally import Tried, taken
from tests.test_permissions import ROUTES, RULES, World

JUDGING = {f"annotate:{name}" for name in ("submit", "draft", "skip", "unskip", "flag", "heartbeat")}
Sent = tuple[bytes, str]  # a body and its type


@dataclass
class Route:
    """Where a POST goes, whose it is, and what its form has."""

    name: str
    url: str
    user: object
    fields: Fields = field(default_factory=dict)
    whole: dict = field(default_factory=dict)  # the JSON of the judging page, as it should be


def _odd(route: Route, chance: random.Random) -> Fields:
    fields = {name: list(values) for name, values in route.fields.items()}
    for name in chance.sample(sorted(fields), min(len(fields), chance.randint(1, 3))):
        fields[name] = [chance.choice(TEXTS)]
    return fields


def _urlencoded(fields: Fields) -> bytes:
    pairs = [(name, value) for name, values in fields.items() for value in values]
    return "&".join("=".join(quote_plus(t.encode("utf-8", "surrogatepass")) for t in pair) for pair in pairs).encode()


def _multipart(fields: Fields, chance: random.Random) -> bytes:
    """Some fields as files, and some files as fields."""
    parts = []
    for name, value in [(name, value) for name, values in fields.items() for value in values]:
        file = f'; filename="{chance.choice(TEXTS[1:40])}"' if chance.random() < 0.3 else ""
        parts.append(f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{value}\r\n')
    return ("".join(parts) + f"--{EDGE}--\r\n").encode("utf-8", "surrogatepass")


def values(route: Route, chance: random.Random) -> Sent:
    return _urlencoded(_odd(route, chance)), FORM


def names(route: Route, chance: random.Random) -> Sent:
    """Fields that are missing, there many times, or unknown."""
    fields = {name: list(values) for name, values in route.fields.items() if chance.random() < 0.7}
    for name in chance.sample(sorted(fields), min(len(fields), 2)):
        fields[name] = [*fields[name], *chance.sample(TEXTS, 3)]
    return _urlencoded(fields | {chance.choice(TEXTS): [chance.choice(TEXTS)] for _ in range(3)}), FORM


def parts(route: Route, chance: random.Random) -> Sent:
    return _multipart(_odd(route, chance), chance), PARTS


def broken_parts(route: Route, chance: random.Random) -> Sent:
    return bent(_multipart(route.fields | {"file": ["x"]}, chance), chance), PARTS


def types(route: Route, chance: random.Random) -> Sent:
    body = chance.choice([_urlencoded(route.fields), _multipart(route.fields, chance), b'{"a": []}'])
    return body, chance.choice(TYPES)


def raw(route: Route, chance: random.Random) -> Sent:
    body = _urlencoded(route.fields).split(b"&")
    body.insert(chance.randrange(len(body) + 1), chance.choice(RAW))
    return chance.choice([b"&".join(body), bent(b"&".join(body), chance)]), FORM


def objects(route: Route, chance: random.Random) -> Sent:
    """The judging page's JSON with one to three things wrong, or JSON where a form belongs."""
    body = json.loads(json.dumps(route.whole or route.fields or {"a": {}}))
    [twist(body, chance) for _ in range(chance.randint(1, 3))]
    data = json.dumps(body).encode()
    return (bent(data, chance) if chance.random() < 0.2 else data), JSON


SENT: dict[str, Callable[[Route, random.Random], Sent]] = {
    "odd values": values,
    "fields missing, repeated, unknown": names,
    "odd values in several parts": parts,
    "broken parts": broken_parts,
    "other content types": types,
    "broken encoding": raw,
    "JSON of other shapes": objects,
}


def forms(world: World, examples: int) -> Tried:
    """Three times that many bodies to every route, of one kind after the other; to the judging page's, as much JSON."""
    tried, kinds = Tried("forms"), list(SENT)
    for place, route in enumerate(routes(world)):
        browser = signed_in(route.user)
        _learn(browser, route)
        whats = [kinds[(place + number) % len(kinds)] for number in range(3 * examples)]
        for number, what in enumerate(whats + kinds[-1:] * (3 * examples if route.whole else 0)):
            chance = random.Random(f"{route.name} {what} {number}")
            body, type = SENT[what](route, chance)
            status, error = post(browser, route, body, type, htmx=chance.random() < 0.3)
            tried.add(what, taken(status), f"{route.name} {number}: {error} after {type[:60]} {body[:400]!r}")
    return tried


def routes(world: World) -> list[Route]:
    """As an admin of the project, or of the site; what is public as nobody."""
    found = forms_of_pages(world)
    names = [name for name in ROUTES if "POST" in RULES[name].methods]
    made = [Route(name, world.here.url(name, user := _who(world, name)), user) for name in names]
    for route in made:
        route.fields = found.get(route.url.partition("?")[0], {})
        route.whole = _whole(world, route.user) if route.name in JUDGING else {}
    return made


def _who(world: World, name: str) -> object:
    return world.people[{"public": "anonymous", "superuser": "superuser"}.get(RULES[name].right, "admin")]


def _whole(world: World, admin: object) -> dict:
    """All that any of the page's requests says."""
    lease = Assignment.objects.get(pk=world.here.own["assignment"][admin.username])
    first, second = lease.shown_order
    mark = {"response": first, "start": 0, "end": 7, "quote": "because", "category": "wrong", "severity": 1}
    answer = {
        "outcome": "ranking",
        "ranking": [[first], [second]],
        "strength": 1,
        "rationale": "It says why.",
        "spans": [mark],
    }
    answer |= {"omissions": [{"response": second, "at": 0, "note": "x"}], "ratings": {str(first): {"helpful": 3}}}
    answer |= {"texts_sha256": dict(shown_in(lease).sha256), "schema_version": 1, "checked": [second]}
    body = {"answer": answer, "draft": {"answer": answer}, "revision": 0, "key": "k1", "active_ms": 5, "lease": True}
    return body | {"ahead": [first, second], "flag": "See.", "note": "See.", "reason": "Late.", "revises": None}


def forms_of_pages(world: World) -> dict[str, Fields]:
    """By address, the fields of all forms on all pages."""
    found: dict[str, Fields] = {}
    for name in (name for name in ROUTES if "GET" in RULES[name].methods):
        url = world.here.url(name, user := _who(world, name))
        with transaction.atomic():
            page = signed_in(user).get(url)
            transaction.set_rollback(True)
        if page.status_code == 200 and page.headers["Content-Type"].startswith("text/html"):
            for address, fields in Forms(url, page.content.decode()).found.items():
                found.setdefault(address, {}).update(fields)
    return found


def signed_in(user: object) -> Client:
    browser = Client(raise_request_exception=False)
    if user:
        browser.force_login(user)
    return browser


def _learn(browser: Client, route: Route) -> None:
    """The names that its view asks for, be they in a form or not; those of headers and query are harmless here."""
    with asked_for() as found:
        post(browser, route, _urlencoded(route.fields), FORM)
    route.fields |= {name: [] for name in sorted(found - {"csrfmiddlewaretoken"}) if name not in route.fields}


def post(browser: Client, route: Route, body: bytes, type: str, htmx: bool = False) -> tuple[int, str]:
    """The status, and what went wrong; cookies are those from before."""
    kept = {name: morsel.value for name, morsel in browser.cookies.items()}
    with transaction.atomic():
        answer = browser.generic("POST", route.url, body, type, headers={"HX-Request": "true"} if htmx else {})
        transaction.set_rollback(True)
    browser.cookies.clear()
    browser.cookies.load(kept)
    return answer.status_code, repr(answer.exc_info[1])[:300] if answer.exc_info else ""
