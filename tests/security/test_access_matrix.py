"""Who may do what, for every address there is: asked one by one and compared with the matrix."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.cache import cache
from django.db import connection as database
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, URLPattern, resolve, reverse
from django.utils import timezone

from seatwise import accounts
from seatwise.models import (
    Alert,
    Authorization,
    Channel,
    Delivery,
    Finding,
    Member,
    Notice,
    Service,
    SyncRun,
    User,
)
from seatwise.models.authorization import Outcome
from seatwise.models.connection import State
from seatwise.models.notice import Kind
from seatwise.urls import urlpatterns
from tests.alerts import watched
from tests.insights import wasteful
from tests.pages import rows
from tests.sandboxes import Running
from tests.security.matrix import (
    BY_FILE,
    METHODS,
    OF_ONE_ACCOUNT,
    OF_ONE_SHOWN,
    ROLES,
    SAFE,
    expected,
)

# Making one takes longer than what it asks for.
CLIENT = Client(raise_request_exception=False)
CHECKING = Client(raise_request_exception=False, enforce_csrf_checks=True)
UNSAFE = [method for method in METHODS if method not in SAFE]
# Whose rows may come and go while somebody only looks: who is there, and what was refused.
NOTED = {"django_session", "seatwise_auditevent", "seatwise_cache", "seatwise_sums"}
CALENDAR = "the-address-of-a-calendar"
Kwargs = dict[str, str | int]


@dataclass(frozen=True)
class Somebody:
    """One of the three roles: how it asks, and what is its own."""

    role: str
    cookies: dict[str, str]
    attempt: int  # an authorization that it began itself

    def ask(self, method: str, path: str, *, csrf: bool = False, **form: object) -> HttpResponse:
        """One request with its session, of which nothing stays: in the database or the browser.

        The answer's `changed` names the tables that it wrote to.
        """
        client = CHECKING if csrf else CLIENT
        client.cookies.clear()
        for name, value in self.cookies.items():
            client.cookies[name] = value
        if path.startswith(("/login", "/password", "/reauthenticate")):
            cache.clear()  # no limit of tries is reached by asking for everything
        with transaction.atomic():
            before = writings()
            answer: HttpResponse = client.generic(  # type: ignore[assignment]
                method, path, urlencode(form), "application/x-www-form-urlencoded"
            )
            answer.changed = {name for name, _ in writings() - before}  # type: ignore[attr-defined]
            transaction.set_rollback(True)
        return answer


def writings() -> set[tuple[str, int]]:
    """Each table with how often this transaction has added, changed or removed a row of it."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"
        )
        return set(cursor.fetchall())


@pytest.fixture
def somebodies(vendor: Running, service: Service, admin: User, viewer: User) -> list[Somebody]:
    Service.objects.create(key="figma", name="Figma")
    connection = rows.connection(service)
    # By a key, which is never renewed: a renewal refuses to run within this test's transaction.
    connection.way, connection.api_url = "key", vendor.settings["API_URL"]
    connection.seal("credential", vendor.api_key())
    connection.save()
    now = timezone.now()
    run = SyncRun.objects.create(connection=connection, state="done", created_at=now)
    connection.attention, connection.remedy = "It needs somebody.", "Look at it."
    Notice.objects.tell(connection, Kind.GIVEN_UP, now, run)
    wasteful.finding(rows.member(connection, "Somebody there"))
    watched.failed(watched.alert(connection.service, unit="trouble"))
    watched.webhook("https://hooks.example.com/x", admin)
    User.objects.with_email(admin.email).update(calendar_hash=accounts.calendar_hash(CALENDAR))
    found = []
    for role, user in zip(ROLES, (None, viewer, admin), strict=True):
        client = Client()
        if user:
            client.force_login(user)
        cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        found.append(Somebody(role, cookies, _attempt(connection.service, user or admin)))
    return found


def _attempt(service: Service, user: User) -> int:
    return Authorization.objects.create(
        service=service,
        user=user,
        state_hash=f"of {user.pk} {Authorization.objects.count()}",
        session_hash="",
        asked=[],
        created_at=timezone.now(),
        used_at=timezone.now(),
        outcome=Outcome.FAILED,
        message="It did not work.",
    ).pk


def kwargs_of(pattern: URLPattern, which: str, who: Somebody) -> Kwargs:
    """What an address names: something that is there, or something that is not."""
    wanted = re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))
    there: Kwargs = {"key": "figma" if pattern.name in BY_FILE else "pagerduty"}
    person = User.objects.get(email="vic@example.com")
    numbers = {
        "users/": person.pk,
        "/history/": SyncRun.objects.values_list("pk", flat=True).first(),
        "notices/": Notice.objects.values_list("pk", flat=True).first(),
        "/messages/": Delivery.objects.values_list("pk", flat=True).first(),
        "/alerts/": Alert.objects.values_list("pk", flat=True).first(),
        "channels/": Channel.objects.values_list("pk", flat=True).first(),
        "/members/": Member.objects.values_list("pk", flat=True).first(),
        "/savings/": Finding.objects.values_list("pk", flat=True).first(),
    }
    named = (pk for part, pk in numbers.items() if part in str(pattern.pattern) and pk)
    there["pk"] = next(named, who.attempt)
    if pattern.name == "add":
        there["key"] = "github"  # in the catalogue, and not added yet
    there["secret"] = CALENDAR
    missing: Kwargs = {"key": "no-such-thing", "pk": 999_999_999, "secret": "made-up"}
    if "uidb36" in wanted:
        there = {
            "uidb36": user_pk_to_url_str(person),
            "key": default_token_generator.make_token(person),
        }
        missing = {"uidb36": "zzz", "key": "no-such-link"}
    given = there if which == "own" else missing
    return {name: given[name] for name in wanted}


def told(answer: HttpResponse) -> str:
    """The status, or of a redirect the name of the address it leads to."""
    location = answer.headers.get("Location", "")
    if not location:
        return str(answer.status_code)
    if re.match(r"https?://", location):
        return "vendor"
    try:
        name = str(resolve(re.split(r"[?#]", location)[0]).url_name)
        return f"->{name.removeprefix('account_').replace('reset_password_from_key', 'set')}"
    except Resolver404:
        return f"->{location}"


def cases() -> Iterator[tuple[URLPattern, str]]:
    for pattern in urlpatterns:
        yield pattern, "own"
        if "<" in str(pattern.pattern):
            yield pattern, "missing"


def test_every_address_stands_in_the_matrix_and_the_other_way_round() -> None:
    there = {(str(pattern.name), which) for pattern, which in cases()}
    listed = {(name, which) for name, which, _ in expected()}
    assert sorted(there - listed) == [], (
        "These addresses have no line in tests/security/matrix.py: write down who may ask for them."
    )
    assert sorted(listed - there) == [], "These lines of the matrix are of no address any more."


@pytest.mark.fault(88)
def test_every_address_answers_everybody_as_the_matrix_says(somebodies: list[Somebody]) -> None:
    """And whoever only looks (GET, HEAD, OPTIONS) changes nothing."""
    wanted = expected()
    wrong = []
    for pattern, which in cases():
        for who, number in zip(somebodies, range(len(ROLES)), strict=True):
            path = reverse(str(pattern.name), kwargs=kwargs_of(pattern, which, who))
            for method in METHODS:
                answer = who.ask(method, path)
                got = told(answer)
                right = wanted.get((str(pattern.name), which, method), ("no line",) * 3)[number]
                if got != right:
                    wrong.append(
                        f"{pattern.name} {which} {method} {who.role}: {got}, expected {right}"
                    )
                changed = answer.changed - NOTED  # type: ignore[attr-defined]
                if method in SAFE and changed:
                    wrong.append(f"{pattern.name} {which} {method} {who.role} changed {changed}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.fault(88)
def test_nothing_is_sent_without_the_forms_token(somebodies: list[Somebody]) -> None:
    """By somebody who is signed in, to no address; by others, at most to be led to sign-in."""
    wrong = []
    for pattern in urlpatterns:
        for who in somebodies:
            path = reverse(str(pattern.name), kwargs=kwargs_of(pattern, "own", who))
            for method in UNSAFE:
                got = told(who.ask(method, path, csrf=True))
                led_away = got == "->login" and who.role == "anonymous"
                if got != "403" and not led_away:
                    wrong.append(f"{pattern.name} {method} {who.role}: {got}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.fault(88)
def test_a_viewer_is_always_told_who_can(somebodies: list[Somebody]) -> None:
    """Wherever the matrix refuses a viewer, the page names an admin."""
    viewer = somebodies[1]
    for pattern, which in cases():
        if expected().get((str(pattern.name), which, "POST"), ("",) * 3)[1] == "403":
            path = reverse(str(pattern.name), kwargs=kwargs_of(pattern, which, viewer))
            assert "Ask Ada Admin" in viewer.ask("POST", path).content.decode(), path


def test_what_does_change_something_is_noticed(somebodies: list[Somebody]) -> None:
    answer = somebodies[2].ask("POST", "/services/add/github/")
    assert answer.changed - NOTED == {"seatwise_service"}  # type: ignore[attr-defined]


@pytest.mark.fault(88)
@pytest.mark.parametrize("of", ["nobody", "another service", "one whose place was taken", "words"])
def test_an_account_that_is_not_there_is_not_taken_for_another(
    somebodies: list[Somebody], service: Service, of: str
) -> None:
    numbers: dict[str, object] = {"nobody": 999_999_999, "words": "first"}
    if of == "another service":
        numbers[of] = rows.connection(Service.objects.get(key="figma")).pk
    elif of == "one whose place was taken":
        now = timezone.now()
        gone = rows.connection(
            service, account_id="P2", state=State.DISCONNECTED, disconnected_at=now, replaced_at=now
        )
        numbers[of] = gone.pk
    wrong = []
    for name in OF_ONE_ACCOUNT if of != "one whose place was taken" else OF_ONE_SHOWN:
        path = reverse(name, kwargs={"key": "pagerduty"})
        answer = somebodies[2].ask("POST", path, account=numbers[of], way="scoped", api_key="x")
        changed = answer.changed - NOTED  # type: ignore[attr-defined]
        if (told(answer), changed) != ("404", set()):
            wrong.append(f"{name}: {told(answer)}, {changed}")
    assert not wrong, "\n".join(wrong)


def test_the_authorizations_of_others_are_not_there_for_a_viewer(
    somebodies: list[Somebody],
) -> None:
    _, viewer, admin = somebodies
    path = f"/services/pagerduty/authorizations/{admin.attempt}/"
    assert viewer.ask("GET", path).status_code == 404
    path = f"/services/pagerduty/authorizations/{viewer.attempt}/"
    assert admin.ask("GET", path).status_code == 200


def test_a_line_that_is_missing_or_wrong_in_the_matrix_is_found() -> None:
    """The matrix itself is read strictly: a name twice or a method twice would hide one answer."""
    with pytest.raises(ValueError, match="twice"):
        expected("spend - GET 1 2 3\nspend - GET 1 2 3")
    with pytest.raises(ValueError, match="three answers"):
        expected("spend - GET 1 2")
