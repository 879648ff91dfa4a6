"""Everything that can be configured, read once from the environment.

Each secret may also be given as a file by the same name with `_FILE` behind it. A bad or
missing setting stops the start with one line that names it; nothing falls back silently.
The connectors' settings (`SEATWISE_<KEY>_…`) are not here: see `connections.config`.
"""

import logging
import os
import re
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.log import CallbackFilter
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from seatwise import vault
from seatwise.connectors.home import home_code

PACKAGE = Path(__file__).parent
NODE_MODULES = Path(os.environ.get("SEATWISE_NODE_MODULES", PACKAGE.parent / "node_modules"))

# What a client that is frozen, or gone with its machine, has locked must be free before its work is
# given to another: see `tasks.rescuing`. What the operator's address says comes behind, and wins.
DATABASE_SESSION = {
    "idle_in_transaction_session_timeout": "20s",
    "tcp_keepalives_idle": "10",  # seconds, as all below
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    # Several people ask at once. To start helpers for one of them costs all more than it gains one.
    "max_parallel_workers_per_gather": "0",
}
DATABASE_CLIENT = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds
}


def refuse(name: str, sentence: str) -> SystemExit:
    """The one line that a bad setting stops the start with."""
    return SystemExit(f"seatwise: {name} {sentence}")


def read(name: str, default: str | None = None, *, purpose: str = "") -> str:
    """A setting's value, from `name` or the file that `name_FILE` points to."""
    path = os.environ.get(f"{name}_FILE", "").strip()
    value = os.environ.get(name, "").strip()
    if path and value:
        raise refuse(name, f"and {name}_FILE are both set: only one can be meant.")
    if path:
        return _text_of(f"{name}_FILE", Path(path))
    if value or default is not None:
        return value or default or ""
    raise refuse(name, f"is missing. {purpose}".strip())


def split_url(url: str) -> SplitResult | None:
    """An address in its parts; None when it is none, its host is missing or its port absurd."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and port != 0 else None


def _text_of(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise refuse(name, f"cannot be read: {error.strerror} ({path}).") from None
    except ValueError:
        raise refuse(name, f"cannot be read: it is not text in UTF-8 ({path}).") from None


def _secret_key() -> str:
    key = read(
        "SEATWISE_SECRET_KEY", purpose="It signs sign-in sessions; set 50 random characters."
    )
    if len(key) < 32:
        raise refuse("SEATWISE_SECRET_KEY", "is too short: at least 32 characters are needed.")
    return key


def _encryption_keys() -> vault.Ring:
    text = read(
        "SEATWISE_ENCRYPTION_KEYS",
        purpose="It seals vendors' tokens; make one with `seatwise keys new`.",
    )
    try:
        return vault.Ring.parse(text)
    except ValueError as error:
        raise refuse("SEATWISE_ENCRYPTION_KEYS", f"is not usable: {error}.") from None


def _base_url() -> str:
    url = read("SEATWISE_BASE_URL", "http://localhost:8000").rstrip("/")
    parts = split_url(url)
    # Anything beside scheme, host and port would end up in every address made from it.
    if parts is None or url.lower() != f"{parts.scheme}://{parts.netloc}".lower():
        parts = None
    if parts is None or parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        raise refuse("SEATWISE_BASE_URL", "must look like https://seatwise.example.com.")
    return url


def _database() -> dict[str, object]:
    url = read(
        "SEATWISE_DATABASE_URL",
        purpose="Start through the `seatwise` command to use the embedded database.",
    )
    try:
        given = conninfo_to_dict(url)
    except ProgrammingError:
        raise refuse(
            "SEATWISE_DATABASE_URL", "must look like postgresql://user@host:5432/name."
        ) from None
    if not given.get("dbname"):
        raise refuse("SEATWISE_DATABASE_URL", "names no database: postgresql://user@host/name.")
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST"}
    known |= {"port": "PORT"}
    wishes = " ".join(f"-c {name}={value}" for name, value in DATABASE_SESSION.items())
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{ours: str(given.pop(theirs, "")) for theirs, ours in known.items()},
        "OPTIONS": {
            **DATABASE_CLIENT,
            **given,
            "options": f"{wishes} {given.get('options') or ''}".strip(),
        },
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _billing_zone() -> ZoneInfo:
    name = read("SEATWISE_BILLING_ZONE", "UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder such as Europe
        raise refuse("SEATWISE_BILLING_ZONE", "must be a zone such as Europe/Berlin.") from None


def _home_code() -> str:
    try:
        return home_code(read("SEATWISE_HOME_CODE", ""))
    except ValueError:
        raise refuse("SEATWISE_HOME_CODE", "must be a country's calling code such as 49.") from None


def _metrics_token() -> str:
    token = read("SEATWISE_METRICS_TOKEN", "")
    if token and not re.fullmatch(r"[!-~]{16,}", token):
        raise refuse(
            "SEATWISE_METRICS_TOKEN", "must be at least 16 letters, digits or signs, no spaces."
        )
    return token


def _mail_server() -> dict[str, str | int | bool]:
    """What Django's connection to it takes; {} where none is named.

    A password leaves only by TLS, but for this very machine.
    """
    name, url = "SEATWISE_SMTP_URL", read("SEATWISE_SMTP_URL", "")
    if not url:
        return {}
    parts = split_url(url)
    plain = parts is not None and parts.query == "starttls=no"
    if parts is None or parts.scheme not in {"smtp", "smtps"} or not (plain or not parts.query):
        raise refuse(name, "must look like smtp://user:password@mail.example.com:587, or smtps://.")
    host, is_tls = parts.hostname or "", parts.scheme == "smtps"
    here = host in {"localhost", "127.0.0.1", "::1"}
    if parts.password and not is_tls and plain and not here:
        raise refuse(name, "sends a password, so it must not say starttls=no.")
    return {
        "host": host,
        "port": parts.port or (465 if is_tls else 587),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": is_tls,
        "use_tls": not is_tls and not plain and not here,
        "timeout": 20,  # seconds of silence
    }


def _mail_from() -> str:
    sender = read("SEATWISE_MAIL_FROM", "")
    address = parseaddr(sender)[1]
    if sender and (not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or not sender.isprintable()):
        raise refuse("SEATWISE_MAIL_FROM", "must look like Seatwise <seatwise@example.com>.")
    return sender


def _log_level() -> str:
    level = read("SEATWISE_LOG_LEVEL", "WARNING").upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise refuse("SEATWISE_LOG_LEVEL", "must be DEBUG, INFO, WARNING or ERROR.")
    return level


SECRET_KEY = _secret_key()
ENCRYPTION_KEYS = _encryption_keys()
BASE_URL = _base_url()
BILLING_ZONE = _billing_zone()
HOME_CODE = _home_code()
DESIGN_PAGE = read("SEATWISE_DESIGN_PAGE", "") == "1"
METRICS_TOKEN = _metrics_token()  # "": there is no such page
MAIL_SERVER = _mail_server()  # {}: no mail can be sent,
MAIL_FROM = _mail_from()  # nor where this is ""
DATABASES = {"default": _database()}

_over_tls = BASE_URL.startswith("https://")
_own_host = urlsplit(BASE_URL).hostname or ""
_own_host = f"[{_own_host}]" if ":" in _own_host else _own_host
ALLOWED_HOSTS = [_own_host] + [
    host.strip() for host in read("SEATWISE_ALLOWED_HOSTS", "").split(",") if host.strip()
]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
CSRF_FAILURE_VIEW = "seatwise.views.refused.forged"
DEBUG = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "allauth",
    "allauth.account",
    "procrastinate.contrib.django",
    "seatwise",
]
MIDDLEWARE = [
    "seatwise.views.health.for_any_host",
    "django.middleware.security.SecurityMiddleware",
    "seatwise.assets.Served",
    "seatwise.middleware.Compressed",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "seatwise.middleware.Attributed",
    "seatwise.middleware.signed_in",
]
ROOT_URLCONF = "seatwise.urls"
WSGI_APPLICATION = "seatwise.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "seatwise.views.shell.shell",
                "seatwise.views.installation.notice",
                "seatwise.views.notices.told",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": ["seatwise.templatetags.seatwise"],
        },
    }
]

USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STORAGES = {"staticfiles": {"BACKEND": "seatwise.assets.Hashed"}}

# Sign-in counters must be shared by every web process, so the cache lives in the database.
# What is found anew if it is gone lies apart: were the two to share a limit, looking at many pages
# would push out the counters. Theirs is for a crowd of addresses that guess at once.
CACHES = {
    name: {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": table,
        "OPTIONS": {"MAX_ENTRIES": most},
    }
    for name, table, most in (
        ("default", "seatwise_cache", 100_000),
        ("sums", "seatwise_sums", 5_000),
    )
}

AUTH_USER_MODEL = "seatwise.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
    }.items()
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "spend"
ACCOUNT_ADAPTER = "seatwise.accounts.ClosedToStrangers"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}
ACCOUNT_SESSION_REMEMBER = True
# Behind the proxy that TLS implies, all people would share one address and one sign-in limit.
# Only the last entry of X-Forwarded-For is believed: the proxy wrote it, the rest anybody may.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if _over_tls else 0

SESSION_ENGINE = "seatwise.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _over_tls
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # the vendor's redirect must carry it
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = _over_tls
PROBED = {"/healthz", "/readyz", "/metrics"}  # by a monitor, past the proxy
SECURE_REDIRECT_EXEMPT = [rf"^{path.removeprefix('/')}$" for path in sorted(PROBED)]
SECURE_HSTS_SECONDS = 31_536_000 if _over_tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _over_tls  # nothing else lives below Seatwise's own host name
# Asking browsers to know a host beforehand is a promise for the whole domain and hard to take back:
# its owner's to make, in the proxy, and not this program's.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _over_tls else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

_LINK = re.compile(r"(/password/set/[0-9A-Za-z]+-|/renewals/(?=[^/\s]+\.ics))[^/\s]+")


def _without_links(record: logging.LogRecord) -> bool:
    """A one-time link is a secret until it was used, and the address of a calendar as long as it
    answers; refusals are logged with their address."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            _LINK.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args
        )
    return True


def _no_probe(record: logging.LogRecord) -> bool:
    """What is wrong is told to whoever probes, over and over; the log has it once a change."""
    path = getattr(getattr(record, "request", None), "path_info", "")
    return not (path in PROBED and getattr(record, "status_code", 0) == 503)


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {
        "links": {"()": CallbackFilter, "callback": _without_links},
        "probes": {"()": CallbackFilter, "callback": _no_probe},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": _log_level()},
    # `seatwise.requests` tells of each request what is no secret; the client tells whole addresses.
    "loggers": {
        **{name: {"level": "WARNING"} for name in ("httpx2", "httpcore2")},
        "django.request": {"filters": ["links", "probes"]},
        "django.security.csrf": {"filters": ["links"]},
    },
}
