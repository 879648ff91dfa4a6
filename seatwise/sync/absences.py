"""Applies the vendor's word that some members never did something."""

from datetime import datetime

from seatwise.models import SyncRun
from seatwise.models.staged import comparing

# Of whom the word is another than before; it is taken back where the vendor did not repeat it.
WORDS = """
UPDATE seatwise_member member
SET never_source = COALESCE(told.source, ''),
    never_read_at = CASE WHEN told.source IS NOT NULL THEN %(now)s::timestamptz END
FROM (SELECT known.id, known.never_source, known.never_read_at,
             left(said.data ->> 'source', 40) AS source
      FROM seatwise_member known
      LEFT JOIN (SELECT * FROM seatwise_stagedrecord
                 WHERE run_id = %(run)s AND kind = 'never') said ON said.key = known.external_id
      WHERE known.connection_id = %(connection)s) told
WHERE member.id = told.id
  AND CASE WHEN told.source IS NULL THEN told.never_read_at IS NOT NULL
      ELSE told.never_read_at IS NULL OR told.never_source <> told.source END
"""


def apply_absences(run: SyncRun, now: datetime) -> None:
    """Brings "never" to what this run was told; of whom it is no longer told it is unknown."""
    with comparing() as cursor:
        cursor.execute(WORDS, {"connection": run.connection_id, "run": run.pk, "now": now})
