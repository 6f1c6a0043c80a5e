"""Django's admin, for looking at jobs and versions; both are written by services and jobs."""

from django.contrib import admin

from annotate.admin import ReadOnly
from worker.models import Job, Pool, Snapshot, Suite, Version


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ["pk", "project", "kind", "state", "stage", "attempt", "worker", "created_at", "finished_at"]
    list_filter = ["project", "kind", "state"]
    list_select_related = ["project"]


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnly):
    list_display = ["pk", "project", "sha256", "created_by", "created_at"]
    list_select_related = ["project", "created_by"]


@admin.register(Version)
class VersionAdmin(ReadOnly):
    list_display = ["pk", "project", "number", "state", "backbone", "created_at"]
    list_filter = ["project", "state"]
    list_select_related = ["project"]


@admin.register(Pool, Suite)
class NamedAdmin(ReadOnly):
    list_display = ["pk", "project", "name", "created_at"]
    list_select_related = ["project"]
