"""All settings, read from the environment, with defaults that are safe on one machine without any service."""

import importlib.util
import os
import sys
from contextlib import suppress
from pathlib import Path

import environ
from django.core.management.utils import get_random_secret_key

from config import checks
from config.logs import JsonLines, with_context

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")
env.ENVIRON = {name: value for name, value in os.environ.items() if value}  # NAME= is as if it was not there

VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)


def _install_secret() -> str:
    """A random key of this installation, written once and readable by its owner only."""
    path = VAR_DIR / "secret_key"
    if not path.exists():
        draft = VAR_DIR / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(get_random_secret_key())
        with suppress(FileExistsError):  # another process that starts was faster: both take its key
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


def _refuse_unsafe() -> None:
    """End here, saying why, rather than start with a door open."""
    dotenv = BASE_DIR / ".env"
    secret = [VAR_DIR / "secret_key", *([dotenv] if dotenv.exists() and "SECRET_KEY=" in dotenv.read_text() else [])]
    modes = {str(path): path.stat().st_mode for path in secret if path.exists()}
    if why := checks.refusals(os.environ, modes):
        sys.exit("\n  ".join(["Touchstone does not start. Change these settings:", *why]))
    for sentence in checks.warnings(os.environ):
        print(f"Warning: {sentence}", file=sys.stderr)


_refuse_unsafe()

# ---- Safety
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or _install_secret()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])  # keys of before, good for reading alone
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", False)
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])  # whose X-Forwarded-For is believed
SECURE_SSL_REDIRECT, SECURE_HSTS_SECONDS = HTTPS, 365 * 24 * 3600 if HTTPS else 0
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]  # asked for from inside, by token
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # what other names of the domain do is not ours to say
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
_prefix = "__Host-" if HTTPS else ""  # browsers take such a cookie from this very host alone, and over HTTPS alone
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_prefix}sessionid", f"{_prefix}csrftoken"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # Strict would ask who follows a link to sign in again
SESSION_COOKIE_AGE = env.int("SESSION_IDLE_HOURS", 14 * 24) * 3600
SESSION_MAX_DAYS = env.int("SESSION_MAX_DAYS", 90)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Plotly writes inline styles, so styles may be inline; scripts never.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# ---- The house
INSTALLED_APPS = [
    "annotate",  # first: its createsuperuser is the one
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "template_partials",
    "worker",
    "inspector",
]
MIDDLEWARE = [
    "config.health.probes",
    "config.logs.request_id",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.logs.told",
    "config.metrics.counted",
    "annotate.api.door.door",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.middleware.in_utf8",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.htmx_manners",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WEB_THREADS = env.int("WEB_THREADS", 4)  # requests that one web process works on at a time, each with a connection
_context_processors = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": _context_processors,
            "builtins": [
                "template_partials.templatetags.partials",
                "django.templatetags.static",
                "django.contrib.humanize.templatetags.humanize",
            ],
        },
    }
]

# ---- People
AUTH_USER_MODEL = "annotate.User"
AUTHENTICATION_BACKENDS = ["config.sessions.Accounts"]
SESSION_ENGINE = "config.sessions"
LOGIN_URL = "annotate:login"
LOGIN_REDIRECT_URL = "annotate:home"
LOGOUT_REDIRECT_URL = "annotate:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "annotate.passwords.TokensEnd"}]
API_RATE = env.str("API_RATE", "600/min")  # requests of one user by access tokens

# ---- Storage
DATABASE_URL = env.str("DATABASE_URL", f"sqlite:///{VAR_DIR / 'touchstone.sqlite3'}")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock at BEGIN, so two writers queue instead of failing half way.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # Lets annotate.prepared keep its plans, one for each query from the first time on; its constants stand in the SQL.
    # Django's own queries are never prepared.
    keep_plans = {"prepare_threshold": 5, "options": "-c plan_cache_mode=force_generic_plan"}
    DATABASES["default"]["OPTIONS"] = keep_plans | DATABASES["default"].get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# What hosts share (worker/store.py): nothing where there is one, a folder that all mount, or s3://bucket/prefix.
ARTIFACT_STORE = env.str("ARTIFACT_STORE", "")
_shared = Path(ARTIFACT_STORE) if ARTIFACT_STORE and not ARTIFACT_STORE.startswith("s3://") else None
ARTIFACT_DIR = _shared or VAR_DIR / "artifacts"  # model files, named by us
UPLOAD_DIR = _shared / "uploads" if _shared else VAR_DIR / "uploads"  # parsed, never served
STORE_DIR = VAR_DIR / "store"  # drafts for the bucket, and models out of it, up to so many bytes:
ARTIFACT_CACHE_BYTES = env.int("ARTIFACT_CACHE_BYTES", 20 * 2**30)
CACHE_DIR = VAR_DIR / "embeddings"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", 256 * 2**20)

RETENTION = {name: int(days) for name, days in env.dict("RETENTION", default={}).items()}  # worker.services.retention

# ---- Nudges: broker and channel layer (the database stays the truth)
REDIS_URL = env.str("REDIS_URL", "")
BROKER_URL = env.str("BROKER_URL", "") or REDIS_URL or "filesystem://localhost"
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
# Counters and answers that may be lost: each process has its own where there is no Redis.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "touchstone",
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
# In memory the nudge of a worker does not reach the web process: the socket then looks more often.
SOCKET_LOOK_SECONDS = 2.0 if REDIS_URL else 0.4
JOB_HEARTBEAT_SECONDS = env.float("JOB_HEARTBEAT_SECONDS", 1.0)
JOB_STALE_SECONDS = env.float("JOB_STALE_SECONDS", 15.0)
BACKBONE_DIR = Path(env.str("BACKBONE_DIR", str(VAR_DIR / "backbones")))  # folders that admins may register
BACKBONE = env.str("BACKBONE", "minilm")  # the bundled all-MiniLM-L6-v2, a local folder, or a hub id

# ---- Static files: ours, htmx from django-htmx, plotly.js from plotly
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
_plotly = Path(importlib.util.find_spec("plotly").submodule_search_locations[0])
STATICFILES_DIRS = [BASE_DIR / "static", ("plotly", str(_plotly / "package_data"))]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# ---- Language, time, logs
LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True
LOG_FORMAT = env.str("LOG_FORMAT", "line")  # or json: one object a line
_stderr = {"handlers": ["stderr"], "propagate": False}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": lambda: with_context}},
    "formatters": {
        "line": {"class": "config.logs.Lines", "format": "%(asctime)s %(levelname)s %(name)s%(about)s %(message)s"},
        "json": {"()": JsonLines},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["context"]}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"uvicorn": _stderr, "uvicorn.access": _stderr | {"level": "WARNING"}},  # its lines are as ours
}
# For a scraper of /metrics; superusers may look as well.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
