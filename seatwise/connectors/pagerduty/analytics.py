"""Questions to PagerDuty's analytics, whose answers come in batches and are up to a day old."""

from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, StrictBool

from seatwise.connectors.errors import REFUSALS, BrokenAnswer, TryAgainLater, VendorError
from seatwise.connectors.pace import LONGEST_WINDOW
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.fields import Doc, uncut

MOST = 1000  # rows a page, the most PagerDuty gives

D = TypeVar("D", bound="AnswerDoc")


class AnswerDoc(Doc):
    """What every batch carries; its rows are in `data`."""

    more: StrictBool
    last: Annotated[str, BeforeValidator(uncut(2000))] = ""


async def answers(
    api: Api, path: str, question: Mapping[str, object], shape: type[D]
) -> AsyncGenerator[D, None]:
    """Batch after batch. Raises BrokenAnswer where more is promised and does not come."""
    cursors: set[str] = set()
    asked: dict[str, object] = {**question, "limit": MOST}
    while True:
        page = await api.query(path, asked, shape)
        if page.more and (not page.last or page.last in cursors):
            raise BrokenAnswer("PagerDuty's analytics promised more rows and sent none.")
        yield page
        if not page.more:
            return
        cursors.add(page.last)
        asked["starting_after"] = page.last


def is_closed(error: VendorError) -> bool:
    """Whether it is of no use to ask there again in this reading: refused, or a day's limit."""
    if isinstance(error, TryAgainLater):
        return error.after is not None and error.after > LONGEST_WINDOW
    return isinstance(error, REFUSALS)
