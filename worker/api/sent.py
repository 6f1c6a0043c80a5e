"""Bodies that are files, and answers of JSON lines, read and written piece by piece."""

from django.core.exceptions import ValidationError
from django.core.files import File
from django.http import HttpRequest
from ninja.errors import HttpError

from annotate.api.items import TYPES
from annotate.api.once import spooled

LINES = "application/jsonl"
ONLY_LINES = (LINES, "application/x-ndjson")
_TEXT = {"schema": {"type": "string", "minLength": 1}}
TAKES_LINES = {"requestBody": {"required": True, "content": dict.fromkeys(ONLY_LINES, _TEXT)}}
GIVES_LINES = {"responses": {200: {"description": "JSON lines", "content": {LINES: {"schema": {"type": "string"}}}}}}


def file_sent(request: HttpRequest, most: int, types: tuple[str, ...] = TYPES) -> File:
    """The body as a file that can be read again; 413 where it holds more bytes than that, 422 where none, 415 where it
    is of another type."""
    file = spooled(request)
    size = file and file.seek(0, 2)
    if size is None or size > most:
        raise HttpError(413, f"The body is larger than {most:,} bytes.")
    if not size:
        raise ValidationError("The body is empty: send JSON lines.")
    if request.content_type not in types:
        raise HttpError(415, f"The body must be one of {', '.join(types)}.")
    file.seek(0)
    return File(file, name="sent to the API")
