"""Evidence that a member did something, the newest per source."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Self

from django.db import connection as database
from django.db import models

from seatwise.connectors.records import SignalRecord

# Members are looked up once a page, and all that follows goes by their ids alone: so no plan can
# go wrong where the database's statistics are of before a large account came, or of after it went.
MEMBERS = """
SELECT external_id, id FROM seatwise_member
WHERE connection_id = %(connection)s AND external_id = ANY(%(members)s)
"""
# Older evidence never replaces newer, in whatever order it is read. What is known already is left
# out beforehand, for a conflict locks a row, and that is a write, too.
RECORD = """
INSERT INTO seatwise_signal (member_id, source, at, proof, url, read_at)
SELECT given.member, given.source, given.at, given.proof, given.url, %(read_at)s
FROM unnest(%(ids)s::bigint[], %(sources)s::text[], %(ats)s::timestamptz[],
            %(proofs)s::text[], %(urls)s::text[]) AS given(member, source, at, proof, url)
LEFT JOIN seatwise_signal known ON known.member_id = given.member AND known.source = given.source
WHERE known.id IS NULL OR given.at > known.at
ON CONFLICT (member_id, source) DO UPDATE
SET at = excluded.at, proof = excluded.proof, url = excluded.url, read_at = excluded.read_at
WHERE excluded.at > seatwise_signal.at
"""
LAST_SEEN = """
UPDATE seatwise_member member
SET last_seen_at = newest.at, last_seen_source = newest.source, last_seen_proof = newest.proof
FROM (SELECT DISTINCT given.id FROM unnest(%(ids)s::bigint[]) AS given(id)) AS given
CROSS JOIN LATERAL (SELECT signal.at, signal.source, signal.proof FROM seatwise_signal signal
                    WHERE signal.member_id = given.id
                    ORDER BY signal.at DESC LIMIT 1) AS newest
WHERE member.id = given.id
  AND (member.last_seen_at IS NULL OR member.last_seen_at < newest.at)
"""


class SignalQuerySet(models.QuerySet["Signal"]):
    def record(
        self, connection: models.Model, records: Iterable[SignalRecord], read_at: datetime
    ) -> None:
        """Keeps the newest evidence per member and source, and the members' last seen.

        Evidence of people who are no members (any more) is passed over, and so is what
        claims to be from the future: it proves nothing yet.
        """
        newest: dict[tuple[str, str], SignalRecord] = {}
        for record in records:
            key = (record.member_id, record.source)
            if record.at <= read_at and (key not in newest or newest[key].at < record.at):
                newest[key] = record
        if not newest:
            return
        with database.cursor() as cursor:
            asked: Mapping[str, Any] = {
                "connection": connection.pk,
                "members": [member for member, _ in newest],
            }
            cursor.execute(MEMBERS, asked)
            ids = dict(cursor.fetchall())
            given = [record for record in newest.values() if record.member_id in ids]
            if not given:
                return
            values: Mapping[str, Any] = {
                "read_at": read_at,
                "ids": [ids[record.member_id] for record in given],
                "sources": [record.source[:40] for record in given],
                "ats": [record.at for record in given],
                "proofs": [record.proof[:300] for record in given],
                "urls": [record.url[:500] for record in given],
            }
            cursor.execute(RECORD, values)
            cursor.execute(LAST_SEEN, values)

    def newest_until(
        self, accounts: Iterable[models.Model], moment: datetime
    ) -> dict[int, "Signal"]:
        """{member id: the newest that is kept and not later}, of those accounts."""
        held = self.filter(
            member__connection__in=[account.pk for account in accounts], at__lte=moment
        )
        newest = held.order_by("member", "-at").distinct("member")
        return {signal.member_id: signal for signal in newest.iterator(chunk_size=5000)}

    def newest_first(self) -> Self:
        return self.order_by("-at")


class Signal(models.Model):
    member = models.ForeignKey("Member", on_delete=models.CASCADE, related_name="signals")
    source = models.CharField(max_length=40)  # a key of the connector's `sources`
    at = models.DateTimeField()
    proof = models.CharField(max_length=300)
    url = models.URLField(max_length=500, blank=True)
    read_at = models.DateTimeField()

    objects = SignalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "source"], name="one_signal_a_source")
        ]

    def __str__(self) -> str:
        return f"{self.source} at {self.at:%Y-%m-%d}"
