"""Who may come in: the first admin, strangers, and those who guess. (Every address: security/.)"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections as databases
from django.test import Client

from seatwise.models import Service, User
from tests.conftest import PASSWORD

FIRST_ADMIN = {"name": "Ada", "email": "ada@example.com", "password": "a fine long passphrase"}


@pytest.mark.fault(88)
def test_a_change_without_the_forms_token_is_refused_with_a_sentence(
    admin: User, service: Service
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    answer = client.post("/services/pagerduty/sync/")
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()


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


def test_an_address_that_is_nothing_keeps_the_menu_for_whoever_is_signed_in(
    as_viewer: Client, client: Client
) -> None:
    for address, tells_of_services in (("/nowhere/", False), ("/services/nowhere/", True)):
        answer = as_viewer.get(address)
        html = answer.content.decode()
        assert answer.status_code == 404
        assert 'aria-label="Main"' in html
        assert "The link may be misspelt, or what it showed is gone." in html
        assert ("may not have been added yet" in html) == tells_of_services
    assert client.get("/nowhere/")["Location"].startswith("/login/")
