"""What may be asked of the ledger: every value is checked against a list or a shape, none becomes part of a query."""

from datetime import datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.utils.timezone import make_aware

from annotate.audit import SAID
from annotate.models import Event, Membership, Project, User
from annotate.models.event import EventQuerySet

SITE = "-"  # instead of a name: what the site did by itself
DAY = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
LAST = datetime.max.date() - timedelta(days=1)


def _kinds() -> list[tuple[str, object]]:
    """Every act, by what it is about: [(noun, [(kind, words)])], each noun itself first."""
    nouns = sorted({kind.partition(".")[0] for kind in SAID})
    groups = [
        (noun.replace("_", " "), [(noun, f"anything about {noun.replace('_', ' ')}"), *_acts(noun)]) for noun in nouns
    ]
    return [("", "any act"), *groups]


def _acts(noun: str) -> list[tuple[str, str]]:
    return [(kind, kind.replace("_", " ").replace(".", " ")) for kind in SAID if kind.startswith(f"{noun}.")]


class AuditForm(forms.Form):
    who = forms.CharField(max_length=150, required=False, help_text="A dash: what the site did by itself.")
    kind = forms.ChoiceField(label="Act", choices=_kinds, required=False)
    subject = forms.RegexField(r"\A[a-z]{1,40}:[0-9]{1,19}\Z", required=False, help_text="As in job:12.")
    since = forms.DateField(label="From", required=False, widget=DAY)
    until = forms.DateField(label="To", required=False, widget=DAY)
    subject.error_messages["invalid"] = "A kind of thing and its number, as in job:12."

    def __init__(self, *args: object, project: Project | None, **options: object) -> None:
        super().__init__(*args, **options)
        self.project = project
        self.fields["who"].widget.attrs = {"list": "people", "autocomplete": "off"}

    def clean_who(self) -> User | str | None:
        name = self.cleaned_data["who"]
        if name in ("", SITE):
            return name or None
        people = User.objects.filter(username=name)
        if self.project:  # no name of another project can be tried out
            member = Membership.objects.filter(user=OuterRef("pk"), project=self.project)
            acted = Event.objects.filter(actor=OuterRef("pk"), project=self.project)
            people = people.filter(Exists(member) | Exists(acted))
        if not (found := people.first()):
            raise ValidationError("Nobody of this name has done anything here.")
        return found

    def clean_until(self) -> object:
        if (day := self.cleaned_data["until"]) and day > LAST:
            raise ValidationError("That day never comes.")
        return day

    def chosen(self) -> EventQuerySet:
        """The events that were asked for."""
        asked, rows = self.cleaned_data, Event.objects.all()
        rows = rows.filter(project=self.project) if self.project else rows
        if asked["who"]:
            rows = rows.filter(actor=None if asked["who"] == SITE else asked["who"])
        rows = rows.of_kind(asked["kind"]) if asked["kind"] else rows
        rows = rows.filter(subject=asked["subject"]) if asked["subject"] else rows
        until = asked["until"] and asked["until"] + timedelta(days=1)
        return rows.between(_midnight(asked["since"]), _midnight(until))


def _midnight(day: object) -> datetime | None:
    return make_aware(datetime.combine(day, time())) if day else None
