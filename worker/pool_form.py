"""What people send to the drift page: pools, tables of numbers, rollouts; or a pool of what was judged here."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from annotate.models import Project, User
from worker.models import PolicyRun, Pool
from worker.services.judged_pool import pool_of_judged
from worker.services.policy_run import import_run
from worker.services.pool import import_pool, import_table, left_out, listed

LARGEST = 16 * 2**20  # read while the browser waits; a larger file goes by command
KINDS = {
    "pool": "a pool: prompts with candidates, which versions can score",
    "table": "a table: a candidate a line, with metrics and gold",
    "run": "rollouts: step, kl, reward, gold",
    "judged": "none: a pool of responses judged here, with what people said as gold",
}


class PoolForm(forms.Form):
    kind = forms.ChoiceField(label="The file is", choices=list(KINDS.items()))
    name = forms.CharField(max_length=120)
    file = forms.FileField(allow_empty_file=False, required=False)
    prompt = forms.CharField(
        label="Column of the prompt", required=False, max_length=120, help_text="Of a table: lines that agree compete."
    )
    gold = forms.CharField(
        label="Columns of the gold",
        required=False,
        max_length=2000,
        initial="gold",
        help_text="Of a table: their mean is the gold, such as the criteria that people rated. Commas between.",
    )
    without = forms.CharField(
        label="Leave out", required=False, max_length=240, help_text="Of a table: COLUMN=VALUE of lines to leave out."
    )

    def clean_file(self) -> UploadedFile | None:
        file = self.cleaned_data["file"]
        if file and file.size > LARGEST:
            raise ValidationError(f"The file is larger than {filesizeformat(LARGEST)}: use manage.py import_pool.")
        return file

    def clean(self) -> dict:
        said = super().clean()
        if said.get("kind") != "judged" and "file" in said and not said["file"]:
            self.add_error("file", "Choose a file.")
        if said.get("kind") == "table" and not said.get("prompt"):
            self.add_error("prompt", "A table wants the column that says which lines compete.")
        return said

    def save(self, project: Project, actor: User) -> Pool | PolicyRun | None:
        """None where the file is wrong: the form says in which line."""
        said = self.cleaned_data
        about = {"project": project, "actor": actor, "name": said["name"]}
        try:
            if said["kind"] == "judged":
                return pool_of_judged(**about)
            about |= {"file": said["file"].file}
            if said["kind"] == "run":
                return import_run(**about)
            if said["kind"] == "pool":
                return import_pool(**about)
            gold, without = listed(said["gold"]), left_out(said["without"])
            return import_table(**about, prompt=said["prompt"], gold=gold, without=without)
        except ValueError as error:
            self.add_error("kind" if said["kind"] == "judged" else "file", str(error))
