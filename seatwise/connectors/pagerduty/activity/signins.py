"""Sign-ins: when PagerDuty's analytics last saw each member come in, up to a day ago."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta

from seatwise.connectors.pagerduty.activity.analytics import AnswerDoc, RowDoc, answers
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.fields import Flag, moment_utc
from seatwise.connectors.records import AbsenceRecord, Batch, SignalRecord

SOURCE = "signed_in"
PROOF = "signed in, says PagerDuty's analytics, which is up to a day behind"
LATELY = timedelta(days=30)  # whoever came in since then is idle by no measure


class SignInDoc(RowDoc):
    """https://developer.pagerduty.com/api-reference/ → Analytics → Get raw data, users."""

    last_sign_in_at: object = ""  # None is an answer: never
    signed_up: Flag = False


class SignInsDoc(AnswerDoc):
    data: list[SignInDoc]


async def read_sign_ins(api: Api) -> AsyncGenerator[Batch, None]:
    """A batch a page: when members signed in last, and who never did. Raises VendorError."""
    done = 0
    async with aclosing(answers(api, "/analytics/raw/users", {}, SignInsDoc)) as pages:
        async for page in pages:
            rows = {row.id: row for row in page.data}
            done += len(rows)
            records = [record for row in rows.values() if (record := _record(row)) is not None]
            yield Batch("activity", tuple(records), done, unit="members")


def _record(row: SignInDoc) -> SignalRecord | AbsenceRecord | None:
    if row.last_sign_in_at is None:
        return None if row.signed_up else AbsenceRecord(row.id, SOURCE)
    at = moment_utc(row.last_sign_in_at)
    return SignalRecord(row.id, SOURCE, at, PROOF) if at else None
