"""The API under /api/v1/: which operations there are. What all of them pass is in annotate.api.door."""

from django.contrib.auth.decorators import login_not_required

from annotate.api.auth import Bearer
from annotate.api.errors import ANSWERS, answer
from annotate.api.router import router as annotate_router
from annotate.api.strict import Storable, strict
from config.openapi import Described
from worker.api.router import router as worker_router

api = Described(
    title="Touchstone",
    version="1",
    description="Items in, tasks, judgements out, jobs, versions and scores. Every error is "
    '`{"detail": sentence, "errors": [{"field" or "line", "message"}]}`.',
    urls_namespace="api",
    docs_url=None,  # the page of the library takes scripts from another host
    auth=Bearer(),
    parser=Storable(),
)
api.add_decorator(strict, mode="view")
for kind in ANSWERS:
    api.add_exception_handler(kind, answer)
api.add_router("", annotate_router)
api.add_router("", worker_router)

urls = api.urls
for pattern in urls[0]:
    login_not_required(pattern.callback)  # by token, not by session
