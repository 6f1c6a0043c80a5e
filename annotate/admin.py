"""Django's admin, for looking. Acts belong to the services: only people and project fields can be edited here."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from annotate.models import Assignment, Event, Invite, Item, Judgement, Membership, Project, SchemaVersion, Task, User


class ReadOnly(admin.ModelAdmin):
    """Rows that services write are not written by hand."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


admin.site.register(User, UserAdmin)


@admin.register(Project)
class ProjectAdmin(ReadOnly):
    list_display = ["slug", "name", "overlap", "paused", "created_at"]
    search_fields = ["slug", "name"]


@admin.register(SchemaVersion)
class SchemaVersionAdmin(ReadOnly):
    list_display = ["project", "number", "created_by", "created_at"]
    list_select_related = ["project", "created_by"]


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    list_display = ["project", "user", "role", "created_at"]
    list_filter = ["role"]
    list_select_related = ["project", "user"]


@admin.register(Invite)
class InviteAdmin(ReadOnly):
    list_display = ["project", "role", "state", "note", "created_by", "used_by", "expires_at"]
    list_select_related = ["project", "created_by", "used_by"]
    exclude = ["token_sha256"]


@admin.register(Item)
class ItemAdmin(ReadOnly):
    list_display = ["pk", "project", "external_id", "split", "created_at"]
    list_filter = ["project", "split"]
    list_select_related = ["project"]


@admin.register(Task)
class TaskAdmin(ReadOnly):
    list_display = ["pk", "project", "kind", "slots", "open_slots", "priority", "reason"]
    list_filter = ["project", "kind"]
    list_select_related = ["project"]


@admin.register(Assignment)
class AssignmentAdmin(ReadOnly):
    list_display = ["pk", "task", "rater", "state", "leased_at", "expires_at", "submitted_at"]
    list_filter = ["state"]
    list_select_related = ["task", "rater"]


@admin.register(Judgement)
class JudgementAdmin(ReadOnly):
    list_display = ["pk", "project", "outcome", "source", "rater", "rater_name", "revision", "created_at"]
    list_filter = ["project", "source", "outcome"]
    list_select_related = ["project", "rater"]


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ["pk", "project", "kind", "subject", "actor", "created_at"]
    list_filter = ["project"]
    list_select_related = ["project", "actor"]
    ordering = ["-pk"]
