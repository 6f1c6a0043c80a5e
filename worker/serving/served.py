"""The version being served, who may ask for its scores, and what becomes of both while the server runs."""

import logging
from collections.abc import Sequence

from django.db import close_old_connections

from worker.jobs.scored import scored
from worker.models import Version
from worker.rm.types import Example, Scored
from worker.services.serve_token import mark_used, matching, open_hashes

log = logging.getLogger(__name__)
TRIAL = [Example("trial", "", (("user", "Is this a question?"),), "It is.")]


class Served:
    """All of it is called from threads; what is replaced is replaced whole."""

    def __init__(self, version: Version, follow: bool = False) -> None:
        """Loads the model, so that a version that cannot score is refused before anybody asks. Raises ValueError."""
        self.follow, self.problem = follow, ""
        self._hashes: list[tuple[int, str]] = []
        self._used: set[int] = set()
        scored(version, TRIAL)
        self.version = version

    def score(self, examples: Sequence[Example]) -> tuple[str, Scored]:
        """One version scores a whole batch, also while another takes over."""
        version = self.version
        try:
            return str(version), scored(version, examples)
        finally:
            close_old_connections()

    def allows(self, secret: str) -> bool:
        """Whether the secret opened this project when the tokens were last looked at."""
        found = matching(secret, self._hashes)
        if found is not None:
            self._used.add(found)
        return found is not None

    def look(self) -> None:
        """Read the tokens, write which were used, and take up the promoted version when following it."""
        try:
            self._hashes = open_hashes(project=self.version.project)
            used, self._used = self._used, set()
            if used:
                mark_used(tokens=used)
            if self.follow:
                self._take_promoted()
        finally:
            close_old_connections()

    def _take_promoted(self) -> None:
        mine = Version.objects.select_related("project").filter(project=self.version.project_id)
        promoted = mine.promoted()
        if promoted is None or promoted.pk == self.version.pk:
            self.problem = ""
            return
        try:
            scored(promoted, TRIAL)
        except Exception as error:  # whatever it is, the version before goes on
            if self.problem != str(error):
                log.error("%s was promoted and cannot be served: %s", promoted, error)
            self.problem = str(error)
            return
        log.warning("Serving %s now, which was promoted.", promoted)
        self.version, self.problem = promoted, ""

    def about(self) -> dict:
        """What a client may want to write down beside its rewards."""
        version = self.version
        return {
            "version": str(version),
            "number": version.number,
            "state": version.state,
            "heads": [*version.heads, *(["raw"] if version.transforms else [])],
            "transforms": version.transforms,
            "mean": version.mean,
            "std": version.std,
            "temperature": version.temperature,
            "backbone": version.backbone,
            "encode_hash": version.encode_hash,
            "file_sha256": version.file_sha256,
            "follow": self.follow,
            "problem": self.problem,
        }
