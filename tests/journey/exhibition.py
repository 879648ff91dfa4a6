"""A Seatwise whose tables hold what no well-meaning vendor would ever say.

`python -m tests.journey.exhibition PORT` fills an empty database, prints one line of JSON (see
`Exhibits`) and answers on that port as `seatwise web` does, with the same settings.
"""

import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from seatwise.cli.listening import listen, name_the_port
from seatwise.cli.prepare import prepared

OPEN = "The exhibition is open: "
LONGEST = 200  # characters of a name that nobody has, and somebody will have
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 6
RTL = "محمد بن عبد الرحمن الأنصاري"
SEEN = datetime(2026, 3, 8, 6, 30, 15, tzinfo=UTC)  # the night in which New York's clocks went on


@dataclass(frozen=True)
class Exhibits:
    """What is where. The session is the admin's."""

    session: str
    accounts: list[int]  # of PagerDuty: one a payload
    long: int  # the account of PagerDuty with long names
    members: list[int]  # in the order of the accounts, the long ones behind
    runs: list[int]
    attempts: list[int]


def main() -> None:
    with listen("127.0.0.1", int(sys.argv[1])) as listener:
        name_the_port(listener)
        with prepared("web", check=False):
            from seatwise.cli import web

            print(f"{OPEN}{json.dumps(asdict(_filled()))}", flush=True)
            web.run(listener)


def _filled() -> Exhibits:
    from django.db import transaction
    from django.test import Client

    from seatwise.models import User

    with transaction.atomic():
        admin = User.objects.create_user("ada@example.com", None, name="Ada Admin", role="admin")
        browser = Client()
        browser.force_login(admin)
        numbers = _spoilt(admin)
        members = [each["/members/"] for each in numbers]
        long, some = _long(admin)
        _bare(admin)
    return Exhibits(
        browser.cookies["sessionid"].value,
        [each["account"] for each in numbers],
        long,
        [*members, *some],
        [each["/history/"] for each in numbers],
        [each["/authorizations/"] for each in numbers],
    )


def _spoilt(admin: Any) -> list[dict[str, int]]:
    """PagerDuty with an account for each payload, and services that are all payload."""
    from seatwise import audit
    from seatwise.models import Connection, Service, User
    from seatwise.models.audit_event import Action
    from tests.pages import rows
    from tests.pages.test_markup import FIELDS, PAYLOADS, account

    pagerduty = rows.service()
    found = []
    for at, payload in enumerate(PAYLOADS):
        words = {each: f"{payload} {each}" for each in FIELDS}
        found.append(account(words, admin, pagerduty, account_id=f"{payload}{at}"))
        found[-1]["account"] = Connection.objects.latest("pk").pk
        owner = User.objects.create_user(f"{at}@example.com", None, name=f"{payload} owner")
        own = Service.objects.create(
            key=f"own-{at}", name=f"{payload} service", vendor=f"{payload} vendor",
            category=f"{payload} category", website="javascript:alert(1)", owner=owner,
        )  # fmt: skip
        with audit.acting(f"{payload} origin", user=owner):
            audit.record(
                Action.EXPORTED,
                service=own.key,
                about=f"{payload} about",
                said=f"{payload} said",
                detail={payload: payload},
            )
        _file(own, payload, admin, is_read=at == 1)
    Service.objects.filter(pk=pagerduty.pk).update(owner=owner)
    _more(pagerduty, PAYLOADS)
    return found


def _more(service: Any, payloads: list[str]) -> None:
    """What has words of the vendor's and is no part of an account as a reading leaves it."""
    from django.utils import timezone

    from seatwise.models import Member, Revocation, Signal, SyncRun

    now = timezone.now()
    for connection, payload in zip(service.connections.order_by("pk"), payloads, strict=True):
        connection.scopes = [payload]
        connection.revocation = payload
        check = dict.fromkeys(("name", "found", "remedy"), payload)
        connection.checks = [check | {"verdict": "limited", "gap": connection.sync_gaps[0]}]
        connection.checked_at = now
        connection.save()
        stage = {"done": 5, "total": 5, "unit": payload, "state": "limited", "seconds": 3.2}
        attempt = {"number": 1, "how": payload, "worker": payload, "began": now.isoformat()}
        SyncRun.objects.filter(connection=connection).update(
            stages={"members": stage},
            requests={f"GET /{payload}": 3},
            attempts=[attempt | {"ended": now.isoformat()}],
        )
        connection.license_pools.update(description=payload)
        link = f"https://example.com/{payload}"
        Signal.objects.filter(member__connection=connection).update(url=link)
        Member.objects.filter(connection=connection).update(url=link)
        Revocation.objects.create(
            service=service, connection=connection, why=payload, told=payload, created_at=now
        )


def _file(service: Any, payload: str, admin: Any, *, is_read: bool) -> None:
    """A file that waits: for somebody to say which column is what, or to be applied."""
    from django.conf import settings
    from django.utils import timezone

    from seatwise import memberfile, sync

    cell = payload.replace('"', '""')
    text = f'email,name,role,license,"{cell} column"\n'
    text += "".join(
        f'"{n}@x.example","{cell} name","{cell} role","{cell}","{cell}"\n' for n in "ab"
    )
    upload = sync.byfile.upload(service, text.encode(), name=f"{payload} file.csv", by=admin)
    if is_read:
        opened = memberfile.opened(text.encode())
        columns = memberfile.guessed(opened.table)
        reading = memberfile.Reading(columns, settings.BILLING_ZONE, timezone.now(), "day")
        how = sync.byfile.Understood(opened.table.names, columns)
        sync.byfile.accept(upload, memberfile.read(opened.table, reading), how, by=admin)


def _long(admin: Any) -> tuple[int, list[int]]:
    """An account of people whose names are long, run from right to left, or were never told."""
    from seatwise.models import Service
    from tests.pages import rows
    from tests.pages.test_markup import FIELDS, account

    service = Service.objects.get(key="pagerduty")
    words = {each: f"{LONG[:60]} {each}" for each in FIELDS}
    words |= {"name": LONG[:LONGEST], "e-mail": f"{LONG[:LONGEST]}@example.com"}
    numbers = account(words, admin, service, account_id="long", region="US")
    connection = service.connections.latest("pk")
    pool = rows.license_pool(connection, RTL)
    arab = rows.member(
        connection, RTL, RTL, seen=3, license=pool, job_title=RTL, teams=[RTL], last_seen_proof=RTL
    )
    arab.last_seen_at = SEEN
    arab.save()
    arab.signals.update(at=SEEN, proof=RTL)
    nobody = rows.member(connection, "", "user", email="")
    for back in range(1, 14):
        month = (rows.this_month() - timedelta(days=30 * back)).replace(day=1)
        rows.usage(connection, month, incidents=back, alerts=123_456_789 * back, billable_alerts=2)
    return connection.pk, [numbers["/members/"], arab.pk, nobody.pk]


def _bare(admin: Any) -> None:
    """Services that have nothing yet, each in its own way."""
    from tests.pages import rows

    rows.service("github", "GitHub")
    never = {"members_as_of": None, "usage_as_of": None, "activity_as_of": None}
    rows.connection(rows.service("slack", "Slack"), account_id="S", state="active", **never)
    rows.connection(rows.service("zoom", "Zoom"), account_id="file", state="by_file")
    long = rows.service("long", LONG[:120])
    long.owner, long.category = admin, LONG[:80]
    long.save()


if __name__ == "__main__":
    main()
