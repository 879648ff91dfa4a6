"""Who is called when something fails: schedules, escalation policies, and who is on call.

Duty is not presence: nothing of it counts as having been seen. It keeps people from being called
idle, and tells who is on call and out of reach.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.errors import REFUSALS, BrokenAnswer, TryAgainLater
from seatwise.connectors.pagerduty.api import Api, PageDoc, stamp
from seatwise.connectors.pagerduty.enumerating import enumerated
from seatwise.connectors.pagerduty.fields import Count, Doc, Id, Link, Name, Perhaps, Several, Word
from seatwise.connectors.pagerduty.paging import Page
from seatwise.connectors.records import Batch, DutyKind, DutyRecord, Gap, ReachRecord, Record

AHEAD = timedelta(days=1)  # PagerDuty lets few such questions through, so no longer
WAYS = {
    "email_contact_method": "email",
    "sms_contact_method": "sms",
    "phone_contact_method": "phone",
    "push_notification_contact_method": "push",
}
R = TypeVar("R", bound=Doc)


class SomebodyDoc(Doc):
    id: Id
    type: Word = ""
    summary: Name = ""


class ScheduleDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Schedules → List schedules."""

    id: Id
    name: Name = ""
    html_url: Link = ""
    users: Annotated[list[SomebodyDoc], Several] = []


class StepDoc(Doc):
    targets: Annotated[list[SomebodyDoc], Several] = []


class PolicyDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Escalation Policies → List."""

    id: Id
    name: Name = ""
    html_url: Link = ""
    escalation_rules: Annotated[list[StepDoc], Several] = []


class ReachedDoc(Doc):
    id: Id
    summary: Name = ""
    name: Name = ""
    contact_methods: object = None  # None: not told, which is not that there are none


class PlaceDoc(Doc):
    id: Id
    summary: Name = ""
    html_url: Link = ""


class OnCallDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → On-Calls → List all of the on-calls."""

    user: Annotated[ReachedDoc | None, Perhaps] = None
    escalation_policy: Annotated[PlaceDoc | None, Perhaps] = None
    escalation_level: Count = None
    schedule: Annotated[PlaceDoc | None, Perhaps] = None
    start: Word = ""


class SchedulesDoc(PageDoc):
    schedules: list[ScheduleDoc]


class PoliciesDoc(PageDoc):
    escalation_policies: list[PolicyDoc]


class OnCallsDoc(PageDoc):
    oncalls: list[OnCallDoc]


async def read_duty(api: Api, oncalls: Api, plan: ReadPlan) -> AsyncGenerator[Batch, None]:
    """All of it in one batch, for half of it would make people look off duty.

    What cannot be read is named, and then nothing is told; nothing else waits for it. A list that
    says less than PagerDuty counts is no list.
    """
    found: dict[tuple[str, str, str], DutyRecord] = {}
    reach: dict[str, ReachRecord] = {}
    try:
        async for record in _duties(api, oncalls, plan, reach):
            found.setdefault((record.member_id, record.kind, record.place_id), record)
    except (*REFUSALS, TryAgainLater, BrokenAnswer) as error:
        what = "Who is on a schedule, in an escalation policy or on call cannot be read."
        yield Batch(
            "duty", ended=True, gaps=(Gap("duty", what, str(error), error.remedy, minor=True),)
        )
        return
    records: tuple[Record, ...] = (*found.values(), *reach.values())
    yield Batch("duty", records, len(found), len(found), "duties", complete=True)


async def _duties(
    api: Api, oncalls: Api, plan: ReadPlan, reach: dict[str, ReachRecord]
) -> AsyncGenerator[DutyRecord, None]:
    async with aclosing(_rows(api, "/schedules", SchedulesDoc, "schedules")) as schedules:
        async for schedule in schedules:
            for somebody in schedule.users:
                yield _record(somebody, "schedule", schedule)
    async with aclosing(
        _rows(api, "/escalation_policies", PoliciesDoc, "escalation_policies")
    ) as policies:
        async for policy in policies:
            for record in _of_policy(policy):
                yield record
    now = plan.read_at or plan.now
    asked = (
        ("since", stamp(now)), ("until", stamp(now + AHEAD)),
        ("earliest", "true"), ("include[]", "users"),
    )  # fmt: skip
    async with aclosing(_rows(oncalls, "/oncalls", OnCallsDoc, "oncalls", asked)) as rows:
        async for each in rows:
            if each.user is not None and each.escalation_policy is not None:
                place, person = each.escalation_policy, each.user
                yield DutyRecord(
                    person.id, person.name or person.summary, "oncall", place.id, place.summary,
                    place.html_url,
                )  # fmt: skip
                if isinstance(person.contact_methods, list):
                    ways = _ways(person.contact_methods)
                    reach[person.id] = ReachRecord(person.id, ways)


def _of_policy(policy: PolicyDoc) -> Iterator[DutyRecord]:
    """Whom it calls by name; whom it calls by a schedule stands in that."""
    for step in policy.escalation_rules:
        for target in step.targets:
            if target.type.startswith("user"):
                yield _record(target, "policy", policy)


def _record(somebody: SomebodyDoc, kind: DutyKind, place: ScheduleDoc | PolicyDoc) -> DutyRecord:
    return DutyRecord(somebody.id, somebody.summary, kind, place.id, place.name, place.html_url)


def _ways(contacts: Sequence[object]) -> tuple[str, ...]:
    """Only the kinds are kept, never an address or a number. Kinds nobody knows wake nobody."""
    words = (each.get("type") for each in contacts if isinstance(each, dict))
    kinds = (word.removesuffix("_reference") for word in words if isinstance(word, str))
    return tuple(sorted({WAYS[kind] for kind in kinds if kind in WAYS}))


async def _rows(
    api: Api, path: str, shape: type[Any], name: str, asked: tuple[tuple[str, str], ...] = ()
) -> AsyncGenerator[Any, None]:
    """Every row of a classic list. Raises VendorError, also where rows are lacking."""

    async def fetch(offset: int, limit: int) -> Page[Any]:
        params = (*asked, ("limit", str(limit)), ("offset", str(offset)), ("total", "true"))
        doc = await api.get(path, shape, params)
        return Page(getattr(doc, name), doc.more, doc.total)

    async with aclosing(enumerated(fetch, _key)) as chunks:
        async for chunk in chunks:
            for row in chunk.rows:
                yield row
            if chunk.cut or chunk.lacking:
                raise BrokenAnswer(f"PagerDuty lists fewer rows of {path} than it counts.")


def _key(row: Any) -> str:
    if isinstance(row, OnCallDoc):
        parts = (row.user, row.escalation_policy, row.schedule)
        named = " ".join(part.id if part else "" for part in parts)
        return f"{named} {row.escalation_level} {row.start}"
    return str(row.id)
