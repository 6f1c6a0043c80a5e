from django.urls import path

from worker.consumers import JobConsumer
from worker.views import backbone, imports, job, training, version

app_name = "worker"
urlpatterns = [
    path("p/<slug:slug>/jobs/", job.index, name="jobs"),
    path("p/<slug:slug>/jobs/<int:pk>/", job.detail, name="job"),
    path("p/<slug:slug>/jobs/<int:pk>/events/", job.events, name="job_events"),
    path("p/<slug:slug>/jobs/<int:pk>/cancel/", job.cancel, name="job_cancel"),
    path("p/<slug:slug>/jobs/<int:pk>/retry/", job.retry, name="job_retry"),
    path("p/<slug:slug>/import/", imports.import_file, name="import"),
    path("p/<slug:slug>/train/", training.train, name="train"),
    path("p/<slug:slug>/train/preview/", training.preview, name="train_preview"),
    path("p/<slug:slug>/backbones/", backbone.index, name="backbones"),
    path("p/<slug:slug>/versions/", version.index, name="versions"),
    path("p/<slug:slug>/versions/<int:number>/", version.detail, name="version"),
    path("p/<slug:slug>/versions/<int:number>/promote/", version.promote, name="promote"),
    path("p/<slug:slug>/versions/<int:number>/archive/", version.archive, name="archive"),
    path("p/<slug:slug>/versions/<int:number>/score/", version.score, name="score"),
]
websocket_urlpatterns = [path("ws/jobs/<int:pk>/", JobConsumer.as_asgi())]
