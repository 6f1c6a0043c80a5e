"""What a text looks like, counted; and the job that counts a project's responses once."""

import pytest

from tests.inspector.making import make_item
from worker.models import Surface
from worker.services.job import run_now
from worker.services.probe import count_surface, counting
from worker.surface import counts

NOTHING = {"code": 0, "lists": 0, "headings": 0, "bold": 0, "hedges": 0, "opener": 0, "emoji": 0}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Plain words, 2 * 3 * 4 and snake__case__name.", {}),
        ("- one\n* two\n3) three\n\n2. four\n-five", {"lists": 4}),
        ("# Title\n####### none\n## Next", {"headings": 2}),
        ("**one** and __two__, not ** three ** nor **", {"bold": 2}),
        ("Use `a` or:\n```py\n**x**\n- b\n# c\n```\nand so on", {"code": 2}),
        ("```\nnever closed\n- a", {"code": 1}),
        ("Perhaps it may be so; I think it seems right. Maybach.", {"hedges": 4}),
        ("Great question! It ends there.", {"opener": 1}),
        ("  Sure, here you are.", {"opener": 1}),
        ("It is a great question.", {}),
        ("Surely not.", {}),
        ("Yes 😀🎉 ✅", {"emoji": 3}),
        ("", {}),
    ],
)
def test_counts(text, found):
    assert counts(text) == NOTHING | found


@pytest.mark.parametrize("text", ["*" * 20_000, "`" * 20_001, "__a" * 8_000, "- " * 10_000, "```" * 7_000])
def test_hostile_texts_are_counted_as_well(text):
    assert set(counts(text)) == set(NOTHING)


def test_each_response_is_counted_once(project):
    item = make_item(project, "Where?", "**There**, perhaps.", "Here.")
    done = run_now(count_surface(project=project))
    assert done.result == {"responses": 2}
    assert list(Surface.objects.order_by("pk").values_list("bold", "hedges")) == [(1, 1), (0, 0)]
    make_item(project, "When?", "- now")
    assert run_now(count_surface(project=project)).result == {"responses": 1}
    item.delete()
    assert Surface.objects.get().lists == 1


def test_one_job_counts_at_a_time(project):
    job = count_surface(project=project)
    assert count_surface(project=project) == counting(project) == job
