"""Rows for the tests of judging."""

from annotate.formats.record import text_sha256
from annotate.models import Item, Project, Response


def make_item(project: Project, prompt: str, *texts: str, **fields) -> Item:
    """An item of one user turn with the responses given."""
    turns = fields.pop("turns", [{"role": "user", "content": prompt}])
    key = text_sha256(repr((prompt, texts)))
    item = Item.objects.create(
        project=project, key=key, turns=turns, prompt_sha256=text_sha256(prompt), split="train", **fields
    )
    Response.objects.bulk_create(
        Response(item=item, index=n, text=text, sha256=text_sha256(text), source=f"source-{n}", metadata={"gold": n})
        for n, text in enumerate(texts)
    )
    return item
