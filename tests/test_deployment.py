"""What a team's host is set up by: compose.yaml, Procfile, systemd units and the proxy say the same, and what is so."""

import contextlib
import http.client
import inspect
import os
import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.urls import resolve, reverse

from config.handler import AROUND
from tests.proxy import NAME, Proxy, filled
from tests.site import free_port
from tests.test_docs import VARIABLES
from tests.test_permissions import ROUTES

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one.get("image") == "touchstone"}
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
UNITS = {path.name: path.read_text() for path in (ROOT / "deploy" / "systemd").glob("*.service")}
FORM = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + AROUND
HOST = {"SITE_NAME", "TLS_DIR", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "WEB_PROCESSES"}  # not of the site
# Read by boto3, the hub's library and CUDA.
OTHERS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION"}
OTHERS |= {"AWS_REQUEST_CHECKSUM_CALCULATION", "HF_TOKEN", "HF_HUB_OFFLINE", "CUDA_VISIBLE_DEVICES"}
OF_THE_IMAGE = {"VAR_DIR"}  # the volumes are mounted there
# What compose itself knows better: the name people type, the services beside it, and where it mounts what is shared.
WRITTEN = {"SECRET_KEY", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "HTTPS", "TRUSTED_PROXIES", "DATABASE_URL"}
WRITTEN |= {"REDIS_URL", "ARTIFACT_STORE"}


def plain(command: str) -> str:
    """Without what differs by where it runs: the interpreter's folder, the address, a worker's own number."""
    command = command.removeprefix("/srv/touchstone/.venv/bin/").replace("%%h", "%h")
    command = re.sub(r"--host \S+ --port \S+", "--host HOST --port PORT", command)
    return re.sub(r"-n (cpu|gpu)-\S+@%h", r"-n \1@%h", command)


def test_compose_names_only_settings_that_are_read():
    named = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    assert named - set(VARIABLES) - HOST == set()
    for name, service in OURS.items():
        assert set(service["environment"]) - set(VARIABLES) - OTHERS == set(), name


@pytest.mark.parametrize("name", OURS)
def test_compose_passes_on_every_setting_that_stands_in_its_env_file(name):
    passed = OURS[name]["environment"]
    assert set(passed) == set(VARIABLES) - OF_THE_IMAGE | OTHERS
    assert {variable for variable, value in passed.items() if value is not None} == WRITTEN


@pytest.mark.parametrize("name", ["SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "SITE_NAME", "TLS_DIR"])
def test_compose_refuses_to_start_without_its_secrets(name):
    assert re.search(rf"\$\{{{name}:\?set {name} in \.env", TEXT)
    assert f"${{{name}:-" not in TEXT


def test_only_the_proxy_can_be_reached_from_outside():
    assert [name for name, one in SERVICES.items() if "ports" in one] == ["proxy"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["inside"]
    assert "--requirepass" in SERVICES["redis"]["command"]
    assert all("front" not in one["networks"] for one in OURS.values())


def test_ours_run_as_nobody_special_and_write_only_where_they_must():
    assert re.search(r"^USER touchstone$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for name, one in OURS.items():
        held = (one["read_only"], one["cap_drop"], one["security_opt"])
        assert held == (True, ["ALL"], ["no-new-privileges:true"]), name
    for name, text in UNITS.items():
        assert re.search(r"^User=touchstone$", text, re.MULTILINE), name
        assert re.search(r"^ProtectSystem=strict$", text, re.MULTILINE), name


def test_image_units_and_manage_keep_data_and_models_of_the_hub_in_the_same_place():
    [said] = re.findall(r"^ENV (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    image = {word for word in said.split() if not word.startswith("PYTHON")}
    assert set(re.findall(r"-E (\S+)", (ROOT / "deploy" / "manage").read_text())) == image
    for name, text in UNITS.items():
        assert set(re.search(r"^Environment=(.*)$", text, re.MULTILINE)[1].split()) == image, name


def test_a_backup_has_a_place_outside_the_container_and_the_documents_say_how_it_is_made():
    assert "./backups:/backups" in SERVICES["web"]["volumes"]
    [user] = re.findall(r"--uid (\d+)", (ROOT / "Dockerfile").read_text())
    for page in ("operations", "deployment"):
        text = (ROOT / "docs" / f"{page}.md").read_text()
        assert f"    install -d -o {user} -m 700 backups" in text, page
        assert "    install -d -o touchstone -m 700 /backups" in text, page
        for command in ("backup /backups/touchstone-monday", "restore /backups/touchstone-monday", "doctor"):
            assert f"    deploy/manage {command}" in text, page
            assert re.search(rf"^    docker compose (exec|run --rm) web python manage.py {command}", text, re.M), page


def test_the_documents_lead_nobody_to_a_command_without_the_site_s_settings():
    for page in ("operations", "deployment"):
        text = (ROOT / "docs" / f"{page}.md").read_text()
        assert not re.search(r"^ .*\.venv/bin/python manage\.py", text, re.M), page


def test_certificates_are_renewed_while_the_proxy_makes_room():
    commands = (ROOT / "docs/deployment.md").read_text().replace("\\\n", "").splitlines()
    asked = [line for line in commands if line.startswith("    certbot certonly")]
    assert len(asked) == 2
    assert all(re.search(r"--pre-hook '.* stop (nginx|proxy)'.*--post-hook '.* start \1'", line) for line in asked)


def test_an_upgrade_in_compose_migrates_first_and_shows_the_proxy_the_new_addresses():
    upgrade = (ROOT / "docs/deployment.md").read_text().split("## Upgrade")[1].split("\n## ")[0]
    assert re.findall(r"^    .*?(docker compose [a-z -]+?)(?:  .*| && (docker compose .*))?$", upgrade, re.M) == [
        ("docker compose build", ""),
        ("docker compose run --rm migrate", ""),
        ("docker compose up -d", "docker compose restart proxy"),
    ]


def test_everything_that_stays_up_has_a_health_check():
    staying = {name: one for name, one in SERVICES.items() if one["restart"] != "no"}
    assert [name for name, one in staying.items() if "healthcheck" not in one] == []
    assert "/readyz" in str(SERVICES["web"]["healthcheck"])
    assert "/healthz" in str(SERVICES["proxy"]["healthcheck"])


def test_compose_procfile_and_systemd_run_the_same_commands():
    compose = {name: plain(one["command"]) for name, one in OURS.items()}
    procfile = {name: plain(command) for name, command in PROCFILE.items()}
    procfile["migrate"] = procfile.pop("release")
    units = {
        re.match(r"touchstone-([a-z-]+)", name)[1]: plain(re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)[1])
        for name, text in UNITS.items()
    }
    assert compose == procfile == units
    assert all(
        command in (ROOT / "README.md").read_text() + (ROOT / "docs/deployment.md").read_text() for command in ()
    )


def test_the_image_holds_the_site_and_no_secret():
    copied = set(re.findall(r"^COPY (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert copied == {
        "requirements.txt",
        "manage.py",
        "annotate",
        "config",
        "inspector",
        "static",
        "templates",
        "worker",
    }


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_systemd_takes_the_units(tmp_path):
    for path in (ROOT / "deploy" / "systemd").iterdir():
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(), flags=re.MULTILINE)
        (tmp_path / path.name).write_text(text)
    command = ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_proxy_replaces_what_a_client_says_of_itself(tmp_path):
    text = filled(tmp_path, [8000, 8001], upload=1234)
    assert "$proxy_add_x_forwarded_for" not in text
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert "client_max_body_size 1234;" in text
    assert f"client_max_body_size {FORM // 2**20}m;" in text
    assert not re.search(r"\$\{[A-Z_]+\}", text)
    assert not re.search(r"^\s*(alias|autoindex|try_files)\b", text, re.MULTILINE)


def taking_files():
    """Addresses of the pages whose view looks for a file."""
    for name, arguments in ROUTES.items():
        address = reverse(name, kwargs=dict.fromkeys(arguments, "1"))
        if "request.FILES" in inspect.getsource(inspect.unwrap(resolve(address).func)):
            yield address


def status(proxy, address, body=b""):
    """Of a request that says it brings one byte more than a form may."""
    link = http.client.HTTPSConnection("127.0.0.1", proxy.https, context=ssl._create_unverified_context())
    headers = {"Host": NAME, "Content-Length": str(FORM + 1)}
    with contextlib.closing(link):
        link.request("POST", address, body, headers)
        return link.getresponse().status


def test_the_proxy_takes_large_bodies_only_where_files_are_taken(tmp_path):
    files = [*taking_files(), "/api/v1/projects/answers/items"]
    assert len(files) == 5
    with Proxy(tmp_path, [free_port()], upload=2 * FORM) as proxy:  # of no web process: what passes is a 502
        proxy.wait()
        assert {address: status(proxy, address, b"x" * (FORM + 1)) for address in files} == dict.fromkeys(files, 502)
        for address in ("/login/", "/p/answers/", "/p/answers/import/x", "/admin/", "/x/p/answers/import/"):
            assert status(proxy, address) == 413, address  # at once, before any of it was sent


def test_nginx_takes_the_proxy_s_configuration(tmp_path):
    command = [*Proxy(tmp_path, [8000, 8001]).command, "-t"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, "test is successful" in done.stderr) == (0, True), done.stderr
