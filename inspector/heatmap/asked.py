"""Which explanations of the chosen texts are there, which a worker makes now, and which there cannot be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from annotate.models import User
from inspector.heatmap.choice import Choice
from worker.explain import METHODS, Method
from worker.models import Attribution, EditAttribution, Job, Version
from worker.models.job import JobKind
from worker.models.version import PREFERENCE
from worker.services.edit import ask as ask_of_edit
from worker.services.job import cancel, launch

LOOKED = 50  # newest jobs that may have been about these texts


@dataclass(frozen=True)
class Asked:
    """How far one method is."""

    key: str
    there: bool
    job: Job | None = None  # the newest that was to explain by it; None where it is there
    why: str = ""  # it cannot be had

    @property
    def method(self) -> Method:
        return METHODS[self.key]

    @property
    def waiting(self) -> bool:
        return self.job is not None and not self.job.ended

    @property
    def failed(self) -> bool:
        return self.job is not None and self.job.ended and not self.why

    @property
    def open(self) -> bool:
        """Whether one can ask for it."""
        return not self.there and not self.waiting and not self.why


@dataclass(frozen=True)
class Part:
    """The stored responses, or the edit: whose explanations come by one kind of job."""

    there: frozenset[str]  # methods
    jobs: tuple[Job, ...]  # the newest first

    def asked(self, key: str) -> Asked:
        job = next((job for job in self.jobs if key in job.params.get("methods", [])), None)
        return Asked(key, True) if key in self.there else Asked(key, False, job, _why(job, key))


def _why(job: Job | None, key: str) -> str:
    left_out = job.result.get("left_out", []) if job else []
    return next((one["why"] for one in left_out if one["method"] == key), "")


def asked(version: Version, choice: Choice) -> dict[str, Asked]:
    """Method → how far it is for all texts shown."""
    parts = [part for part in (_stored(version, choice), _edited(version, choice)) if part]
    return {key: _worst([part.asked(key) for part in parts]) for key in METHODS}


def _worst(found: list[Asked]) -> Asked:
    """What the page must say of a method when one text has it and the other does not."""
    return min(found, key=lambda one: (one.there, not one.why, not one.failed, not one.waiting))


def _stored(version: Version, choice: Choice) -> Part | None:
    if not choice.responses:
        return None
    rows = Attribution.objects.filter(version=version, response__in=choice.responses, head=choice.head)
    known = set(rows.values_list("response_id", "method"))
    there = {key for key in METHODS if all((pk, key) in known for pk in choice.responses)}
    jobs = Job.objects.filter(project=version.project_id, kind=JobKind.ATTRIBUTE, params__version=version.pk)
    jobs = jobs.filter(params__has_key="responses")  # not those on whatever people marked
    return Part(frozenset(there), tuple(_about(jobs, choice)))


def _edited(version: Version, choice: Choice) -> Part | None:
    if not choice.edit:
        return None
    rows = EditAttribution.objects.filter(edit=choice.edit, head=choice.head)
    there = frozenset(rows.values_list("method", flat=True)) if choice.edit.scores else frozenset()
    jobs = Job.objects.filter(project=version.project_id, kind=JobKind.WHATIF, params__edit=choice.edit.pk)
    return Part(there, tuple(_about(jobs, choice)))


def _about(jobs: QuerySet[Job], choice: Choice) -> Iterator[Job]:
    """Those of the newest that were to explain all of the stored texts under this head."""
    for job in jobs.order_by("-pk")[:LOOKED]:
        heads = job.params.get("heads") or [PREFERENCE]
        if choice.head in heads and set(choice.responses) <= set(job.params.get("responses", choice.responses)):
            yield job


def under_way(states: Mapping[str, Asked]) -> list[tuple[Job, str]]:
    """Jobs that explain now, or are about to, each with the names of its methods here."""
    names: dict[Job, list[str]] = {}
    for one in states.values():
        if one.waiting:
            names.setdefault(one.job, []).append(one.method.name)
    return [(job, ", ".join(by)) for job, by in names.items()]


def usual(version: Version, choice: Choice) -> str:
    """The method shown when none was named: the first that is there, else the cheapest."""
    return next((key for key, one in asked(version, choice).items() if one.there), "exact")


def wanted(version: Version, choice: Choice, methods: list[str]) -> dict:
    """Parameters of the job that explains the stored texts; the same question gives the same parameters."""
    return {"version": version.pk, "responses": choice.responses, "methods": methods, "heads": [choice.head]}


def ask(*, version: Version, choice: Choice, methods: list[str], actor: User | None = None) -> None:
    """Let a worker make what is missing of these methods, unless one does."""
    stored, edited = _stored(version, choice), _edited(version, choice)
    if stored and (missing := _missing(stored, methods)):
        params = wanted(version, choice, missing)
        launch(project=version.project, kind=JobKind.ATTRIBUTE, params=params, actor=actor)
    if edited and (missing := _missing(edited, methods)):
        own = {"version": version, "response": choice.edit.response, "text": choice.edit.text}
        ask_of_edit(**own, head=choice.head, methods=missing, actor=actor)


def _missing(part: Part, methods: list[str]) -> list[str]:
    return [key for key in METHODS if key in methods and part.asked(key).open]


def stop(*, version: Version, choice: Choice, actor: User | None = None) -> None:
    """Ask every job that is explaining these texts to stop."""
    for part in (_stored(version, choice), _edited(version, choice)):
        for job in part.jobs if part else ():
            if not job.ended:
                cancel(job=job, actor=actor)
