"""Rows for the tests of judging."""

from annotate.formats.record import Turn, prompt_sha256, text_sha256
from annotate.models import Item, Project, Response
from annotate.services.known import add_known


def make_item(project: Project, prompt: str, *texts: str, **fields) -> Item:
    """An item of one user turn with the responses given."""
    turns = fields.pop("turns", [{"role": "user", "content": prompt}])
    key = text_sha256(repr((prompt, texts)))
    asked = prompt_sha256(Turn(**turn) for turn in turns)
    item = Item.objects.create(project=project, key=key, turns=turns, prompt_sha256=asked, split="train", **fields)
    Response.objects.bulk_create(
        Response(item=item, index=n, text=text, sha256=text_sha256(text), source=f"source-{n}", metadata={"gold": n})
        for n, text in enumerate(texts)
    )
    return item


def make_known(project: Project, prompt: str, *, kind="gold", best="good", item=None, taken_from=None, **fields):
    """A task whose answer is known: of the responses "good" and "bad", the best."""
    item = item or make_item(project, prompt, "good", "bad")
    responses = list(item.responses.all())
    first = next(one.pk for one in responses if one.text == best)
    ranking = [[first], [one.pk for one in responses if one.pk != first]]
    answer = {"outcome": "ranking", "ranking": ranking}
    return add_known(project=project, task_or_responses=taken_from or responses, kind=kind, answer=answer, **fields)
