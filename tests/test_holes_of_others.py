"""One test for each class of hole that annotation and model-serving tools were found to have, against our own routes.

Held elsewhere: start-up settings in tests/test_checks.py, hostile text in a browser
in tests/e2e/test_hostile*.py, what may be written in code in tests/test_architecture.py, packed files that unpack to
more than they should in tests/annotate/formats/test_readers.py.
"""

import ast
import json
import re
import secrets
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import get_resolver

from annotate.models import AccessToken, Event, Item, Membership
from annotate.services.user import set_keys
from config.settings import BASE_DIR as ROOT
from tests.test_architecture import EVERY, SCRIPTS, TEMPLATES, found, imports, place
from tests.test_permissions import ROUTES, RULES, world  # noqa: F401
from worker.models import Job, Node, ServeToken
from worker.services import backbone, upload
from worker.services.demo import _account
from worker.store import uploads

EVIL = """"'><x-evil onfocus=evil()>{{ 7|add:7 }}"""
PATHS = (
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\x",
    "%2e%2e/x",
    "a/../../x",
    "x\0.json",
    "....//x",
    "file:///etc/x",
)
HAS_GET = sorted(name for name in ROUTES if "GET" in RULES[name].methods and RULES[name].right != "token")
HAS_POST = sorted(name for name in ROUTES if "POST" in RULES[name].methods)
MODELS = (  # ways to ask Django for what belongs to somebody else
    "project__memberships__user__password__startswith", "rater__password__regex", "created_by__password__gt",
    "actor__password", "user__sessions", "task__project__tokens__sha256__startswith", "state__in", "pk__gt",
)  # fmt: skip
SENDERS = {
    "config/run.py",  # asks whether its own web process answers
    "worker/bucket.py",  # the artifact store, where the operator's settings say
    "worker/outgoing.py",  # webhooks
    "worker/services/node.py",  # the name of this machine
}
ASKS = ("order_by", "ordering", "sort", "fields", "filter", "select", "expand", "group", "q__regex", "columns")


@pytest.fixture
def boss(world, client_of):  # noqa: F811
    """A superuser's browser, from which nothing is hidden by a role; faults are answered, not raised."""
    browser = client_of(world.people["superuser"])
    browser.raise_request_exception = False
    return browser


@pytest.fixture
def urls(world):  # noqa: F811
    return lambda names: [(name, world.here.url(name, world.people["superuser"])) for name in names]


def parameters():
    """Every name that a view, a form or a template reads from what is sent."""
    code = "\n".join(path.read_text() for path in EVERY)
    named = re.findall(r"(?:GET|POST|sent)(?:\.get|\.getlist)?[(\[]\"(\w+)\"", code)
    forms = re.findall(r"^    (\w+) = forms\.\w+Field\(", code, re.MULTILINE)
    shown = re.findall(r"\sname=\"(\w+)\"", "\n".join(path.read_text() for path in TEMPLATES))
    return sorted({*named, *forms, *shown} - {"csrfmiddlewaretoken"})


def body(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def trial(act):
    """What the request gives; what it did is undone."""
    with transaction.atomic():
        response = act()
        text = body(response).decode(errors="replace")
        transaction.set_rollback(True)
    return response, text


# ---- Requests made by the server for somebody else


def test_the_server_fetches_nothing_that_a_user_names():
    """CVE-2022-36551, CVE-2023-47116, CVE-2025-25297 (Label Studio), CVE-2024-40441 (doccano): an address in a form,
    an endpoint of a store, a template of a request. One module sends anything out: that of webhooks, which resolves
    once, connects to what it checked and follows nothing (tests/worker/test_outgoing.py)."""
    clients = {"urllib.request", "requests", "httpx", "aiohttp", "http.client", "urllib3", "ftplib", "socket", "boto3"}
    senders = {
        place(path)
        for path in EVERY
        if any(name == client or name.startswith(f"{client}.") for name in imports(path) for client in clients)
    }
    assert senders == SENDERS, "whatever sends something out: to an address of whom?"


def test_no_form_takes_an_address_of_a_store_or_a_path():
    """CVE-2025-25297 (Label Studio), CVE-2025-5173 (its ML backend): where files lie is the operator's to say."""
    words = {"endpoint", "bucket", "region", "path", "checkpoint", "file_path", "source", "host", "port", "dir"}
    assert words & set(parameters()) <= {"source"}  # of a suite or a pool: one of those listed
    assert not re.findall(r"FilePathField", "\n".join(path.read_text() for path in EVERY))


def test_an_import_takes_a_file_and_no_address(boss, urls):
    """CVE-2022-36551 (Label Studio): import by URL read the server's own files."""
    [(_, url)] = urls(["worker:import"])
    for address in ("file:///etc/passwd", "http://169.254.169.254/latest/meta-data/"):
        sent = {"file": address, "url": address, "format": "jsonl"}
        assert boss.post(url, sent).status_code == 422
    assert not Job.objects.filter(kind="import").exists()


# ---- Queries built by users


def test_no_path_through_the_tables_is_a_filter(boss, urls, secret):
    """CVE-2023-47117 (Label Studio): a filter of one's own, down to password hashes, one letter at a time. The page is
    as long as without it. On the way: what every answer carries, and that none holds a token (see below)."""
    keys = dict.fromkeys(MODELS, "md5") | dict.fromkeys(set(ASKS) - set(parameters()), "-created_by__password")
    for name, url in urls(HAS_GET):
        plain, asked = (walk(boss, url, query(url) | more) for more in ({}, keys))
        assert asked[0].status_code == plain[0].status_code < 500, name
        assert asked[1].count("<tr") == plain[1].count("<tr"), name
        assert "md5$" not in asked[1], name
        assert secret not in plain[1], name
        strict(url, plain[0])


def walk(browser, url, sent):
    return trial(lambda: browser.get(url.partition("?")[0], sent))


def query(url):
    """What an address already asks for."""
    pairs = [pair.partition("=") for pair in url.partition("?")[2].split("&") if pair]
    return {name: value for name, _, value in pairs}


ODD = [
    "user__password",
    "-user__password",
    "password__startswith=md5",
    "9" * 400,
    "\0",
    "[]",
    "-1",
    "\ud83d",
    "²",
    "{}",
]


def test_no_value_of_a_filter_is_a_name_or_breaks_a_page(boss, urls):
    """CVE-2023-47117 (Label Studio), from the side of the values: each page gets a value of each kind."""
    names = parameters()
    for place_, (name, url) in enumerate(urls(HAS_GET)):
        values = [ODD[(n + place_) % len(ODD)].encode("utf-8", "replace") for n in range(len(names))]
        response, text = walk(boss, url, dict(zip(names, values, strict=True)) | query(url))
        assert response.status_code < 500, f"{name}: {response.wsgi_request.GET.urlencode()[:2000]}"
        assert "md5$" not in text, name


def test_no_query_is_built_from_names_that_were_sent():
    """CVE-2023-47117 (Label Studio): nothing that is sent becomes the name of a column."""
    asks = {"filter", "exclude", "order_by", "values", "values_list", "annotate", "only", "defer", "select_related"}
    built = []
    for path in [path for path in EVERY if path.parts[-2] in ("views", "api")]:
        for call in [one for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Call)]:
            starred = [a.value for a in call.args if isinstance(a, ast.Starred)]
            starred += [word.value for word in call.keywords if word.arg is None]
            if getattr(call.func, "attr", "") in asks and starred:
                built += [f"{place(path)}: {ast.unparse(call)}"]
    assert [one for one in built if re.search(r"request|GET|POST|sent|asked|cleaned", one)] == []
    assert not found(r"\.raw\(|\.extra\(|RawSQL", [path for path in EVERY if path.parts[-2] in ("views", "api")])


# ---- Files that people bring, and files that they take


@pytest.mark.parametrize("name", ["evil.html", "evil.svg", "../../static/evil.js", "evil.html\r\nX: y", "<x-evil>.xml"])
def test_an_upload_lies_under_a_name_of_ours_and_no_address_serves_it(boss, world, name):  # noqa: F811
    """CVE-2023-47115, CVE-2024-23633 (Label Studio): an avatar and an import, served back as HTML."""
    markup = b'{"prompt": "<script>evil()</script>", "responses": ["a", "b"]}'
    url = world.here.url("worker:import", world.people["superuser"])
    boss.post(url, {"format": "jsonl", "file": SimpleUploadedFile(name, markup, "text/html")})
    [path] = settings.UPLOAD_DIR.iterdir()
    assert re.fullmatch(r"[0-9a-f]{32}", path.name)
    for folder in ("uploads", "media", "var/uploads", "static/uploads", "artifacts", "files", "data", "static/.."):
        assert boss.get(f"/{folder}/{path.name}").status_code == 404
    assert b"<x-evil" not in boss.get(url).content


def test_a_file_to_take_along_is_saved_and_never_shown(boss, urls, world):  # noqa: F811
    """CVE-2024-23633 (Label Studio): a raw download opened as a page. Ours is an attachment of a fixed type, under a
    name of ours, and would be in a sandbox even if a browser opened it."""
    files = {
        "annotate:audit_file": {}, "annotate:site_audit_file": {}, "inspector:best_of_n_file": {},
        "annotate:export_file": {"format": "touchstone", "container": "jsonl"}, "worker:scored_file": {},
    }  # fmt: skip
    for name, sent in files.items():
        [(_, url)] = urls([name])
        response = boss.get(url, query(url) | sent)
        assert response.status_code == 200, name
        assert re.fullmatch(r'attachment; filename="[\w.-]+"', response["Content-Disposition"]), name
        assert response["X-Content-Type-Options"] == "nosniff", name
        assert response["Content-Security-Policy"].startswith("sandbox;"), name
        assert "html" not in response["Content-Type"], name
        assert "svg" not in response["Content-Type"], name


@pytest.mark.parametrize("path", PATHS)
def test_no_name_that_is_sent_leads_out_of_a_folder(boss, world, project, alice, path):  # noqa: F811
    """CVE-2025-25295 (Label Studio SDK), GHSA-q9m2-fhv9-3jcf (Potato): a name joined to a path, checked by how it
    begins."""
    here, boss_user = world.here, world.people["superuser"]
    for name, field in (("worker:exported", "form"), ("annotate:export_file", "format"), ("worker:import", "checked")):
        assert boss.get(here.url(name, boss_user), {field: path}).status_code in (404, 422)
    for field in ("folder", "hub"):
        sent = boss.post(here.url("worker:backbones", boss_user), {field: path})
        assert sent.status_code == 422, field
    assert not Job.objects.filter(kind="backbone").exists()
    kept = upload.keep(SimpleUploadedFile(path, b"x"))
    assert Path(uploads().path(kept)).resolve().is_relative_to(settings.UPLOAD_DIR.resolve())


def test_a_folder_beside_the_right_one_is_not_in_it(project, alice):
    """GHSA-q9m2-fhv9-3jcf (Potato): `backbones-of-others` begins like `backbones`."""
    other = settings.BACKBONE_DIR.with_name(settings.BACKBONE_DIR.name + "-of-others") / "model"
    other.mkdir(parents=True)
    (other / "config.json").write_text("{}")
    assert backbone.folders() == []
    assert not found(r"startswith\(\s*(?:str\()?\w*(?:DIR|dir|folder|root|base)\b", EVERY)


def test_results_lie_under_names_of_ours(boss, urls):
    """CVE-2025-25295 (Label Studio SDK): what a file is called on the disk is never sent by a browser."""
    [(_, url)] = urls(["worker:scored_file"])
    boss.get(url, {"result": "../../secret_key", "name": "../../secret_key"})
    assert {path.name for path in (settings.ARTIFACT_DIR / "scored").iterdir()} == {"answers", "others"}


@pytest.mark.parametrize(
    "path",
    [
        "/static../config/settings.py", "/static/../config/settings.py", "/static/..%2fconfig/settings.py",
        "/static/%2e%2e/config/settings.py", "/static/....//config/settings.py", "/static//etc/passwd",
        "/var/secret_key", "/var/touchstone.sqlite3", "/config/settings.py", "/.env", "/.git/config", "/manage.py",
        "/staticfiles/", "/static/", "/templates/base.html", "/uploads/", "/artifacts/", "/media/", "/backups/",
        "/flower/", "/docs/", "/static/js/..%5c..%5cconfig%5csettings.py",
    ],
)  # fmt: skip
def test_nothing_but_static_files_lies_under_an_address(client, path):
    """GHSA-cpmr-mw4j-99r7 (Label Studio): settings and the secret key, read through the web server."""
    assert client.get(path).status_code == 404


def test_a_proxy_serves_no_folder_of_the_source():
    """GHSA-cpmr-mw4j-99r7 (Label Studio): `location /static` without its last slash, and an alias."""
    for path in [one for name in ("*nginx*", "*.conf", "Caddyfile*") for one in ROOT.rglob(name)]:
        if {".venv", "node_modules", "var", ".git"} & set(path.relative_to(ROOT).parts) or not path.is_file():
            continue
        text = re.sub(r"#.*", "", path.read_text())
        for where, inside in re.findall(r"location\s+(?:\^~\s*|=\s*)?(\S+)\s*\{([^}]*)\}", text):
            for alias in re.findall(r"\balias\s+([^;]+);", inside):
                assert where.endswith("/") == alias.strip().endswith("/"), f"{path}: {where} → {alias}"
            assert not re.search(r"autoindex\s+on", inside)
        assert not re.search(r"\broot\s+(?!\S*(?:staticfiles|empty)\b)\S+;", text), path


def test_only_the_door_is_open_to_the_network():
    """CVE-2024-40441 (doccano), whose hole led on to Flower: brokers, stores and databases publish no port."""
    path = ROOT / "compose.yaml"
    if not path.exists():
        assert not list(ROOT.glob("docker-compose*"))
        return
    import yaml

    for name, service in yaml.safe_load(path.read_text())["services"].items():
        ports = [str(port) for port in service.get("ports", [])]
        public = [port for port in ports if not port.startswith("127.0.0.1:")]
        assert not public or re.search("web|proxy|caddy|nginx", name), f"{name} publishes {public}"
        assert "flower" not in name


# ---- Markup


def test_nothing_that_is_sent_comes_back_as_markup(boss, urls):
    """CVE-2025-25296, CVE-2025-47783 (Label Studio): input printed into HTML, then JSON sent as HTML. Every parameter
    of every page."""
    sent = dict.fromkeys(parameters(), EVIL)
    for name, url in urls(HAS_GET):
        response, text = walk(boss, url, sent)
        assert response.status_code < 500, name
        harmless(name, response, text)


def harmless(name, response, text):
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("text/html"):
        assert "<x-evil" not in text, name
    elif "x-evil" in text:
        saved = "attachment" in response.headers.get("Content-Disposition", "")
        assert kind.startswith("application/json") or saved, f"{name}: {kind}"


def test_no_error_or_message_carries_markup(world, client_of, urls):  # noqa: F811
    """CVE-2025-25296 (Label Studio), for what is written: each form and each JSON body, all hostile, and where it
    leads to, with the message that is shown there. None of them makes a worker known, either: CVE-2024-10044
    (FastChat), where whoever registered one was sent the requests."""
    sent = dict.fromkeys(parameters(), EVIL)
    before = Node.objects.count()
    for name, url in urls(HAS_POST):
        browser = client_of(world.people["superuser"])
        browser.raise_request_exception = False
        response, text = trial(lambda: browser.post(url, sent, follow=True))  # noqa: B023
        harmless(name, response, text)
        if response.status_code == 400:  # it takes JSON
            body = json.dumps(sent)
            response, text = trial(lambda: browser.post(url, body, content_type="application/json"))  # noqa: B023
            harmless(name, response, text)
        assert response.status_code < 500, name
        assert Node.objects.count() == before, name


def test_signing_in_leads_to_no_other_site_and_to_no_fault(client, bob):
    sites = ("https://evil.example/", "//evil.example", "javascript:evil()", "\\\\evil.example")
    for target in (*sites, EVIL, "annotate:home", "a:b"):
        response = client.post("/login/", {"username": "bob", "password": "bob-pass-phrase", "next": target})
        assert response.status_code == 302
        assert response["Location"].startswith(("/", "%22", "annotate", "a:b"))
        client.logout()


def test_a_key_named_html_is_text_like_any_other(boss, urls, world):  # noqa: F811
    """CVE-2024-26152 (Label Studio): data with an `html` key was printed as it was, in the ranking template."""
    row = {"html": "<x-evil>", "value": {"html": "<x-evil>"}}
    turns = [{"role": "user", "content": "<x-evil>", "html": "<x-evil>"}]
    Item.objects.filter(project=world.here.project).update(
        metadata=row, turns=turns, context=[{"text": "<x-evil>"} | row]
    )
    for name, url in urls(["annotate:item", "annotate:judge", "annotate:case", "annotate:example"]):
        html = boss.get(url).content.decode()
        assert "<x-evil" not in html, name
        assert "&lt;x-evil&gt;" in html, name


def test_keys_of_ones_own_are_data_in_the_page(world, client_of, urls):  # noqa: F811
    """CVE-2026-22033 (Label Studio): hotkeys printed into a script, which then read the account's API token."""
    boss = world.people["superuser"]
    type(boss).objects.filter(pk=boss.pk).update(keys={"submit": "</script><x-evil>", "<x-evil>": "<!--<script>"})
    for name, url in urls(["annotate:judge", "annotate:keys"]):
        assert "<x-evil" not in client_of(boss).get(url).content.decode(), name
    assert not found(r"<script(?![^>]*\bsrc=)[^>]*>", TEMPLATES)  # islands are made by json_script alone


def test_ones_keys_are_ones_own(project, client_of, alice, bob):
    """CVE-2026-22033 (Label Studio), its second half: another's profile, by naming its id."""
    set_keys(user=bob, keys={})
    client_of(alice).post("/keys/", {"submit": "q", "user": bob.pk, "id": bob.pk, "pk": bob.pk, "username": "bob"})
    bob.refresh_from_db()
    assert bob.keys == {}


# ---- Secrets


@pytest.fixture
def secret(boss, world):  # noqa: F811
    """A token's, which was just shown to who made it."""
    url = world.here.url("annotate:machine_create", world.people["superuser"])
    shown = boss.post(url, {"name": "judge"}, follow=True)
    assert shown.context["secret"] in shown.content.decode()
    return shown.context["secret"]


def test_a_token_is_shown_once(boss, urls, secret):
    """CVE-2026-22033 (Label Studio): `GET` of one's API token. Only hashes are kept, so that no page can show one
    again; every page is looked through in test_no_path_through_the_tables_is_a_filter."""
    [(_, url)] = urls(["annotate:members"])
    assert secret not in boss.get(url).content.decode()
    for model in (AccessToken, ServeToken, Event, Session):
        assert secret not in str(list(model.objects.values())), model


def test_no_secret_and_no_password_is_written_in_the_source():
    """CVE-2023-43791 (Label Studio): one SECRET_KEY in every install. Argilla's `owner.apikey` and `12345678`,
    doccano's `admin/password`, Rubrix's `rubrix/1234`: known to everybody."""
    texts = [*EVERY, ROOT / "README.md", ROOT / ".env.example", *ROOT.glob("docs/*.md"), *ROOT.glob("*.y*ml")]
    keys = r"""(?i)(?:secret_key|password|passwd|api_?key)["']?\s*[:=]\s*["'][\w.!-]{6,}["']"""
    assert found(keys, texts) == []
    known = found(r"(?i)admin/password|admin:admin|12345678\b|changeme\b", texts)
    assert [one for one in known if not one.startswith("config/checks.py")] == []  # which refuses them


def test_the_demos_passwords_are_random(db):
    """Argilla's quick start, doccano's documentation: an account that everybody knows."""
    from annotate.models import Role

    made = [_account(role)[1] for role in Role]
    assert len(set(made)) == len(made)
    assert all(len(password) >= 12 for password in made)
    assert _account(Role.ADMIN)[1] == ""  # shown once


def test_each_installation_makes_a_secret_of_its_own(monkeypatch, tmp_path):
    """CVE-2023-43791 (Label Studio): hard-coded, so that everybody could forge a session."""
    from config import settings as wiring

    made = []
    for name in "ab":
        (tmp_path / name).mkdir()
        monkeypatch.setattr(wiring, "VAR_DIR", tmp_path / name)
        made.append(wiring._install_secret())
        assert (tmp_path / name / "secret_key").stat().st_mode & 0o077 == 0
    assert made[0] != made[1]
    assert min(map(len, made)) >= 50


# ---- Doors


def test_nobody_signs_up_by_themselves(client, db):
    """Label Studio's default: 16 of 17 hosts on the net let anybody register, who then read every project."""
    for path in ("signup", "sign-up", "register", "user/signup", "accounts/register", "accounts/signup", "join"):
        for slash in ("", "/"):
            assert (
                client.post(f"/{path}{slash}", {"username": "x", "password1": "y", "password2": "y"}).status_code == 404
            )
    assert client.post(f"/invite/{secrets.token_urlsafe(32)}/", {"username": "x"}).status_code == 404


def test_a_new_account_sees_nothing(client_of, charlie, world, django_user_model):  # noqa: F811
    """Label Studio's default: each new account read all projects."""
    assert not Membership.objects.filter(user=charlie).exists()
    page = client_of(charlie).get("/").content.decode()
    assert "You are in no project yet" in page
    assert world.here.project.name not in page


def test_debug_opens_nothing(client, client_of, world, settings):  # noqa: F811
    """Potato: `debug: true` opened every admin page, and a mode without passwords took any name."""
    settings.DEBUG = True
    annotator = client_of(world.people["annotator"])
    for name in HAS_GET:
        rule, url = RULES[name], world.here.url(name, None)
        if rule.right == "public":
            continue
        assert client.get(url).status_code in (302, 403), name
        if rule.right in ("manage", "research", "review", "superuser"):
            assert annotator.get(url).status_code == 403, name
    assert not [one for one in found(r"settings\.DEBUG|DEBUG", EVERY) if not one.startswith("config/")]


def test_every_writing_route_refuses_a_forged_request(client, world):  # noqa: F811
    """Label Studio issue 6296: forged requests were let through by a switch, once checks stood in the way."""
    browser = type(client)(enforce_csrf_checks=True)
    browser.force_login(boss := world.people["superuser"])
    before = Event.objects.count()
    for name in HAS_POST:
        if RULES[name].right == "token":  # no cookie counts there: who holds the token is who asks
            continue
        assert browser.post(world.here.url(name, boss), {}).status_code == 403, name
    for headers in ({"HX-Request": "true"}, {"Origin": "https://evil.example"}, {"Referer": "https://evil.example/"}):
        assert browser.post("/logout/", {}, headers=headers).status_code == 403
    assert Event.objects.count() == before


def test_no_switch_turns_a_check_off():
    """Label Studio issue 6296: a security switch that can be turned off will be."""
    text = (ROOT / "config" / "settings.py").read_text()
    switches = re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", text)
    assert {one for one in switches if re.search("CSRF|CSP|AUTH|SECUR|VERIFY|CHECK|INSECURE|DISABLE", one)} <= {
        "CSRF_TRUSTED_ORIGINS"
    }
    exempt = found(r"@?csrf_exempt", EVERY)
    assert {one.partition(":")[0] for one in exempt} <= {"annotate/views/machine.py", "config/api.py"}


def test_a_session_is_a_cookie_that_no_script_can_read(client, bob):
    """Studio: whoever knew a `session_id` was it, and tokens lay in localStorage."""
    client.post("/login/", {"username": "bob", "password": "bob-pass-phrase"})
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert not found(r"document\.cookie\s*=|cookie\.match\([^)]*session", SCRIPTS)
    assert not found(r"Storage\.setItem\([^)]*(?:token|session|jwt)", SCRIPTS)


def test_no_worker_registers_over_http():
    """CVE-2024-10044 (FastChat). Ours is known by the broker that it can reach; its row is written by its own process
    (and by no request: test_no_error_or_message_carries_markup)."""
    writers = [place(path) for path in EVERY if any(name.startswith("worker.services.node.") for name in imports(path))]
    assert not [one for one in writers if "/views/" in one or "/api/" in one]


def test_no_request_waits_for_a_model():
    """CVE-2026-6607 (FastChat): blocking calls in an async handler. Views are plain functions in a thread of a bounded
    pool, none reaches torch, and what takes long is a job (tests/test_architecture.py, tests/test_handler.py)."""
    for path in [one for one in EVERY if one.parts[-2] in ("views", "api")]:
        names = imports(path)
        assert not [n for n in names if n.startswith(("worker.jobs", "worker.serving", "torch", "transformers"))]
        assert not [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.AsyncFunctionDef)], place(
            path
        )


def test_nobody_judges_without_a_name(client, world):  # noqa: F811
    """Vote rigging in arenas (arXiv 2501.17858): anonymous votes by the hundred. Every answer has a rater, once."""
    before = world.here.project.judgements.count()
    for name in ("annotate:submit", "annotate:draft", "annotate:next"):
        url = world.here.url(name, None)
        assert client.post(url, "{}", content_type="application/json").headers["Location"].startswith("/login/")
    assert world.here.project.judgements.count() == before


def test_models_are_read_from_safetensors_alone():
    """CVE-2025-5173 (Label Studio's ML backend): `torch.load` of a file that a user named."""
    unsafe = r"torch\.load\(|import (?:c?pickle|dill|joblib|shelve|marshal)|allow_pickle\s*=\s*True|yaml\.load\("
    assert found(unsafe, EVERY) == []
    ours = {"worker/card.py", "worker/rm/export.py", "worker/rm/modeling_touchstone.py"}  # a folder of our own making
    assert {one.partition(":")[0] for one in found(r"trust_remote_code\s*=\s*True", EVERY)} <= ours
    assert not re.findall(r"use_safetensors\s*=\s*False", "\n".join(path.read_text() for path in EVERY))


# ---- Headers


OTHERS = (
    "/nowhere/", "/static/css/touchstone.css", "/static/nowhere.js", "/admin/", "/admin/annotate/user/", "/logout/",
    "/p/nowhere/", "/p/answers/judge/1/submit/", "/api/machine/next/",
)  # fmt: skip


@pytest.mark.parametrize("url", OTHERS)
def test_every_answer_carries_the_policy(boss, url):
    """Label Studio's data manager needed `unsafe-eval`, so no strict policy could ever be set. Pages, files and data:
    test_no_path_through_the_tables_is_a_filter; faults: tests/test_middleware.py."""
    strict(url, boss.get(url))


def strict(url, response):
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe-eval" not in policy, url
    assert "default-src 'none'" in policy, url
    assert "script-src 'self';" in policy, url
    assert response.headers["X-Content-Type-Options"] == "nosniff", url
    assert url.startswith("/static/") or response.headers["X-Frame-Options"] == "DENY", url


def test_every_address_is_named_once():
    """A route that shadows another would be tested under the wrong rule."""
    patterns = [str(one.pattern) for part in get_resolver().url_patterns for one in getattr(part, "url_patterns", [])]
    twice = [one for one, n in Counter(patterns).items() if n > 1 and one.startswith("p/")]
    assert twice == []


def test_the_files_that_this_page_names_are_there():
    """What is said to be held elsewhere is."""
    named = re.findall(r"tests/[\w/]+\.py", Path(__file__).read_text())
    assert [one for one in named if not (ROOT / one).exists()] == []
