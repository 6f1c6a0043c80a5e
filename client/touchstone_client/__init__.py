"""Touchstone's HTTP API from Python: typed, standard library only.

    from touchstone_client import Touchstone

    project = Touchstone("https://touchstone.example", token).project("answers")
    for judgement in project.judgements():
        ...

Lists come page by page as they are read. Every write bears an idempotency key, so it is sent again after a lost
connection, 429 or 503 and is done once. What the server refuses is an ApiError with `status`, `detail` and `errors`.
"""

from collections.abc import Iterator
from typing import Any

from touchstone_client.project import JobFailed, Project, Task
from touchstone_client.wire import ApiError, Wire

__all__ = ["ApiError", "JobFailed", "Project", "Task", "Touchstone"]
__version__ = "1.0.0"


class Touchstone:
    """A site, by one person's token. `timeout` is in seconds; a request is tried up to `tries` times."""

    def __init__(self, url: str, token: str, *, timeout: float = 60.0, tries: int = 5) -> None:
        self.wire = Wire(url, token, timeout, tries)

    def projects(self) -> Iterator[dict[str, Any]]:
        """The projects that the token opens."""
        return self.wire.pages("/projects")

    def project(self, slug: str) -> Project:
        """One project; nothing is asked of the server yet."""
        return Project(self.wire, slug)
