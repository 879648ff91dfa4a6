"""Who may come in, and who may change things, for every address there is."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections as databases
from django.test import Client
from django.urls import URLPattern, reverse

from seatwise.models import Service, User
from seatwise.urls import urlpatterns
from tests.conftest import PASSWORD

OPEN = {
    "healthz",
    "first_run",
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}
CHANGES = {
    "add",
    "authorize",
    "sync_now",
    "revoke",
    "erase",
    "upload_members",
    "apply_members",
    "put_members_aside",
    "add_user",
    "change_role",
    "set_active",
    "one_time_link",
}
FIRST_ADMIN = {"name": "Ada", "email": "ada@example.com", "password": "a fine long passphrase"}


def address(pattern: URLPattern) -> str:
    given = {"key": "pagerduty", "pk": 1, "uidb36": "1"}
    names = re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))
    return reverse(str(pattern.name), kwargs={name: given[name] for name in names})


def named(names: set[str]) -> list[URLPattern]:
    return [pattern for pattern in urlpatterns if pattern.name in names]


def test_the_lists_of_this_test_name_addresses_that_exist() -> None:
    assert {pattern.name for pattern in urlpatterns} >= OPEN | CHANGES


@pytest.mark.fault(88)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_sent_to_sign_in_from_everywhere_else(
    method: str, admin: User, service: Service
) -> None:
    for pattern in urlpatterns:
        if pattern.name in OPEN:
            continue
        answer = getattr(Client(), method)(address(pattern))
        assert answer.status_code == 302, pattern.name
        assert answer["Location"].startswith("/login/"), pattern.name


@pytest.mark.fault(88)
def test_a_viewer_can_change_nothing_and_is_told_who_can(
    as_viewer: Client, admin: User, service: Service
) -> None:
    for pattern in named(CHANGES):
        answer = as_viewer.post(address(pattern))
        assert answer.status_code == 403, pattern.name
        assert "Ask Ada Admin" in answer.content.decode(), pattern.name


@pytest.mark.fault(88)
def test_nothing_is_changed_by_a_get(as_admin: Client, service: Service) -> None:
    for pattern in named(CHANGES):
        assert as_admin.get(address(pattern)).status_code == 405, pattern.name


@pytest.mark.fault(88)
def test_a_change_without_the_forms_token_is_refused_with_a_sentence(
    admin: User, service: Service
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    for pattern in named(CHANGES):
        answer = client.post(address(pattern))
        assert answer.status_code == 403, pattern.name
        assert "open for too long" in answer.content.decode(), pattern.name


def test_pages_are_not_kept_by_caches(as_admin: Client) -> None:
    assert as_admin.get("/")["Cache-Control"] == "no-store, private"


def test_a_fragment_asked_for_after_the_session_ended_leads_the_page_to_sign_in(
    admin: User,
) -> None:
    answer = Client().get("/services/add/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/login/"


def test_health_is_told_to_anybody_even_before_the_first_run(db: None) -> None:
    assert Client().get("/healthz").content == b"ok\n"


def test_before_anybody_exists_every_page_leads_to_the_first_run(db: None) -> None:
    for path in ("/", "/login/", "/users/", "/nowhere/"):
        assert Client().get(path)["Location"] == "/setup/", path


def test_the_first_admin_is_signed_in_and_the_page_is_closed_for_ever(db: None) -> None:
    client = Client()
    assert client.post("/setup/", FIRST_ADMIN)["Location"] == "/"
    assert client.get("/").status_code == 200
    assert User.objects.get().is_admin
    other = FIRST_ADMIN | {"email": "eve@example.com"}
    assert Client().post("/setup/", other).status_code == 302
    assert User.objects.count() == 1


def test_a_weak_password_is_refused_with_the_reason(db: None) -> None:
    answer = Client().post("/setup/", FIRST_ADMIN | {"password": "short"})
    assert answer.status_code == 400
    assert "at least 12 characters" in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_first_admins_at_once_one_is_made() -> None:
    def become(number: int) -> int:
        try:
            answer = Client().post("/setup/", FIRST_ADMIN | {"email": f"a{number}@example.com"})
            return answer.status_code
        finally:
            databases.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(become, range(6))) == {302}
    assert User.objects.count() == 1


@pytest.mark.fault(88)
def test_sign_in_leads_only_to_our_own_pages(admin: User) -> None:
    given = {"login": admin.email, "password": PASSWORD}
    assert Client().post("/login/?next=/users/", given)["Location"] == "/users/"
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example/"):
        answer = Client().post("/login/", given | {"next": elsewhere})
        assert answer["Location"] == "/", elsewhere


@pytest.mark.fault(88)
def test_guessing_a_password_is_stopped_with_a_sentence(admin: User) -> None:
    given = {"login": admin.email, "password": "wrong"}
    pages = [Client().post("/login/", given).content.decode() for _ in range(7)]
    assert "Too many" not in pages[0]
    assert "Too many" in pages[-1]


def test_nobody_signs_up_by_themselves(admin: User) -> None:
    assert "Nobody signs up here" in Client().get("/signup/").content.decode()
    assert Client().post("/signup/", FIRST_ADMIN).status_code == 405
