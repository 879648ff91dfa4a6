"""What the past of a large account costs: applying a look at it, and asking for what once was.

    python -m bench.past [RUNS]

It makes a database of its own and prints its figures as JSON; `python -m bench past` writes them
into the page.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from bench import scratch

SECTION: Final = "## The past of a large account"
MEMBERS: Final = 100_000
CAME: Final = 40_000  # of them after the first look, in even steps
MONTHS: Final = 24
CHANGED: Final = 30_000  # a role or a licence, in even steps
GONE: Final = 20_000  # of them by now
EVENTS: Final = MEMBERS + CHANGED + GONE
DAYS: Final = 730
MIDDLE: Final = MEMBERS * 7 // 1000  # a page in the middle of who held a seat then


def measured(runs: int) -> dict[str, list[float]]:
    """The figures of so many runs, taken by a program of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "bench.past", str(runs)], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, list[float]] = json.loads(ended.stdout.splitlines()[-1])
    return found


def section(figures: dict[str, list[float]], runs: int, machine: str) -> str:
    """The section of the page, with its heading."""
    lines = [
        SECTION,
        "",
        (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} by `python -m bench past {runs}`: {machine}."
            f" An account of {MEMBERS:,} people is applied as a sync does, with its commit, from"
            " what was read and staged before; and it is asked for its past, which is "
            f"{EVENTS:,} events over {MONTHS} months and {MEMBERS - GONE:,} seats held at the end."
            " Pages are asked for without a browser and are whole; the first time means that no sum"
            " is kept, as after a sync that found something. Rows written are those that the"
            " database counted."
        ),
        "",
        "| Figure | runs | min | median | max |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, values in figures.items():
        numbers = (min(values), statistics.median(values), max(values))
        told = " | ".join(f"{number:,.3f}".rstrip("0").rstrip(".") for number in numbers)
        lines.append(f"| {name} | {len(values)} | {told} |")
    return "\n".join([*lines, ""])


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    figures: dict[str, list[float]] = {}
    with scratch.database():
        account = _lived()
        for number in range(1, runs + 1):
            for name, value in (*_asking(account), *_applying(account, number)):
                figures.setdefault(name, []).append(value)
                print(f"run {number}: {name}: {value:.3f}", file=sys.stderr, flush=True)
    print(json.dumps(figures))


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


# ---- what once was -------------------------------------------------------------------------


def _asking(account: Any) -> Iterator[tuple[str, float]]:
    """Every page of the past, first and again, and what lies behind the slow ones."""
    from django.conf import settings
    from django.core.cache import caches
    from django.http import StreamingHttpResponse
    from django.test import Client
    from django.utils import timezone

    from seatwise import history
    from seatwise.models import User

    service, client = account.service, Client()
    client.force_login(User.objects.get())
    today = timezone.now().astimezone(settings.BILLING_ZONE).date()
    day, other = (today - timedelta(days=days) for days in (DAYS // 2, DAYS // 2 - 30))
    start = f"/services/{service.key}/seats/"
    asked = {
        "Seats on a day a year ago, the first 50": f"{start}?on={day}",
        "Seats on a day a year ago, 50 of the middle": f"{start}?on={day}&page={MIDDLE}",
        "What changed in a month a year ago": f"{start}changes/?from={day}&to={other}",
        f"All {MONTHS} months": f"{start}months/",
    }

    def page(path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert len(answer.content) > 10_000, path

    def whole_file(path: str) -> None:
        answer = client.get(path)
        assert isinstance(answer, StreamingHttpResponse)
        assert len(answer.getvalue()) > 10_000

    for what, path in asked.items():
        caches["sums"].clear()
        yield f"{what}: the page, the first time, s", _timed(partial(page, path))
        yield f"{what}: the page again, s", _timed(partial(page, path))
    caches["sums"].clear()
    yield "Sums of a day, s", _timed(lambda: history.held_on(service, day))
    yield (
        "Two days compared, a month apart, s",
        _timed(lambda: history.between(service, day, other)),
    )
    caches["sums"].clear()
    yield f"Sums of {MONTHS} months, s", _timed(lambda: history.months(service))
    file = partial(whole_file, f"{start}?on={day}&format=csv")
    yield "Seats on a day a year ago: the file of all, s", _timed(file)


def _lived() -> Any:
    """An account that was looked at for two years, and everything that happened there."""
    from django.db import connection as database
    from django.utils import timezone

    from seatwise.models import Connection, LicensePool, MemberEvent, Service, User

    User.objects.create_user("ada@example.com", None, name="Ada", role="admin")
    now = timezone.now()
    service = Service.objects.create(key="pagerduty", name="PagerDuty")
    account = Connection.objects.create(
        service=service,
        account_id="acme",
        account_name="acme",
        api_url="https://api.example.com",
        connected_at=now - timedelta(days=DAYS),
        members_as_of=now,
        licenses_as_of=now,
    )
    for pool in ("Business", "Digital Operations"):
        LicensePool.objects.create(connection=account, external_id=pool, name=pool, as_of=now)
    given: dict[str, Any] = {
        "account": account.pk,
        "members": MEMBERS,
        "first": MEMBERS - CAME,
        "came": CAME,
        "changed": CHANGED,
        "gone": GONE,
        "since": now - timedelta(days=DAYS),
        "span": timedelta(days=DAYS - 1),
    }
    with database.cursor() as cursor:
        for statement in LIFE:
            cursor.execute(statement, given)
    assert MemberEvent.objects.count() == EVENTS
    return account


LIFE: Final = (
    """
    INSERT INTO seatwise_member (connection_id, external_id, email, name, role, invited, url,
        job_title, teams, first_listed_at, joined_at, last_seen_source, last_seen_proof, license_id)
    SELECT %(account)s, 'P' || n, 'p' || n || '@acme.example', 'Person ' || md5(n::text), 'user',
        false, '', 'Engineer', ARRAY['Team ' || n %% 50], came.at, NULLIF(came.at, %(since)s),
        '', '', pool.id
    FROM generate_series(1, %(members)s) n
    CROSS JOIN LATERAL (SELECT %(since)s + GREATEST(n - %(first)s, 0)
                        * (%(span)s / %(came)s) AS at) came
    JOIN seatwise_licensepool pool
      ON pool.external_id = CASE n %% 2 WHEN 0 THEN 'Business' ELSE 'Digital Operations' END
    """,
    """
    INSERT INTO seatwise_memberevent (member_id, at, kind, field, before, after, facts)
    SELECT id, first_listed_at, CASE WHEN joined_at IS NULL THEN 'listed' ELSE 'joined' END,
        '', '', '', jsonb_build_object('email', email, 'name', name, 'role', role, 'invited', false)
    FROM seatwise_member ORDER BY first_listed_at, id
    """,
    """
    INSERT INTO seatwise_memberevent (member_id, at, kind, field, before, after, facts)
    SELECT id, %(since)s + n * (%(span)s / %(changed)s), 'changed',
        CASE n %% 3 WHEN 0 THEN 'license' ELSE 'role' END,
        CASE n %% 3 WHEN 0 THEN 'Business' ELSE 'limited_user' END,
        CASE n %% 3 WHEN 0 THEN pool ELSE 'user' END, '{}'
    FROM (SELECT member.id, pool.name AS pool, row_number() OVER (ORDER BY md5(email)) AS n
          FROM seatwise_member member JOIN seatwise_licensepool pool ON pool.id = license_id
          WHERE joined_at IS NULL) chosen WHERE n <= %(changed)s ORDER BY n
    """,
    """
    UPDATE seatwise_member SET left_at = %(since)s + n * (%(span)s / %(gone)s)
    FROM (SELECT id AS of, row_number() OVER (ORDER BY md5(name)) AS n FROM seatwise_member
          WHERE joined_at IS NULL) chosen
    WHERE id = of AND n <= %(gone)s
    """,
    """
    INSERT INTO seatwise_memberevent (member_id, at, kind, field, before, after, facts)
    SELECT id, left_at, 'left', '', '', '', '{}' FROM seatwise_member
    WHERE left_at IS NOT NULL ORDER BY left_at
    """,
    "VACUUM ANALYZE seatwise_member, seatwise_memberevent",  # as the server does by itself
)


# ---- applying a look -----------------------------------------------------------------------


def _applying(account: Any, number: int) -> Iterator[tuple[str, float]]:
    """A new account's first look, the same again, and one that differs in one of a hundred."""
    from django.utils import timezone

    from seatwise.models import Connection

    fresh = Connection.objects.create(
        service=account.service,
        account_id=f"acme-{number}",
        account_name=f"acme-{number}",
        api_url="https://api.example.com",
        connected_at=timezone.now(),
    )
    yield from _looked_at(fresh, "first look", 0)
    yield from _looked_at(fresh, "unchanged", 0)
    yield from _looked_at(fresh, "1 % changed", MEMBERS // 100)
    fresh.delete()  # the past is asked for without it


def _looked_at(account: Any, what: str, other: int) -> Iterator[tuple[str, float]]:
    """Of `other` people the role is another than in the first look, and so is the licence."""
    from django.db import connection as database
    from django.db import transaction
    from django.utils import timezone

    from seatwise.models import SyncRun
    from seatwise.sync.licenses import apply_licenses
    from seatwise.sync.members import apply_members

    now = timezone.now()
    run = SyncRun.objects.create(connection=account, created_at=now, state="running")
    with database.cursor() as cursor:
        for statement in STAGED:
            cursor.execute(statement, {"run": run.pk, "members": MEMBERS, "other": other})
    began = time.monotonic()
    with transaction.atomic():
        apply_members(run, now, whole=True, insist=False)
        apply_licenses(run, now, whole=True, insist=False)
        written = _written()
    seconds = time.monotonic() - began
    account.members_as_of = account.licenses_as_of = now
    account.save()
    SyncRun.objects.filter(pk=run.pk).update(state="done")
    run.staged.all().delete()
    name = f"{MEMBERS:,} members and their licences applied, {what}"
    yield f"{name}, s", seconds
    yield f"{name}: rows of members and of events written", written


def _written() -> int:
    """By this transaction so far."""
    from django.db import connection as database

    with database.cursor() as cursor:
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('seatwise_member', 'seatwise_memberevent')"
        )
        return int(cursor.fetchone()[0])


STAGED: Final = (
    """
    INSERT INTO seatwise_stagedrecord (run_id, kind, key, data)
    SELECT %(run)s, 'member', 'P' || n, jsonb_build_object('external_id', 'P' || n,
        'email', 'p' || n || '@acme.example', 'name', 'Person ' || md5(n::text),
        'role', CASE WHEN n <= %(other)s THEN 'limited_user' ELSE 'user' END, 'invited', false,
        'url', '', 'job_title', 'Engineer', 'teams', ARRAY['Team ' || n %% 50])
    FROM generate_series(1, %(members)s) n
    """,
    """
    INSERT INTO seatwise_stagedrecord (run_id, kind, key, data)
    SELECT %(run)s, 'seat', 'P' || n, jsonb_build_object('license_id',
        CASE WHEN n <= %(other)s THEN 'L2' ELSE 'L1' END, 'allocated_at', null)
    FROM generate_series(1, %(members)s) n
    """,
    """
    INSERT INTO seatwise_stagedrecord (run_id, kind, key, data)
    SELECT %(run)s, 'license', id, jsonb_build_object('external_id', id, 'name', name,
        'kind', 'full', 'used', null, 'available', null, 'description', '')
    FROM (VALUES ('L1', 'Business'), ('L2', 'Digital Operations')) pool(id, name)
    """,
)

if __name__ == "__main__":
    main()
