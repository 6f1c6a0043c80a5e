from django.urls import path

from worker.consumers import JobConsumer
from worker.person_urls import routes as person_routes
from worker.round_urls import routes as round_routes
from worker.views import (
    backbone,
    export,
    imports,
    job,
    pool,
    queue,
    scored_file,
    serving,
    sweep,
    training,
    transform,
    version,
)
from worker.webhook_urls import routes as webhook_routes

app_name = "worker"
urlpatterns = [
    path("p/<slug:slug>/jobs/", job.index, name="jobs"),
    path("p/<slug:slug>/jobs/<int:pk>/", job.detail, name="job"),
    path("p/<slug:slug>/jobs/<int:pk>/events/", job.events, name="job_events"),
    path("p/<slug:slug>/jobs/<int:pk>/cancel/", job.cancel, name="job_cancel"),
    path("p/<slug:slug>/jobs/<int:pk>/retry/", job.retry, name="job_retry"),
    path("p/<slug:slug>/jobs/<int:pk>/resume/", job.resume, name="job_resume"),
    path("p/<slug:slug>/jobs/<int:pk>/lighter/", job.lighter, name="job_lighter"),
    path("p/<slug:slug>/import/", imports.import_file, name="import"),
    path("p/<slug:slug>/train/", training.train, name="train"),
    path("p/<slug:slug>/train/preview/", training.preview, name="train_preview"),
    path("p/<slug:slug>/queue/", queue.index, name="queue"),
    path("p/<slug:slug>/sweeps/", sweep.index, name="sweeps"),
    path("p/<slug:slug>/sweeps/new/", sweep.new, name="sweep_new"),
    path("p/<slug:slug>/sweeps/<int:pk>/", sweep.detail, name="sweep"),
    path("p/<slug:slug>/sweeps/<int:pk>/cancel/", sweep.cancel, name="sweep_cancel"),
    path("p/<slug:slug>/backbones/", backbone.index, name="backbones"),
    path("p/<slug:slug>/versions/", version.index, name="versions"),
    path("p/<slug:slug>/versions/average/", version.average, name="average"),
    path("p/<slug:slug>/versions/<int:number>/", version.detail, name="version"),
    path("p/<slug:slug>/versions/<int:number>/promote/", version.promote, name="promote"),
    path("p/<slug:slug>/versions/<int:number>/archive/", version.archive, name="archive"),
    path("p/<slug:slug>/versions/<int:number>/score/", version.score, name="score"),
    path("p/<slug:slug>/versions/<int:number>/export/", export.start, name="export"),
    path("p/<slug:slug>/versions/<int:number>/exported/", export.download, name="exported"),
    path("p/<slug:slug>/versions/<int:number>/transform/", transform.transform, name="transform"),
    path("p/<slug:slug>/pools/", pool.index, name="pools"),
    path("p/<slug:slug>/pools/import/", pool.import_file, name="pool_import"),
    path("p/<slug:slug>/pools/<int:pk>/score/", pool.score, name="pool_score"),
    path("p/<slug:slug>/score-file/", scored_file.score_file, name="score_file"),
    path("p/<slug:slug>/jobs/<int:pk>/scored/", scored_file.download, name="scored_file"),
    path("p/<slug:slug>/serving/", serving.page, name="serving"),
    path("p/<slug:slug>/serving/create/", serving.create, name="serve_token_create"),
    path("p/<slug:slug>/serving/<int:pk>/revoke/", serving.revoke, name="serve_token_revoke"),
    *person_routes,
    *round_routes,
    *webhook_routes,
]
websocket_urlpatterns = [path("ws/jobs/<int:pk>/", JobConsumer.as_asgi())]
