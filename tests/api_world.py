"""What the tests of the whole API share: its operations, and two projects with one object of each kind."""

import re
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from annotate.access import RIGHTS
from annotate.models import Response
from annotate.models.project import Role
from annotate.services.access_token import create_token
from config.api import api
from tests.inspector.making import explain
from worker.models import Version
from worker.services.scored_file import in_store

SCHEMA = api.get_openapi_schema()
OPERATIONS = {
    operation["operationId"]: (method.upper(), path)
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
}
# Of which kind the id is that stands after this word in a path.
KINDS = {
    "projects": "slug",
    "items": "item",
    "tasks": "assignment",
    "jobs": "job",
    "versions": "version",
    "suites": "suite",
    "attributions": "attribution",
}
NAMED = re.compile(r"/([\w-]+)/{(\w+)}")


@dataclass
class Furnished:
    """A project's slug and ids by kind; what is one person's alone is theirs."""

    place: object

    def values(self, path: str, user: object = None) -> dict[str, object]:
        """Of the parameters of a path."""
        return {name: self._of(KINDS[word], user) for word, name in NAMED.findall(path)}

    def _of(self, kind: str, user: object) -> object:
        if kind == "slug":
            return self.place.project.slug
        if kind == "job":
            return self.place.ids["scored"]
        own = self.place.own.get(kind, {})
        return own.get(user and user.username) or self.place.ids[kind]


def with_api(place: object) -> Furnished:
    """A furnished place with what only the API shows: an explanation, and lines of a scored file."""
    project = place.project
    version, response = Version.objects.get(project=project), Response.objects.filter(item__project=project).first()
    place.ids["attribution"] = explain(version, response).pk
    (settings.ARTIFACT_DIR / in_store(project.slug)).write_text('{"n": 1}\n{"n": 2}\n')
    return Furnished(place)


def token_for(user: object, *scopes: str, days: int = 1) -> str:
    """The secret of a new token; of all rights if none is named."""
    wanted, ends = scopes or RIGHTS[Role.ADMIN], timezone.now() + timedelta(days=days)
    return create_token(user=user, name="test", scopes=sorted(wanted), expires_at=ends)[1]
