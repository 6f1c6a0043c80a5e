"""A rater's browser without the screen: cookies, a random web process, and another try when that one has died."""

import http.client
import json
import random
import re
import time
from collections.abc import Callable
from urllib.parse import urlencode

PATIENCE = 60.0  # seconds until a rater stops trying; the bound is for a dead house, not a promise of speed


JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Gone(Exception):
    """The connection broke before the answer was read, or the database was away (503): nobody knows what was done."""


class Browser:
    def __init__(self, ports: list[int], session: str, chance: random.Random) -> None:
        self.ports, self.chance = ports, chance
        self.cookies = {"sessionid": session}
        self.gone = 0  # requests whose answer was not heard
        self.faults: list[str] = []  # answers that no server should give
        self.answered: Callable[[int, float], None] = lambda port, asked: None  # told of each answer

    def once(
        self, method: str, path: str, body: object = None, *, deaf: bool = False, form: dict | None = None
    ) -> tuple[int, str, str]:
        """(status, body, Location). `deaf` hangs up as soon as all is sent. Raises Gone."""
        port, asked = self.chance.choice(self.ports), time.monotonic()
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        sent = urlencode(form) if form is not None else None if body is None else json.dumps(body)
        try:
            link.request(method, path, sent, self._headers() | {"Content-Type": JSON if form is None else FORM})
            if deaf:
                raise Gone
            answer = link.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise Gone from error
        finally:
            link.close()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.heard(method, path, answer.headers)
        if answer.status == 503 and "Retry-After" in answer.headers:
            raise Gone
        if answer.status >= 500:
            self.faults.append(f"{method} {path}: {answer.status}")
        self.answered(port, asked)
        return answer.status, text, answer.headers.get("Location", "")

    def heard(self, method: str, path: str, headers: http.client.HTTPMessage) -> None:
        """What a benchmark keeps of an answer."""

    def send(self, method: str, path: str, body: object = None, form: dict | None = None) -> tuple[int, str, str]:
        """Tries until somebody answers."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.once(method, path, body, form=form)
            except Gone:
                self.gone += 1
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def _headers(self) -> dict[str, str]:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": kept, "X-CSRFToken": self.cookies.get("csrftoken", "")}

    def next_page(self, slug: str) -> tuple[str, dict] | None:
        """The address of the leased task and the data of its page; None when there is none."""
        status, text, where = self.send("GET", f"/p/{slug}/judge/")
        if status == 200:
            return None
        assert status == 302, (status, text[:300])
        return self.page(where)

    def page(self, where: str) -> tuple[str, dict] | None:
        """The same for an address that a submit answered with; None when that was the end of the queue."""
        status, text, _ = self.send("GET", where)
        assert status in (200, 302), (status, text[:300])
        found = re.search(r'id="judge-data"[^>]*>(.*?)</script>', text, re.S)
        return (where, json.loads(found[1])) if found else None
