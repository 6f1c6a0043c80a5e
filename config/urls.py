"""The three rooms, and Django's own admin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("annotate.urls")),
    path("", include("worker.urls")),
    path("", include("inspector.urls")),
]
