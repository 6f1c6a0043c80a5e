"""Django's admin, for looking at jobs and versions; both are written by services and jobs."""

from django.contrib import admin
from django.template.defaultfilters import filesizeformat

from annotate.admin import ReadOnly
from worker.models import Job, Node, Pool, Snapshot, Suite, Version
from worker.models.job import JobState
from worker.services.node import is_stale


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


@admin.register(Node)
class NodeAdmin(ReadOnly):
    list_display = ["name", "device", "memory", "gpu_memory", "queues", "does", "version", "seen_at", "alive"]

    @admin.display(description="memory")
    def memory(self, node: Node) -> str:
        return f"{filesizeformat(node.memory_used)} of {filesizeformat(node.memory_total)}"

    @admin.display(description="GPU memory")
    def gpu_memory(self, node: Node) -> str:
        return f"{filesizeformat(node.gpu_used)} of {filesizeformat(node.gpu_total)}" if node.gpu_total else ""

    @admin.display(description="does")
    def does(self, node: Node) -> Job | str:
        return Job.objects.filter(state=JobState.RUNNING, worker=node.name).first() or "waits for work"

    @admin.display(boolean=True, description="alive")
    def alive(self, node: Node) -> bool:
        return not is_stale(node)


@admin.register(Pool, Suite)
class NamedAdmin(ReadOnly):
    list_display = ["pk", "project", "name", "created_at"]
    list_select_related = ["project"]
