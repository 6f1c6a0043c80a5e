"""What the page of marks is asked to show."""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count, Max, QuerySet

from annotate.models import Response
from inspector import columns as read
from inspector.marks import texts as marked
from worker.models import Attribution, Version
from worker.models.version import PREFERENCE

TRUTHS = {"people": "what people marked", "planted": "what was planted"}
PROMPTS = {"held-out": "held-out prompts", "all": "all prompts"}


@dataclass(frozen=True)
class Look:
    """A version's head, taken apart by a method, against one of TRUTHS on some of PROMPTS."""

    version: Version
    head: str = PREFERENCE
    method: str = "exact"
    truth: str = "people"
    prompts: str = "held-out"

    @property
    def name(self) -> str:
        return f"marks {self.head} {self.method} {self.truth} {self.prompts}"

    @property
    def query(self) -> str:
        return f"head={self.head}&method={self.method}&truth={self.truth}&prompts={self.prompts}"

    @property
    def category(self) -> str:
        """The kind of mark that a segment's head was made for; "" of other heads."""
        return self.head.removeprefix("segment:") if self.head.startswith("segment:") else ""

    @property
    def sign(self) -> float:
        """A segment's head says what is wrong, others what is good: times this, all of them object."""
        return 1.0 if self.category else -1.0

    @property
    def rows(self) -> QuerySet[Attribution]:
        return Attribution.objects.filter(version=self.version, head=self.head, method=self.method).order_by()

    @cached_property
    def marks(self) -> marked.Marked:
        """Of all responses that were looked at, explained or not."""
        return (marked.planted if self.truth == "planted" else marked.people)(self.version.project)

    @cached_property
    def explained(self) -> int:
        """How many of these have such an explanation."""
        return len(self.marks.keys() & set(self.rows.values_list("response_id", flat=True)))

    @cached_property
    def made_of(self) -> str:
        """Another with each new explanation, and with each new judgement or, of what was planted, response."""
        found = self.rows.aggregate(n=Count("pk"), last=Max("pk"))
        return f"{found['n']}:{found['last']},{self.said}"

    @cached_property
    def said(self) -> str:
        project = self.version.project
        if self.truth == "people":
            return read.judged_rows(project)
        return str(Response.objects.filter(item__project=project).aggregate(last=Max("pk"))["last"])
