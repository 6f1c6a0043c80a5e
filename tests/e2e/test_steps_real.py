"""Real reasoning in steps, through its importer to the judging page: BIG-Bench Mistake."""

import itertools
import json

import pytest

from annotate.models import Judgement
from annotate.schema_form import PRESETS
from annotate.services.item import import_items
from annotate.services.project import change_schema

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def some(human_data, tmp_path):
    """The first twelve rows."""
    path = tmp_path / "some.jsonl"
    with (human_data / "bigbench_mistake.jsonl").open() as rows:
        path.write_text("".join(itertools.islice(rows, 12)))
    return path


def test_the_first_error_of_real_steps_is_found_by_keyboard(page, live_server, client_of, project, bob, some):
    schema = PRESETS["steps"][1].model_copy(update={"steps": "first_error"})
    change_schema(project=project, schema=schema)
    with some.open("rb") as file:
        import_items(project=project, file=file, format="bigbench-mistake")
    session = client_of(bob).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/p/answers/judge/")
    page.wait_for_selector("html[data-ready]")
    for key in ("Shift+D", "ArrowDown", "-"):
        page.keyboard.press(key)
    rows = [json.loads(line) for line in some.read_text().splitlines()]
    shown = page.locator(".step-list li").count()
    assert shown in {len(row["steps"]) for row in rows}
    old = page.url
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: url != old)
    page.wait_for_selector("html[data-ready]")
    judgement = Judgement.objects.get(rater=bob)
    assert list(judgement.steps.values()) == [[1, -1, *[None] * (shown - 2)]]
