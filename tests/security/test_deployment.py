"""A deployment with the documented settings passes Django's own check, and every page is strict."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from seatwise.models import Service, User
from seatwise.sessions import SessionStore
from seatwise.urls import urlpatterns
from seatwise.vault import new_key
from tests.conftest import PASSWORD, configure
from tests.pages import rows
from tests.sandboxes import Running
from tests.security.matrix import BY_FILE, expected
from tests.test_settings import start

ROOT = Path(__file__).parents[2]
CHECK = ("check", "--deploy", "--fail-level", "WARNING")
# A block of JSON is data: no browser runs it.
INLINE = re.compile(
    r'<script(?![^>]*\bsrc=)(?![^>]*\btype="application/json")[^>]*>'
    r"|<style|\sstyle=|\son[a-z]+=|javascript:",
    re.IGNORECASE,
)
FORM = re.compile(r'<form[^>]*method="post".*?</form>', re.IGNORECASE | re.DOTALL)
OURS = {"'self'", "'none'", "data:"}


def documented() -> dict[str, str]:
    """The settings of the first installation in docs/operating.md, with real secrets."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    names: dict[str, str] = dict(re.findall(r"^export (SEATWISE_\w+)=(\S+)", text, re.MULTILINE))
    made = {"SEATWISE_SECRET_KEY": os.urandom(40).hex(), "SEATWISE_ENCRYPTION_KEYS": new_key()}
    assert set(made) < set(names)
    return {name: made.get(name, value) for name, value in names.items()}


def test_djangos_deployment_check_finds_nothing_with_the_documented_settings() -> None:
    done = start(*CHECK, **documented())
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_djangos_deployment_check_finds_something_without_tls() -> None:
    done = start(*CHECK, **documented() | {"SEATWISE_BASE_URL": "http://localhost:8000"})
    assert done.returncode == 1
    assert "security.W008" in done.stderr


def pages(service: Service) -> Iterator[str]:
    """Every address that can be looked at, with what is there and what is not."""
    yield from ("/nowhere/", "/?add", "/services/pagerduty/settings/?integrate")
    yield from (f"/services/pagerduty/settings/?{dialog}" for dialog in ("revoke", "erase"))
    yield from ("/services/pagerduty/usage/?months=24", "/audit/?security=1", "/services/figma/")
    for name, which, method in expected():
        if method == "GET" and which == "own":
            pattern = next(each for each in urlpatterns if each.name == name)
            wanted = re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))
            key = "figma" if name in BY_FILE else service.key
            given = {"key": key, "pk": 1, "uidb36": "1", "secret": "made-up"}
            yield reverse(name, kwargs={each: given[each] for each in wanted})


@pytest.fixture
def full(
    vendor: Running, service: Service, monkeypatch: pytest.MonkeyPatch, admin: User, viewer: User
) -> Service:
    configure(vendor, monkeypatch)
    account = rows.connection(service)
    rows.member(account, "Mia Member", seen=3)
    Service.objects.create(key="figma", name="Figma")
    return service


@pytest.mark.parametrize("role", ["stranger", "viewer", "admin"])
def test_every_page_is_strict_and_every_form_carries_its_token(
    role: str, full: Service, admin: User, viewer: User, vendor: Running
) -> None:
    client = Client()
    if role != "stranger":
        client.force_login(admin if role == "admin" else viewer)
    forms = 0
    for path in pages(full):
        answer = client.get(path)
        if answer.status_code in {302, 405}:
            continue
        assert answer.status_code < 500, path
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in answer["Content-Security-Policy"].split(";")
            if part.strip()
        )
        assert "unsafe" not in answer["Content-Security-Policy"], path
        assert policy["default-src"] == "'none'", path
        allowed = {word for name, words in policy.items() for word in words.split()}
        assert allowed - OURS <= {vendor.base_url}, path
        elsewhere = {name for name, words in policy.items() if set(words.split()) - OURS}
        assert elsewhere <= {"form-action"}, path
        if elsewhere:
            assert "/settings/" in path or "/authorizations/" in path, path
        assert answer["X-Frame-Options"] == "DENY", path
        assert answer["X-Content-Type-Options"] == "nosniff", path
        # The vendor's answer stands in the callback's address, which no next page must be told.
        told = "strict-origin" if path.startswith("/oauth/") else "same-origin"
        assert answer["Referrer-Policy"] == told, path
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'", path
        if not answer["Content-Type"].startswith("text/html"):
            continue
        html = answer.content.decode()
        assert INLINE.findall(html) == [], path
        for form in FORM.findall(html):
            assert 'name="csrfmiddlewaretoken"' in form, f"{path}: {form[:200]}"
            forms += 1
    assert forms >= {"stranger": 1, "viewer": 10, "admin": 20}[role]


def test_a_stolen_table_of_sessions_signs_nobody_in(as_admin: Client, admin: User) -> None:
    key = as_admin.cookies["sessionid"].value
    [stored] = Session.objects.values_list("session_key", flat=True)
    assert key not in stored
    thief = Client()
    thief.cookies["sessionid"] = stored
    assert thief.get("/").status_code == 302
    assert as_admin.get("/").status_code == 200
    as_admin.post("/logout/")
    assert not Session.objects.filter(session_key=stored).exists()
    again = Client()
    again.cookies["sessionid"] = key
    assert again.get("/").status_code == 302


def test_signing_in_gives_a_new_session(admin: User) -> None:
    """Somebody else may have planted the session that one signs in with."""
    client = Client()
    planted = client.session
    planted["from before"] = "somebody else"
    planted.save()
    before = client.cookies["sessionid"].value
    client.post("/login/", {"login": admin.email, "password": PASSWORD})
    assert client.get("/").status_code == 200
    assert client.cookies["sessionid"].value != before
    assert not SessionStore().exists(before)
    assert Session.objects.count() == 1
    thief = Client()
    thief.cookies["sessionid"] = before
    assert thief.get("/").status_code == 302


def test_cookies_are_for_the_browser_alone_and_for_tls() -> None:
    """With the documented settings, in a process of its own, as a visitor behind the proxy."""
    code = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "from django.http import HttpResponse\n"
        "from django.middleware.security import SecurityMiddleware\n"
        "from django.test import RequestFactory\n"
        "print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE,"
        " settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE,"
        " settings.CSRF_COOKIE_SAMESITE)\n"
        "asked = RequestFactory().get('/', headers={'x-forwarded-proto': 'https'},"
        " SERVER_NAME='seatwise.example.com')\n"
        "print(SecurityMiddleware(lambda _: HttpResponse())(asked)['Strict-Transport-Security'])\n"
    )
    done = start("shell", "--no-imports", "-c", code, **documented())
    assert done.returncode == 0, done.stderr
    cookies, transport = done.stdout.splitlines()[-2:]
    assert cookies == "True True True Lax Lax"
    assert transport == "max-age=31536000; includeSubDomains"
