"""The three rooms, the API, and Django's own admin."""

from django.contrib import admin
from django.urls import include, path

from config.api import urls as api
from config.metrics import metrics
from config.middleware import broken

urlpatterns = [
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("api/v1/", api),
    path("", include("annotate.urls")),
    path("", include("worker.urls")),
    path("", include("inspector.urls")),
]
handler500 = broken
