"""The promise that every command makes to a script."""

import io
import json

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from annotate.management.json_command import JsonCommand, project_named
from annotate.models import Project


class Sum(JsonCommand):
    """A command as a test needs one: it prints where it should not, reports, and adds."""

    def add_arguments(self, parser):
        parser.add_argument("numbers", nargs="+", type=float)

    def handle_json(self, *, numbers, **options):
        print("a library talks")
        self.report("adding", len(numbers), len(numbers), {"loss": 0.25})
        return {"sum": sum(numbers), "of": {"count": len(numbers)}}


class Failing(JsonCommand):
    error: Exception

    def handle_json(self, **options):
        raise self.error


def run(command, *arguments):
    out, err = io.StringIO(), io.StringIO()
    command.stdout._out, command.stderr._out = out, err
    command.run_from_argv(["manage.py", "it", *arguments])
    return out.getvalue(), err.getvalue()


def test_with_json_standard_output_is_one_object_and_nothing_else(capsys):
    out, err = run(Sum(), "1", "2", "--json")
    assert json.loads(out) == {"sum": 3.0, "of": {"count": 2}}
    assert "adding 2 of 2  loss 0.25" in err
    assert capsys.readouterr().out == ""


def test_without_json_the_same_values_can_be_read():
    assert run(Sum(), "1", "2")[0] == "sum: 3\nof:\n  count: 2\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("line 17: no\nprompt"), "line 17: no prompt"),
        (ValidationError({"slug": ["Too long."]}), "Too long."),
        (ValidationError(["Too few.", "None held out"]), "Too few. None held out"),
        (Project.DoesNotExist("No such project."), "No such project."),
        (FileNotFoundError(2, "No such file", "x.json"), "[Errno 2] No such file: 'x.json'"),
    ],
)
def test_an_expected_error_is_one_line_and_exit_status_1(error, line):
    command = Failing()
    command.error = error
    command.stderr._out = io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        command.run_from_argv(["manage.py", "it", "--json"])
    assert stopped.value.code == 1
    assert command.stderr._out.getvalue() == f"CommandError: {line}\n"


def test_a_mistake_of_ours_is_not_hidden():
    command = Failing()
    command.error = ZeroDivisionError("ours")
    with pytest.raises(ZeroDivisionError):
        call_command(command)


def test_a_value_that_json_does_not_know_is_an_error():
    with pytest.raises(CommandError, match="Out of range float"):
        call_command(Sum(), "nan", "--json")


def test_project_named(project):
    assert project_named("answers") == project
    with pytest.raises(CommandError, match="There is no project 'nothing'"):
        project_named("nothing")


def test_progress_is_thinned_to_stages_ends_and_seconds():
    command = Sum()
    command.stderr._out = io.StringIO()
    for done in range(0, 101):
        command.report("reading", done, 100)
    assert command.stderr._out.getvalue() == "reading 0 of 100\nreading 100 of 100\n"
