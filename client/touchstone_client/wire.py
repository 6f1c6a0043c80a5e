"""One request at a time, sent again where that is safe: after a lost connection, 429, 502, 503 or 504."""

import http.client
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, TypeVar

AGAIN = (429, 502, 503, 504)
LOST = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)
LONGEST_WAIT = 60.0  # seconds, whatever Retry-After says
JSON, JSON_LINES = "application/json", "application/jsonl"
T = TypeVar("T")


class ApiError(Exception):
    """What the server refused: `status`, `detail`, and `errors`: by field, or "line 17", what is wrong with it.

    status is 0 where no answer came, however often it was tried.
    """

    def __init__(self, status: int, detail: str, errors: Mapping[str, list[str]] | None = None) -> None:
        self.status, self.detail, self.errors = status, detail, dict(errors or {})
        fields = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in self.errors.items())
        super().__init__(f"{status} {detail}" + (f" ({fields})" if fields else ""))


class _Stay(urllib.request.HTTPRedirectHandler):
    """A token is sent to the address it was given for and to no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Wire:
    """Requests with the token; every write has an idempotency key, so that to send it twice is to do it once."""

    def __init__(
        self, url: str, token: str, timeout: float, tries: int, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.root, self.timeout, self.tries, self.sleep = url.rstrip("/") + "/api/v1", timeout, max(1, tries), sleep
        self.headers = {"Authorization": f"Bearer {token}", "User-Agent": "touchstone-client/1.0"}
        self.opener = urllib.request.build_opener(_Stay)

    def get(self, path: str, **query: Any) -> Any:
        """The JSON answer; what is None in the query is left out."""
        return self._json("GET", path, query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON answer to a write."""
        return self._json("POST", path, query, body)

    def delete(self, path: str) -> Any:
        """The JSON answer; None where there is nothing to say."""
        return self._json("DELETE", path, {})

    def post_lines(self, path: str, lines: bytes, **query: Any) -> Any:
        """The JSON answer to JSON lines."""
        return self._json("POST", path, query, lines)

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Every item of every page."""
        cursor = None
        while True:
            page = self.get(path, **query, cursor=cursor)
            yield from page["items"]
            cursor = page["next"]
            if not cursor:
                return

    def lines(self, path: str, **query: Any) -> Iterator[Any]:
        """JSON lines as they come; a stream that breaks off is an error, for nobody can tell what was missing."""
        with self._tried(self._request("GET", path, query), lambda answer: answer) as answer:
            try:
                for line in answer:
                    yield json.loads(line)
            except (*LOST, ValueError) as error:
                raise ApiError(0, f"The stream of {path} broke off: {error}") from error

    def _json(self, method: str, path: str, query: Mapping[str, Any], body: Any = None) -> Any:
        said = self._tried(self._request(method, path, query, body), _whole)
        return json.loads(said) if said else None

    def _tried(self, request: urllib.request.Request, read: Callable[[http.client.HTTPResponse], T]) -> T:
        """What is read of the answer, the request being sent again as long as that may help."""
        for attempt in count(1):
            try:
                return read(self.opener.open(request, timeout=self.timeout))
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in AGAIN or attempt >= self.tries:
                        raise _refusal(error) from None
                    pause = _named(error.headers.get("Retry-After")) or _backoff(attempt)
            except LOST as error:
                if attempt >= self.tries:
                    raise ApiError(0, f"No answer from {self.root}: {error}") from error
                pause = _backoff(attempt)
            self.sleep(pause)
        raise AssertionError("count never ends")

    def _request(self, method: str, path: str, query: Mapping[str, Any], body: Any = None) -> urllib.request.Request:
        asked = urllib.parse.urlencode({k: v for k, v in query.items() if v is not None}, doseq=True)
        url = self.root + urllib.parse.quote(path) + (f"?{asked}" if asked else "")
        data, kind = (body, JSON_LINES) if isinstance(body, bytes) else (_dumped(body), JSON)
        own = {} if method == "GET" else {"Idempotency-Key": str(uuid.uuid4())}
        own |= {} if data is None else {"Content-Type": kind}
        return urllib.request.Request(url, data, self.headers | own, method=method)


def _whole(answer: http.client.HTTPResponse) -> bytes:
    with answer:
        return answer.read()


def _dumped(body: Any) -> bytes | None:
    return None if body is None else json.dumps(body, allow_nan=False).encode()


def _named(seconds: str | None) -> float:
    """What Retry-After asks for, within bounds; 0 where it asks for nothing that can be read."""
    return min(float(seconds), LONGEST_WAIT) if seconds and seconds.isdecimal() else 0.0


def _backoff(attempt: int) -> float:
    """0.5, 1, 2, 4 … seconds, each a little longer by chance, so that many clients do not come back at once."""
    return min(LONGEST_WAIT, 0.25 * 2**attempt) * (1 + random.random() / 4)


def _by_field(errors: list[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in errors:
        name = one.get("field") or (f"line {one['line']}" if one.get("line") else "")
        found.setdefault(name, []).append(one["message"])
    return found


def _refusal(error: urllib.error.HTTPError) -> ApiError:
    try:
        said = json.loads(error.read())
        return ApiError(error.code, str(said["detail"]), _by_field(said.get("errors", [])))
    except (ValueError, KeyError, TypeError):  # a proxy's page
        return ApiError(error.code, error.reason)
