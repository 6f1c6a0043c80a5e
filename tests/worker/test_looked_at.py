"""Which responses the segment heads may learn from: those that somebody looked at."""

import io
import json

from annotate.models import Response
from annotate.services.item import import_items
from worker.jobs.dataset import dataset_of
from worker.services.snapshot import freeze

SAID = {
    "nothing": {},
    "checked": {"checked": [0]},
    "missing": {"omissions": [{"response": 0, "note": "the date"}]},
    "marked": {"spans": [{"response": 0, "start": 0, "end": 2, "quote": "It", "category": "wrong"}]},
}


def test_a_response_with_something_missing_was_looked_at(project):
    ranking = {"shown": [0, 1], "outcome": "ranking", "ranking": [[0], [1]]}
    rows = [{"prompt": p, "responses": ["It is.", "Not."], "judgements": [ranking | said]} for p, said in SAID.items()]
    file = io.BytesIO("\n".join(map(json.dumps, rows)).encode())
    import_items(project=project, file=file, format="jsonl")
    spans = {example.key: example.spans for example in dataset_of(freeze(project=project)).examples}
    first = Response.objects.filter(index=0).order_by("item_id")
    found = [spans[str(response.pk)] for response in first]
    assert [one if one is None else len(one) for one in found] == [None, 0, 0, 1]
