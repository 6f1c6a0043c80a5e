"""Django's admin, for looking. Acts belong to the services: only people and project fields can be edited here."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from annotate.models import Assignment, Event, Invite, Item, Judgement, Membership, Project, SchemaVersion, Task, User
from annotate.services.event import record
from annotate.services.second_factor import turn_off

# It shows every project's rows, whoever is a member: no right of Django's own opens it to less than a superuser.
admin.site.has_permission = lambda request: request.user.is_active and request.user.is_superuser


class ReadOnly(admin.ModelAdmin):
    """Rows that services write are not written by hand."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(User)
class AccountAdmin(UserAdmin):
    """Accounts are made and changed here by superusers, and leave events like all other acts.

    None is deleted: the ledger would lose who did what. An inactive account opens nothing.
    """

    list_display = ["username", "is_active", "is_superuser", "has_code", "last_login"]
    list_select_related = ["second_factor"]
    actions = ["reset_second_factor"]

    @admin.display(boolean=True, description="Second factor")
    def has_code(self, user: User) -> bool:
        return hasattr(user, "second_factor") and user.second_factor.confirmed_at is not None

    @admin.action(description="Reset the second factor: the password alone is enough again")
    def reset_second_factor(self, request: HttpRequest, users: QuerySet) -> None:
        if not request.user.is_superuser:
            raise PermissionDenied("A superuser resets second factors.")
        count = sum(turn_off(user=user, actor=request.user) for user in users)
        self.message_user(request, f"{count} reset.")

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def log_addition(self, request: HttpRequest, obj: User, message: object) -> object:
        record(kind="user.created", subject=obj, actor=request.user)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: User, message: object) -> object:
        record(kind="user.changed", subject=obj, actor=request.user, fields=fields_of(message))
        return super().log_change(request, obj, message)


def fields_of(message: object) -> list[str]:
    """Names of the fields that Django's admin says were changed; of a new password it says so in words."""
    changed = [one.get("changed", {}).get("fields", []) for one in message] if isinstance(message, list) else []
    return sorted(name for names in changed for name in names) or ["password"]


@login_not_required
def one_door(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """Django's own sign-in would be a second door, without a count of guesses and without the second factor."""
    if request.user.is_authenticated and not request.user.is_superuser:
        raise PermissionDenied("Django's admin is for superusers.")
    return redirect_to_login(request.GET.get("next") or reverse("admin:index"))


def password_at_home(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    return redirect("annotate:password")


admin.site.login, admin.site.password_change = one_door, password_at_home


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
