"""Sign-ins: when PagerDuty's analytics last saw each member come in, up to a day ago."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, StrictBool

from seatwise.connectors.errors import (
    REFUSALS,
    BrokenAnswer,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.pace import LONGEST_WINDOW
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.fields import Doc, Flag, Id, moment_utc, uncut
from seatwise.connectors.records import AbsenceRecord, Batch, Gap, SignalRecord

SOURCE = "signed_in"
PROOF = "signed in, says PagerDuty's analytics, which is up to a day behind"
LATELY = timedelta(days=30)  # whoever came in since then is idle by no measure
MOST = 1000  # rows a page, the most PagerDuty gives


class SignInDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Analytics → Get raw data, users."""

    id: Id
    last_sign_in_at: object = ""  # None is an answer: never
    signed_up: Flag = False


class SignInsDoc(Doc):
    data: list[SignInDoc]
    more: StrictBool
    last: Annotated[str, BeforeValidator(uncut(2000))] = ""


async def read_sign_ins(api: Api) -> AsyncIterator[Batch]:
    """A batch a page: when members signed in last, and who never did.

    Where that may not be read, or no more of it today, a gap says so and the batches end.
    """
    seen: set[str] = set()
    question: dict[str, object] = {"limit": MOST}
    more = True
    while more:
        try:
            page = await api.query("/analytics/raw/users", question, SignInsDoc)
        except REFUSALS as error:
            yield Batch("activity", gaps=(_unreadable(error, error.remedy),))
            return
        except TryAgainLater as error:
            if error.after is None or error.after <= LONGEST_WINDOW:
                raise
            later = "Nothing to do: the log is read instead, and sign-ins with a later sync."
            yield Batch("activity", gaps=(_unreadable(error, later),))
            return
        new = [row for row in page.data if row.id not in seen]
        seen.update(row.id for row in new)
        records = [record for row in new if (record := _record(row)) is not None]
        yield Batch("activity", tuple(records), len(seen), unit="members")
        more = page.more
        if more and (not new or not page.last):
            raise BrokenAnswer("PagerDuty's analytics promised more people and sent none.")
        question = {"limit": MOST, "starting_after": page.last}


def recently(batch: Batch, since: datetime) -> set[str]:
    """The members whom a batch shows to have signed in since then."""
    return {
        record.member_id
        for record in batch.records
        if isinstance(record, SignalRecord) and record.at >= since
    }


def _record(row: SignInDoc) -> SignalRecord | AbsenceRecord | None:
    if row.last_sign_in_at is None:
        return None if row.signed_up else AbsenceRecord(row.id, SOURCE)
    at = moment_utc(row.last_sign_in_at)
    return SignalRecord(row.id, SOURCE, at, PROOF) if at else None


def _unreadable(error: VendorError, remedy: str) -> Gap:
    return Gap("account", "Sign-ins cannot be read; actions on incidents are.", str(error), remedy)
