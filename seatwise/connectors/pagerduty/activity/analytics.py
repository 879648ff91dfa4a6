"""Questions to PagerDuty's analytics, whose answers come in batches and are up to a day old."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, StrictBool

from seatwise.connectors.pagerduty.activity.endless import Endless
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.fields import Doc, Id, uncut

MOST = 1000  # rows a page, the most PagerDuty gives

D = TypeVar("D", bound="AnswerDoc")


class RowDoc(Doc):
    """What every row carries."""

    id: Id


class AnswerDoc(Doc):
    """What every batch carries."""

    data: Sequence[RowDoc]
    more: StrictBool
    last: Annotated[str, BeforeValidator(uncut(2000))] = ""


async def answers(
    api: Api, path: str, question: Mapping[str, object], shape: type[D]
) -> AsyncGenerator[D, None]:
    """Batch after batch. Raises BrokenAnswer where more is promised and does not come."""
    endless = Endless("PagerDuty's analytics promised more rows")
    asked: dict[str, object] = {**question, "limit": MOST}
    while True:
        page = await api.query(path, asked, shape)
        if page.more:
            endless.check(page.last, page.data[0].id if page.data else None)
        yield page
        if not page.more:
            return
        asked["starting_after"] = page.last
