"""What was tried, by what was sent, and how it was taken."""

from collections import Counter
from dataclasses import dataclass, field

HOW = ("refused", "accepted", "server_errors")


@dataclass
class Tried:
    """Of one kind of input: how many of what were taken how; and what should not have happened."""

    kind: str
    taken: Counter = field(default_factory=Counter)  # (what was sent, one of HOW) → how many
    wrong: list[str] = field(default_factory=list)

    def add(self, what: str, how: str, said: str) -> None:
        """One more; `said` tells it from the others, should it be an error."""
        self.taken[what, how] += 1
        if how == "server_errors":
            self.wrong.append(f"{self.kind}, {what}: {said}")

    def line(self) -> dict:
        """The counts, together and by what was sent."""
        whats = list(dict.fromkeys(what for what, _ in self.taken))
        return {"kind": self.kind, **self._counts(whats), "of": {what: self._counts([what]) for what in whats}}

    def _counts(self, whats: list[str]) -> dict[str, int]:
        counts = {how: sum(self.taken[what, how] for what in whats) for how in HOW}
        return {"tried": sum(counts.values()), **counts}


def taken(status: int) -> str:
    """How an answer of HTTP took what was sent."""
    return "server_errors" if status >= 500 else "refused" if status >= 400 else "accepted"
