"""The operations of judging, one file per noun."""

from ninja import Router

from annotate.api import items, judgements, projects, tasks

router = Router()
for noun in (projects, items, tasks, judgements):
    router.add_router("", noun.router)
