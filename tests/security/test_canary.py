"""The search for secrets finds them, and after the whole road through the product there is none."""

import base64
import html
import subprocess
import sys
import urllib.parse
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from seatwise import connections
from seatwise.models import Authorization, Connection, Service, User
from tests import canary
from tests.canary_search import LONG, SHORTEST, Canaries
from tests.conftest import SESSION, authorize, read
from tests.sandboxes import Running

ROOT = Path(__file__).parents[2]
SECRET = "a+pass/word & 'more' <of> it"
WORD = "hT7_kk2-pQ9mZr4xLw8vBn3c"
DASHED = "a?>~?>~?>~b?>~?>~c>?>~?>d"  # + and / abound in its base64


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        urllib.parse.quote(SECRET),
        urllib.parse.quote_plus(SECRET),
        html.escape(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"client:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f"id:{SECRET}:more".encode()).decode(),
        WORD,
        f"https://vendor.example/?state={WORD}&more=1",
        f"x_{WORD}",
        f"{WORD}_more",
        f"1-{WORD}-2",
        *(base64.b64encode(f"{before}{WORD}".encode()).decode() for before in ("", "a", "ab")),
        *(base64.urlsafe_b64encode(f"{b}{DASHED}.".encode()).decode() for b in ("", "a", "ab")),
        base64.b64encode(f"Bearer {WORD}".encode()).decode(),
        "pdus+_0XBPWQQ_uMadeUp+/=",
        urllib.parse.quote("pdus+_0XBPWQQ_uMadeUp+/="),
        base64.b64encode(b"Bearer pdus+_0XBPWQQ_uMadeUp+/=").decode(),
    ],
)
def test_a_secret_is_found_in_every_shape(written: str) -> None:
    canaries = Canaries()
    canaries.secret("password", SECRET)
    canaries.secret("state", WORD)
    canaries.secret("session key", DASHED)
    canaries.write("a page", f"before {written} behind")
    canaries.write("another page", "nothing of it")
    found = canaries.found()
    canaries.spool.close()
    assert len(found) == 1
    assert found[0].endswith("stands in: a page")
    assert SECRET not in found[0]


def test_a_secret_is_found_wherever_it_begins_and_ends() -> None:
    canaries = Canaries()
    words = ["k" + WORD[:LONG], WORD[:LONG], WORD[: LONG - 1], WORD[:SHORTEST]]
    for number, word in enumerate(words):
        canaries.secret(f"word {number}", word)
    for before in range(2 * LONG):
        canaries.write(f"at {before}", "." * before + words[1][::-1] + words[1])
    found = canaries.found()
    canaries.spool.close()
    for number, times in enumerate([0, 2 * LONG, 2 * LONG, 2 * LONG]):
        assert sum(f"word {number} " in told for told in found) == times


def test_what_is_shown_on_purpose_is_left_out_only_there() -> None:
    canaries = Canaries()
    canaries.secret("link", WORD)
    canaries.write("the page that shows it", WORD, frozenset({"link"}))
    canaries.write("a log", WORD)
    assert canaries.found() == ["a link stands in: a log"]
    canaries.spool.close()


@pytest.mark.parametrize("processes", [[], ["-n", "1"]], ids=["one process", "another process"])
def test_a_planted_secret_fails_a_run_in_which_every_test_passes(
    tmp_path: Path, processes: list[str]
) -> None:
    (tmp_path / "test_planted.py").write_text(
        "import logging\n"
        "from tests import canary\n"
        "def test_that_passes():\n"
        "    word = 'planted' * 4\n"
        "    canary.secret('planted word', word)\n"
        "    logging.getLogger('seatwise').debug(word)\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *processes]
    done = subprocess.run(
        [*command, "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "a planted word stands in: log of seatwise" in done.stdout
    assert "plantedplanted" not in done.stdout


def dump() -> str:
    """Every table as a thief of the database would read it."""
    lines = []
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            with cursor.copy(f'COPY "{table}" TO STDOUT') as copied:
                rows = b"".join(bytes(part) for part in copied).decode()
            lines.append(f"-- {table}\n{rows}")
    return "\n".join(lines)


def look_around(client: Client, *more: str) -> None:
    """Opens every page that could tell too much; the plugin reads along."""
    service = "/services/pagerduty"
    pages = ["/", f"{service}/", f"{service}/members/", f"{service}/usage/", f"{service}/settings/"]
    pages += [f"{service}/settings/?integrate", f"{service}/settings/?revoke", "/users/", "/audit/"]
    pages += [
        f"{service}/members/?format=csv",
        f"{service}/usage/?format=csv",
        "/audit/?format=csv",
    ]
    for path in (*pages, *more):
        answer = client.get(path)
        assert answer.status_code == 200, path
        if answer.streaming:
            b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def came_in(attempt: Authorization) -> Connection:
    assert attempt.connection is not None, attempt.message
    return attempt.connection


def test_after_the_whole_road_no_secret_stands_in_the_database_or_on_a_page(
    vendor: Running, service: Service, admin: User, as_admin: Client
) -> None:
    """Consent, a sync, a renewal, a second account by its key, a third by an app, the end."""
    written: list[str] = []

    def leave_a_trace(step: str) -> None:
        look_around(as_admin)
        text = dump()
        canary.write(f"dump of the database after {step}", text)
        written.append(text)

    for account in ("harbor-prod", "harbor-eu"):
        canary.secret("API key", vendor.api_key(account))
    as_admin.post("/users/add/", {"name": "Gil", "email": "gil@example.com", "role": "viewer"})
    url = connections.begin(service, user=admin, session_key=SESSION)
    assert url.startswith(vendor.base_url)
    leave_a_trace("leaving for the vendor")
    connection = came_in(authorize(vendor, service, admin))
    read(connection)
    leave_a_trace("a sync")
    Connection.objects.filter(pk=connection.pk).update(expires_at=timezone.now())
    connections.fresh_token(connection.pk)
    came_in(authorize(vendor, service, admin, renews=connection))
    leave_a_trace("a renewal")
    keyed = connections.let_in_by_key(service, user=admin, api_key=vendor.api_key("harbor-eu"))
    came_in(keyed)
    leave_a_trace("an API key")
    by_machine = connections.let_in_by_machine(
        service,
        user=admin,
        client_id=vendor.settings["CLIENT_ID"],
        client_secret=vendor.settings["CLIENT_SECRET"],
        account_name="harbor-prod",
        renews=connection,
    )
    came_in(by_machine)
    leave_a_trace("a private app")
    for each in Connection.objects.all():
        connections.revoke(each, by=admin, erase=False)
    connections.tell_vendors(timezone.now() + timedelta(hours=1))
    leave_a_trace("the end")
    assert all(len(text) > 10_000 for text in written)
    token_tables = [line for line in written[1].splitlines() if "\tv1." in line or "v2." in line]
    assert token_tables, "nothing sealed was there, so nothing was proved"
    found = canary.CANARIES.found()
    assert [place for place in found if "dump" in place or "whole_road" in place] == []
