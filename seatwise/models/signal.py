"""Evidence that a member did something, the newest per source."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.db import connection as database
from django.db import models

from seatwise.connectors.records import SignalRecord

# One statement a page; older evidence never replaces newer, in whatever order it is read. What is
# known already is left out beforehand, for a conflict locks a row, and that is a write, too.
RECORD = """
INSERT INTO seatwise_signal (member_id, source, at, proof, url, read_at)
SELECT member.id, given.source, given.at, given.proof, given.url, %(read_at)s
FROM unnest(%(members)s::text[], %(sources)s::text[], %(ats)s::timestamptz[],
            %(proofs)s::text[], %(urls)s::text[]) AS given(member, source, at, proof, url)
JOIN seatwise_member member
  ON member.connection_id = %(connection)s AND member.external_id = given.member
LEFT JOIN seatwise_signal known ON known.member_id = member.id AND known.source = given.source
WHERE known.id IS NULL OR given.at > known.at
ON CONFLICT (member_id, source) DO UPDATE
SET at = excluded.at, proof = excluded.proof, url = excluded.url, read_at = excluded.read_at
WHERE excluded.at > seatwise_signal.at
"""
LAST_SEEN = """
UPDATE seatwise_member member
SET last_seen_at = newest.at, last_seen_source = newest.source, last_seen_proof = newest.proof
FROM (SELECT DISTINCT ON (signal.member_id) signal.member_id, signal.at, signal.source,
             signal.proof
      FROM seatwise_signal signal JOIN seatwise_member owner ON owner.id = signal.member_id
      WHERE owner.connection_id = %(connection)s AND owner.external_id = ANY(%(members)s)
      ORDER BY signal.member_id, signal.at DESC) newest
WHERE member.id = newest.member_id
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
        given = list(newest.values())
        values = {
            "connection": connection.pk,
            "read_at": read_at,
            "members": [record.member_id for record in given],
            "sources": [record.source[:40] for record in given],
            "ats": [record.at for record in given],
            "proofs": [record.proof[:300] for record in given],
            "urls": [record.url[:500] for record in given],
        }
        with database.cursor() as cursor:
            cursor.execute(RECORD, values)
            cursor.execute(LAST_SEEN, values)

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
