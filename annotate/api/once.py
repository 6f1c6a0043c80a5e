"""Idempotency keys: a writing request that was answered before is answered the same, and does nothing again.

The row of the key is made first. Whoever holds its lock does the act, and stores the answer in the same transaction:
where a process dies, both are gone and the lock is free. An act that was refused has changed nothing; it may be tried
again under the same key, as long as the request is the same.
"""

import hashlib
import re
import tempfile
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from annotate.api.errors import problem
from annotate.models import IdempotencyKey, User
from annotate.services.lease import expire_leases

READING = ("GET", "HEAD", "OPTIONS")
KEY = re.compile(r"[\x21-\x7e]{1,200}")
PIECE = 2**16
Respond = Callable[[HttpRequest], HttpResponseBase]


def once(request: HttpRequest, user: User, respond: Respond) -> HttpResponseBase:
    """The response to a request of this user; the stored one where its key was used before."""
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method in READING:
        return respond(request)
    if not KEY.fullmatch(key):
        return problem(422, "An Idempotency-Key is 1 to 200 visible ASCII characters.")
    digest = _digest(request)
    if digest is None:
        return problem(413, f"The body is larger than {settings.UPLOAD_MAX_BYTES} bytes.")
    row = IdempotencyKey(user=user, key=key, sha256=digest)
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    expire_leases()  # in a transaction of its own: inside, tasks of others would stay locked until the act is done
    return _done(row, request, respond)


@transaction.atomic
def _done(row: IdempotencyKey, request: HttpRequest, respond: Respond) -> HttpResponseBase:
    same = IdempotencyKey.objects.filter(user=row.user, key=row.key)
    mine = same.select_for_update(skip_locked=True).first()
    if mine is None:
        return problem(409, "The request with this Idempotency-Key is being worked on. Ask again in a moment.")
    if mine.sha256 != row.sha256:
        return problem(422, "This Idempotency-Key was used for another request.")
    if mine.status is not None:
        headers = {"Idempotent-Replayed": "true"}
        return HttpResponse(mine.body, status=mine.status, content_type="application/json", headers=headers)
    response = respond(request)
    if response.status_code >= 400:
        transaction.set_rollback(True)
    else:
        same.update(status=response.status_code, body=response.content.decode())
    return response


def spooled(request: HttpRequest) -> tempfile.SpooledTemporaryFile | None:
    """The body as a file, read piece by piece; None for one that is too large. Read it before `request.body`."""
    if not hasattr(request, "spooled"):
        file = tempfile.SpooledTemporaryFile(settings.FILE_UPLOAD_MAX_MEMORY_SIZE)  # noqa: SIM115  (lives with the request)
        while piece := request.read(PIECE):
            if file.tell() + len(piece) > settings.UPLOAD_MAX_BYTES:
                return None
            file.write(piece)
        request.spooled = request._stream = file
        request._read_started = False  # for those who want the body whole
    request.spooled.seek(0)
    return request.spooled


def _digest(request: HttpRequest) -> str | None:
    if (file := spooled(request)) is None:
        return None
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    while piece := file.read(PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()
