"""Evidence is kept at a cost that hangs on the page, not on what the database believes."""

from datetime import UTC, datetime, timedelta

from django.db import connection as database

from seatwise.connectors.records import SignalRecord
from seatwise.models import Connection, Member, Signal

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE, PAGE = 1_000, 100
TABLES = ("seatwise_member", "seatwise_signal")


def rows_read() -> int:
    """Of members and evidence, in this transaction so far."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))"
            " FROM pg_stat_xact_user_tables WHERE relname = ANY(%s)",
            [list(TABLES)],
        )
        return int(cursor.fetchone()[0])


def believe_empty() -> None:
    """As when the tables were last looked at before the account came."""
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET reltuples = 0, relpages = 1 WHERE relname = ANY(%s)",
            [list(TABLES)],
        )


def page(first: int, at: datetime) -> list[SignalRecord]:
    people = (f"P{number:06}" for number in range(first, first + PAGE))
    return [SignalRecord(each, "log", at, "acknowledged incident #1") for each in people]


def test_a_large_account_that_the_database_has_not_looked_at_yet_costs_what_its_pages_cost(
    connection: Connection,
) -> None:
    Member.objects.bulk_create(
        Member(connection=connection, external_id=f"P{number:06}", role="user", first_listed_at=NOW)
        for number in range(PEOPLE)
    )
    believe_empty()
    before = rows_read()
    for round_ in range(2):
        for first in range(0, PEOPLE, PAGE):
            at = NOW - timedelta(days=2 - round_)
            Signal.objects.record(connection, page(first, at), NOW)
    seen = Member.objects.filter(last_seen_at=NOW - timedelta(days=1))
    assert seen.count() == PEOPLE
    pages = 2 * PEOPLE // PAGE
    # A page may walk through the account, and through itself for each of its people.
    assert rows_read() - before < pages * (PEOPLE + 2 * PAGE * PAGE)
