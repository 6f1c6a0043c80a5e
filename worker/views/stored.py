"""A file of the artifact store as a download."""

from django.http import FileResponse

from worker.store import artifacts


def stored(name: str, filename: str, content_type: str | None = None) -> FileResponse:
    """Passed on piece by piece, under a name of its own; the caller has asked who may. FileNotFoundError."""
    store = artifacts()
    response = FileResponse(store.stream(name), as_attachment=True, filename=filename, content_type=content_type)
    response.headers["Content-Length"] = str(store.size(name))
    return response
