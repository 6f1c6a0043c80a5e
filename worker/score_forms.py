"""What people send about scores: files, transforms, tokens of servers."""

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from annotate.models import Project
from worker.models import Version

SCALES = (("", "as it is"), ("standardise", "standardised"), ("temperature", "divided by the temperature"))
COMPARISONS = (
    ("", "with nothing"),
    ("baseline", "minus what the prompt's reference answers get"),
    ("log_sigmoid", "log-sigmoid of that difference"),
    ("delta", "minus what one source's answer gets"),
)
OF = (("mean", "their mean"), ("quantile", "a quantile of theirs"))


class ScoreFileForm(forms.Form):
    version = forms.ModelChoiceField(Version.objects.none(), empty_label="Choose a version")
    file = forms.FileField(allow_empty_file=False)

    def __init__(self, *args: object, project: Project, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].queryset = project.versions.select_related("project")

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            limit = filesizeformat(settings.UPLOAD_MAX_BYTES)
            raise forms.ValidationError(f"The file is larger than {limit}; score it with manage.py score.")
        return file


class TransformForm(forms.Form):
    """In the order in which the steps are done. A command can put them in any other."""

    scale = forms.ChoiceField(label="1. The score", choices=SCALES, required=False)
    compare = forms.ChoiceField(label="2. Compared", choices=COMPARISONS, required=False)
    of = forms.ChoiceField(label="Reference answers count by", choices=OF, required=False)
    quantile = forms.FloatField(label="Which quantile", min_value=0, max_value=1, initial=0.85, required=False)
    source = forms.CharField(
        label="Reference answers are those of", max_length=120, required=False, help_text="A source; empty: everybody."
    )
    low = forms.FloatField(label="3. Clipped from", required=False)
    high = forms.FloatField(label="to", required=False)

    def clean(self) -> dict:
        said = super().clean()
        if not (self.errors or said.get("scale") or said.get("compare") or self._clip()):
            raise forms.ValidationError("Choose at least one step.")
        return said

    def transforms(self) -> list[dict]:
        """The steps, to be checked by the service."""
        said = self.cleaned_data
        scale = [{"name": said["scale"]}] if said["scale"] else []
        return scale + self._comparison() + self._clip()

    def _comparison(self) -> list[dict]:
        said = self.cleaned_data
        if not said["compare"]:
            return []
        step = {"name": said["compare"], "source": said["source"]}
        if said["compare"] == "delta":
            return [step]
        quantile = {"quantile": said["quantile"]} if said["of"] == "quantile" and said["quantile"] is not None else {}
        return [step | {"of": said["of"] or "mean"} | quantile]

    def _clip(self) -> list[dict]:
        bounds = {name: self.cleaned_data.get(name) for name in ("low", "high")}
        return [] if bounds == {"low": None, "high": None} else [{"name": "clip"} | bounds]


class ServeTokenForm(forms.Form):
    name = forms.CharField(max_length=120, label="Name", help_text="Who will use it, for instance ppo-run-7.")
