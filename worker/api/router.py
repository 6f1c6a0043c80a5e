"""The operations of reward models, one file per noun."""

from ninja import Router

from worker.api import attributions, jobs, scores, suites, versions

router = Router()
for noun in (jobs, versions, scores, attributions, suites):
    router.add_router("", noun.router)
