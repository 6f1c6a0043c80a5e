from django.urls import path

from annotate.views import account, export, item, judge, keys, member, project, schema

app_name = "annotate"
urlpatterns = [
    path("", project.home, name="home"),
    path("login/", account.login, name="login"),
    path("logout/", account.logout, name="logout"),
    path("keys/", keys.keys, name="keys"),
    path("password/", account.password, name="password"),
    path("invite/<str:token>/", account.invite, name="invite"),
    path("new/", project.new, name="new_project"),
    path("p/<slug:slug>/", project.overview, name="project"),
    path("p/<slug:slug>/settings/", project.settings, name="settings"),
    path("p/<slug:slug>/schema/", schema.schema, name="schema"),
    path("p/<slug:slug>/schema/preview/", schema.schema_preview, name="schema_preview"),
    path("p/<slug:slug>/schema/tasks/", schema.schema_tasks, name="schema_tasks"),
    path("p/<slug:slug>/members/", member.members, name="members"),
    path("p/<slug:slug>/members/invite/", member.invite_create, name="invite_create"),
    path("p/<slug:slug>/members/revoke/<int:pk>/", member.invite_revoke, name="invite_revoke"),
    path("p/<slug:slug>/members/role/<int:pk>/", member.role, name="member_role"),
    path("p/<slug:slug>/members/remove/<int:pk>/", member.remove, name="member_remove"),
    path("p/<slug:slug>/items/", item.index, name="items"),
    path("p/<slug:slug>/items/<int:pk>/", item.detail, name="item"),
    path("p/<slug:slug>/export/", export.page, name="export"),
    path("p/<slug:slug>/export/file/", export.file, name="export_file"),
    path("p/<slug:slug>/judge/", judge.next_task, name="next"),
    path("p/<slug:slug>/judge/<int:pk>/", judge.judge, name="judge"),
    path("p/<slug:slug>/judge/<int:pk>/submit/", judge.submit, name="submit"),
    path("p/<slug:slug>/judge/<int:pk>/draft/", judge.draft, name="draft"),
    path("p/<slug:slug>/judge/<int:pk>/skip/", judge.skip, name="skip"),
    path("p/<slug:slug>/judge/<int:pk>/heartbeat/", judge.heartbeat, name="heartbeat"),
]
