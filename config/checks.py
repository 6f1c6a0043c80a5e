"""What is unsafe in the settings, in sentences that say what to write instead. Plain values in, sentences out.

Told before anything starts, whatever it is: a web process, a worker, the launcher or a command.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from annotate.address import networks

TRUE, FALSE = frozenset("true on ok y yes 1".split()), frozenset("false off n no 0".split())
SWITCHES = ("DEBUG", "HTTPS")
KEPT = ("drafts", "job_logs", "deliveries", "sessions", "sign_ins", "answers_to_programs")
SERVICES = ("DATABASE_URL", "REDIS_URL", "BROKER_URL")
GUESSED = frozenset("guest postgres redis rabbitmq admin root secret changeme touchstone".split())
CERTIFICATES = {"sslcert", "ssl_certfile"}  # whoever shows one needs no password
MAKE_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(50))' makes one"


def refusals(said: Mapping[str, str], readable: Mapping[str, int] | None = None) -> list[str]:
    """Why not to start. `said` is the environment; `readable` the modes of the files that hold secrets."""
    sentences = [*_switches(said), *_files(readable or {}), *_keys(said), *_hosts(said), *_origins(said)]
    return [*sentences, *_proxies(said), *_services(said), *_days(said), *_rate(said)]


def warnings(said: Mapping[str, str]) -> list[str]:
    """What to know of settings that are safe, but hardly what was meant."""
    return [*_one_address(said), *_no_nudges(said)]


def _switches(said: Mapping[str, str]) -> Iterator[str]:
    for name in SWITCHES:
        if (value := said.get(name, "")) and value.lower() not in TRUE | FALSE:
            yield f"{name}={value} is neither yes nor no: write {name}=True or {name}=False."


def _files(modes: Mapping[str, int]) -> Iterator[str]:
    for name, mode in modes.items():
        if mode & 0o077:
            yield f"{name} holds a secret, and others on this machine may read it: chmod 600 {name}."


def _keys(said: Mapping[str, str]) -> Iterator[str]:
    keys = [("SECRET_KEY", 50, said.get("SECRET_KEY", "")), ("METRICS_TOKEN", 32, said.get("METRICS_TOKEN", ""))]
    keys += [("SECRET_KEY_FALLBACKS", 50, key) for key in _list(said, "SECRET_KEY_FALLBACKS")]
    for name, least, key in keys:
        if key and (len(key) < least or len(set(key)) < 5 or key.startswith("django-insecure")):
            yield f"{name} can be guessed: write {least} random characters or more; {MAKE_KEY}."
    if not said.get("SECRET_KEY") and not _is_local(urlsplit(said.get("DATABASE_URL", ""))):
        yield (
            "SECRET_KEY is not set, and DATABASE_URL is on another host: each machine would make a key of its own and "
            f"end the sessions of the others. Write the same SECRET_KEY on all; {MAKE_KEY}."
        )


def _days(said: Mapping[str, str]) -> Iterator[str]:
    for part in filter(None, said.get("RETENTION", "").split(",")):
        name, _, days = part.partition("=")
        if name not in KEPT or not days.isdecimal():
            yield f"RETENTION={part} is no number of days of {', '.join(KEPT)}: write for instance RETENTION=drafts=90."


def _rate(said: Mapping[str, str]) -> Iterator[str]:
    if (rate := said.get("API_RATE", "")) and not re.fullmatch(r"\d{1,9}/(s|min|h)", rate):
        yield f"API_RATE={rate} is no rate: write for instance API_RATE=600/min; also 10/s or 5000/h."


def _hosts(said: Mapping[str, str]) -> Iterator[str]:
    names = _public(said)
    if any(name.startswith("*") for name in names):
        yield "ALLOWED_HOSTS=* answers to every name that is made up: write the site's own, as in rate.example.org."
    if names and _on(said, "DEBUG"):
        yield f"DEBUG=True shows the source and the settings to whoever reaches {names[0]}: write DEBUG=False."
    if names and not _on(said, "HTTPS"):
        yield (
            f"ALLOWED_HOSTS names {names[0]}, but passwords would travel in clear: put a proxy that speaks HTTPS in "
            "front and write HTTPS=True."
        )


def _origins(said: Mapping[str, str]) -> Iterator[str]:
    for origin in _list(said, "CSRF_TRUSTED_ORIGINS"):
        scheme, mark, host = origin.partition("://")
        if not mark or scheme not in ("http", "https") or not host or host.startswith("*"):
            yield f"CSRF_TRUSTED_ORIGINS={origin} is no origin: write scheme and name, as in https://{host or scheme}."
        elif scheme == "http" and _on(said, "HTTPS"):
            yield f"CSRF_TRUSTED_ORIGINS={origin} is not HTTPS, and HTTPS=True: write https://{host}."


def _proxies(said: Mapping[str, str]) -> Iterator[str]:
    for proxy in _list(said, "TRUSTED_PROXIES"):
        try:
            everybody = any(network.prefixlen == 0 for network in networks((proxy,)))
        except ValueError:
            yield f"TRUSTED_PROXIES={proxy} is no address: write one, or a network, as in 10.0.0.1,fd00::/8, or unix."
            continue
        if everybody:
            yield f"TRUSTED_PROXIES={proxy} believes everybody's X-Forwarded-For: write the address of the proxy."


def _services(said: Mapping[str, str]) -> Iterator[str]:
    by_file = {"DATABASE_URL"} if said.get("PGPASSWORD") or said.get("PGPASSFILE") else set()
    for name in SERVICES:
        for url in map(urlsplit, filter(None, said.get(name, "").split(";"))):
            if _is_local(url) or CERTIFICATES & set(parse_qs(url.query)):
                continue
            if not url.password and name not in by_file:
                yield f"{name} has no password for {url.hostname}: write one, as in {_example(url)}."
            elif url.password and unquote(url.password) in GUESSED:
                yield f"{name} has a password for {url.hostname} that everybody knows: choose another, there and here."


def _one_address(said: Mapping[str, str]) -> Iterator[str]:
    told = said.get("TRUSTED_PROXIES") or said.get("FORWARDED_ALLOW_IPS")  # the second is uvicorn's
    if _on(said, "HTTPS") and not told:
        yield (
            "TRUSTED_PROXIES is not set: behind a proxy everybody has its address, and all wait for each other's wrong "
            "passwords. Write the proxy's address."
        )


def _no_nudges(said: Mapping[str, str]) -> Iterator[str]:
    several = said.get("WEB_CONCURRENCY", "1") not in ("", "1") or not _is_local(urlsplit(said.get("DATABASE_URL", "")))
    if several and not said.get("REDIS_URL"):
        yield (
            "REDIS_URL is not set, and there may be several processes: they cannot nudge each other, so live pages are "
            "slower and rates are counted by each process."
        )


def _is_local(url: SplitResult) -> bool:
    """On this machine: a file, a socket, or the loopback."""
    return not url.hostname or _is_loopback(url.hostname)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _public(said: Mapping[str, str]) -> list[str]:
    """The names that others reach the site by."""
    return [name for name in _list(said, "ALLOWED_HOSTS") if not _is_loopback(name.strip("[]").lower())]


def _list(said: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in said.get(name, "").split(",") if part.strip()]


def _on(said: Mapping[str, str], name: str) -> bool:
    return said.get(name, "").lower() in TRUE


def _example(url: SplitResult) -> str:
    return f"{url.scheme}://{url.username or ''}:PASSWORD@{url.hostname}{url.path}"
