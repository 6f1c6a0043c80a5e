"""Who asks, and whether they may. A token comes in the Authorization header and nowhere else; cookies mean nothing."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from ninja.security import HttpBearer

from annotate.access import project_for
from annotate.models import AccessToken, Project
from annotate.services.access_token import token_used


def token_of(request: HttpRequest) -> AccessToken | None:
    """The good token that came with the request."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return token_used(secret.strip()) if scheme.lower() == "bearer" and secret.strip() else None


class Bearer(HttpBearer):
    """Lets in whoever `door` has found; from here on the request is theirs, whoever is signed in in that browser."""

    def __call__(self, request: HttpRequest) -> AccessToken | None:
        if request.token:
            request.user = request._cached_user = request.token.user  # the latter for the log
        return request.token

    def authenticate(self, request: HttpRequest, token: str) -> AccessToken | None:
        return request.token


def allow(request: HttpRequest, right: str) -> AccessToken:
    """The token, if it has the right as a scope; 403 that says so if not. For operations outside of a project."""
    if right not in request.auth.scopes:
        held = ", ".join(request.auth.scopes)
        raise PermissionDenied(f"This token lacks the scope {right}; it has {held}.")
    return request.auth


def project_for_token(request: HttpRequest, slug: str, right: str) -> Project:
    """The project, if the owner of the token has the right in it now and the token has it as a scope.

    404 where the owner is a stranger or the token is for another project, 403 that says what is lacking. The `rights`
    of the project are those that both have.
    """
    token: AccessToken = request.auth
    if token.project and token.project.slug != slug:
        raise Http404("No such project.")
    project = project_for(token.user, slug, right)
    allow(request, right)
    project.rights = project.rights & set(token.scopes)
    return project
