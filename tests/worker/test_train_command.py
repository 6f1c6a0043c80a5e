"""manage.py train and its --set. What --wait does: test_loop.py."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from worker.models import Job, Snapshot


def told(*arguments):
    out = StringIO()
    call_command("train", "answers", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_recipe_is_set_value_by_value(judged):
    told("--recipe", "lora", "--set", "tuning.epochs=2", "--set", "preference.objective=davidson", "--queue", "gpu")
    job = Job.objects.get()
    assert job.params["recipe"] == {"name": "lora", "tuning": {"epochs": 2}, "preference": {"objective": "davidson"}}
    assert (job.queue, job.params["backbone"]) == ("gpu", "minilm")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("tuning.epoch=2", "sets nothing"),
        ("tuning.epochs=2", "would change nothing with trainer heads"),
        ("extras.members=99", "extras.members: Input should be less than or equal to 16"),
    ],
)
def test_a_wrong_value_is_one_line_and_writes_nothing(judged, said, why):
    with pytest.raises(CommandError, match=why):
        told("--set", said)
    assert not Job.objects.exists()
    assert not Snapshot.objects.exists()
