"""Rows for the tests of judging."""

import hashlib

from annotate.models import Item, Project, Response


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def make_item(project: Project, prompt: str, *texts: str, **fields) -> Item:
    """An item of one user turn with the responses given."""
    turns = fields.pop("turns", [{"role": "user", "content": prompt}])
    key = sha(repr((prompt, texts)))
    item = Item.objects.create(
        project=project, key=key, turns=turns, prompt_sha256=sha(prompt), split="train", **fields
    )
    Response.objects.bulk_create(
        Response(item=item, index=n, text=text, sha256=sha(text), source=f"source-{n}", metadata={"gold": n})
        for n, text in enumerate(texts)
    )
    return item
