"""In the database of a fresh site: a project with two versions, scores that a job stored, and a token."""

import json

from annotate.services.item import import_items
from annotate.services.project import create_project
from tests.worker.conftest import jsonl
from tests.worker.model import scoring_version
from worker.models import Score
from worker.services.job import HERE, launch, run_now
from worker.services.serve_token import create_serve_token
from worker.services.version import promote

ITEMS = [
    {"prompt": f"Where is town {n}?", "responses": [f"Town {n} is north.", "No idea 😀. " * (n % 7 + 1)]}
    for n in range(40)
]


def main() -> None:
    """Prints {"secret", "scores": [[prompt, response, score], …]} of version 1, which is promoted."""
    project = create_project(slug="served", name="Served")
    import_items(project=project, file=jsonl(*ITEMS), format="jsonl")
    version = promote(version=scoring_version(project))
    scoring_version(project, 2, seed=1)
    run_now(launch(project=project, kind="score", params={"version": version.pk}, queue=HERE))
    rows = Score.objects.filter(head="preference").select_related("response__item")
    told = [[row.response.item.prompt, row.response.text, row.value] for row in rows]
    print(json.dumps({"secret": create_serve_token(project=project, name="ppo")[1], "scores": told}))
