"""The analytics endpoints: rows about people and incidents, and sums over them.

Everything is as of the last midnight UTC; see `questions` for how one asks.
"""

from collections.abc import Sequence
from typing import Any, Final

from ..company.codes import DAY
from ..company.people import Person
from ..company.story import Incident
from .aggregates import FILTERS, ORDERS, UNITS, Wanted, days, kind_of, metrics, wanted
from .answers import Body, Call, invalid, missing
from .figures import FIELDS, MEASURED, figures
from .incidents import known
from .midnight import Snapshot, snapshot
from .questions import Question

USER_FILTERS: Final = ("created_at_start", "created_at_end", "team_ids", "user_ids", "role_ids")
USER_ORDERS: Final = (
    *("user_id", "id", "name", "user_name", "email", "role", "created_at", "last_sign_in_at"),
)
RAW_FILTERS: Final = (*FILTERS, "updated_after")
RAW_ORDERS: Final = ("created_at", "seconds_to_resolve")
RESPONDER_FILTERS: Final = (
    *("date_range_start", "date_range_end", "urgency", "team_ids", "responder_ids"),
    *("priority_ids", "priority_names"),
)
CHANNELS: Final = {
    "email": "EmailChannel",
    "push": "PushNotificationChannel",
    "sms": "SmsChannel",
    "phone": "PhoneChannel",
}


def raw_users(call: Call) -> Body:
    """Everybody, with their last sign-in. People who came since midnight are not there yet."""
    question = Question(call, USER_FILTERS, USER_ORDERS)
    there = snapshot(call.company, question.as_of)
    key = there.key(question.order_by)
    rows = _people(question, there.sorted(question.order_by))
    return question.batch(rows, key, lambda some: [_user(question, there, p) for p in some])


def metrics_users(call: Call) -> Body:
    """How many people there are, and how many of them signed in, can be reached and so on."""
    question = Question(call, USER_FILTERS, USER_ORDERS)
    there = snapshot(call.company, question.as_of)
    people = _people(question, there.people)
    total = len(people)
    counts = {
        "downloaded_mobile_app": sum("push" in person.channels for person in people),
        "on_escalation_policy": sum(there.policies[person.id] > 0 for person in people),
        "signed_up": sum(there.signed_in(person) is not None for person in people),
        "with_notification_methods": sum(bool(person.channels) for person in people),
    }
    row: Body = {"total_user_count": total}
    for name, count in counts.items():
        row[f"total_{name}_count"] = count
        row[f"total_{name}_percentage"] = round(100 * count / total, 2) if total else 0.0
    return {"data": [row], **question.told()}


def raw_incidents(call: Call) -> Body:
    """Incidents created in a window of at most a year, one row each."""
    question = Question(call, RAW_FILTERS, RAW_ORDERS)
    question.narrowed("team_ids", "service_ids")
    since, until = question.window("created_at_start", "created_at_end")
    which, after = wanted(question), question.time("updated_after")
    by_age = question.order_by == "created_at"
    if by_age and which.everything and after is None:
        found: Sequence[Incident] = call.company.incidents(since, until)
        return question.batch(
            found, lambda told: (told.number,), lambda some: [_incident(question, t) for t in some]
        )
    rows = _found(question, since, until, which)
    if after is not None:
        least = int(after.timestamp())
        rows = [row for row in rows if _updated(_told(call, row), question.as_of) > least]
    if not by_age:
        rows.sort()

    def show(some: Sequence[Row]) -> list[Body]:
        # day by day, because a day that was left is forgotten
        shown = {row: _incident(question, _told(call, row)) for row in sorted(some, key=_place)}
        return [shown[row] for row in some]

    return question.batch(rows, (lambda row: (row[1],)) if by_age else (lambda row: row[:2]), show)


def one_raw_incident(call: Call) -> Body:
    """One incident's row; those of today are not there yet."""
    question, told = Question(call, (), RAW_ORDERS), known(call)
    if told.at >= question.as_of:
        raise missing()
    return _incident(question, told)


def metrics_all(call: Call) -> Body:
    """Figures of all incidents together, for the whole window or each part of it."""
    return _metrics(call, "")


def metrics_services(call: Call) -> Body:
    """Figures of each service that had incidents."""
    return _metrics(call, "service")


def metrics_teams(call: Call) -> Body:
    """Figures of each team whose services had incidents."""
    return _metrics(call, "team")


def metrics_responders(call: Call) -> Body:
    """Figures of all responders together, or of those that are asked for. Not in it: on-call time.

    An incident counts when one of them was assigned to it.
    """
    question = Question(call, RESPONDER_FILTERS, ("total_incident_count",))
    since, until = question.window("date_range_start", "date_range_end")
    only, which = question.words("responder_ids"), wanted(question)
    sums, count = [0] * len(FIELDS), 0
    acked = mobilized = 0
    for sheet, places in days(call.company, since, until, question.as_of, which):
        for place in places:
            if only is None:
                row: Sequence[int] = [column[place] for column in sheet.columns]
            else:
                told = call.company.day(sheet.times[place] // DAY)[place]
                row = figures(told, question.as_of, only)
            if not row[FIELDS.index("assignment_count")]:
                continue
            count += 1
            acked += row[0] >= 0
            mobilized += max(row[0], 0)
            for n in range(MEASURED, len(FIELDS)):
                sums[n] += row[n]
    of = dict(zip(FIELDS, sums, strict=True))
    data: Body = {
        "total_incident_count": count,
        "total_incidents_acknowledged": of["acknowledged"],
        "total_incidents_manual_escalated_from": 0,
        "total_incidents_manual_escalated_to": 0,
        "total_incidents_reassigned_from": of["reassigned"],
        "total_incidents_reassigned_to": of["reassigned"],
        "total_incidents_timeout_escalated_from": of["timeout_escalated"],
        "total_incidents_timeout_escalated_to": of["timeout_escalated"],
        "total_engaged_seconds": of["engaged_seconds"],
        "mean_engaged_seconds": round(of["engaged_seconds"] / count) if count else 0,
        "mean_time_to_acknowledge_seconds": round(mobilized / acked) if acked else 0,
        "total_notifications": of["total_notifications"],
        "total_business_hour_interruptions": of["business_hour_interruptions"],
        "total_off_hour_interruptions": of["off_hour_interruptions"],
        "total_sleep_hour_interruptions": of["sleep_hour_interruptions"],
        "total_interruptions": sum(sums[-3:]),
    }
    return {"data": [data] if count else [], **_ordered(question)}


def _metrics(call: Call, by: str) -> Body:
    question = Question(call, FILTERS, ORDERS)
    if by != "service":  # documented for the others only
        question.narrowed("team_ids", "service_ids")
    unit = call.posted.get("aggregate_unit")
    if unit is not None and unit not in UNITS:
        raise invalid(f"aggregate_unit must be one of {', '.join(UNITS)}.")
    return {"data": metrics(question, by), "aggregate_unit": unit, **_ordered(question)}


def _ordered(question: Question) -> Body:
    return {"order": question.order, "order_by": question.order_by, **question.told()}


def _people(question: Question, people: Sequence[Person]) -> Sequence[Person]:
    """Those who fit the filters."""
    if not question.filters:
        return people
    teams, names = question.words("team_ids"), question.words("user_ids")
    roles = question.words("role_ids")
    since, until = question.time("created_at_start"), question.time("created_at_end")
    low = since.timestamp() if since else float("-inf")
    high = until.timestamp() if until else float("inf")
    return [
        person
        for person in people
        if low <= person.joined_at < high
        and (teams is None or any(team.id in teams for team in person.teams))
        and (names is None or person.id in names)
        and (roles is None or person.role in roles)
    ]


def _user(question: Question, there: Snapshot, person: Person) -> Body:
    last, team = there.signed_in(person), next(iter(person.teams), None)
    return {
        "id": person.id,
        "user_name": person.name,
        "email": person.email,
        "account_id": int.from_bytes(there.account.id.encode()[:3]),
        "description": None,
        "time_zone": person.time_zone,
        "role": person.role,
        "team_id": team.id if team else None,
        "team_name": team.name if team else None,
        "team_count": len(person.teams),
        "created_at": question.stamp(person.joined_at),
        "last_sign_in_at": question.stamp(last) if last is not None else None,
        "signed_up": last is not None,
        "default_notification_channel_count": len(person.channels),
        "channel_types_configured": [CHANNELS[channel] for channel in person.channels],
        "notification_methods": bool(person.channels),
        "downloaded_mobile_app": "push" in person.channels,
        "schedules_count": there.schedules[person.id],
        "on_schedule": there.schedules[person.id] > 0,
        "escalation_policies_count": there.policies[person.id],
        "on_escalation_policy": there.policies[person.id] > 0,
    }


Row = tuple[int, int, int, int]  # seconds to resolve, number, day, place on that day


def _found(question: Question, since: int, until: int, which: Wanted) -> list[Row]:
    """The incidents that fit the filters, oldest first."""
    found: list[Row] = []
    for sheet, places in days(question.call.company, since, until, question.as_of, which):
        waits = sheet.columns[FIELDS.index("seconds_to_resolve")]
        found += [(waits[n], sheet.numbers[n], sheet.times[n] // DAY, n) for n in places]
    return found


def _told(call: Call, row: Row) -> Incident:
    told: Incident = call.company.day(row[2])[row[3]]
    return told


def _place(row: Row) -> tuple[int, int]:
    return row[2], row[3]


def _updated(told: Incident, as_of: int) -> int:
    """When analytics last looked at an incident: the midnight after whatever happened last."""
    last = max(step.at for step in told.steps if step.at < as_of)
    return min(as_of, last // DAY * DAY + DAY)


def _incident(question: Question, told: Incident) -> Body:
    """An incident as analytics shows it."""
    as_of, service = question.as_of, told.service
    steps = [step for step in told.steps if step.at < as_of]
    counted = figures(told, as_of)._asdict()
    acked = _each(step.by for step in steps if step.kind == "acknowledge")
    given = _each(person for step in steps for person in step.to)
    status, cause = told.standing(as_of - 1)
    over = cause if status == "resolved" else None
    closer = over.by if over and isinstance(over.by, Person) else None
    shown: Body = {
        "id": told.id,
        "incident_number": told.number,
        "description": told.title,
        "status": status,
        "urgency": told.urgency,
        "created_at": question.stamp(told.at),
        "updated_at": question.stamp(_updated(told, as_of)),
        "resolved_at": question.stamp(over.at) if over else None,
        "resolved_by_user_id": closer.id if closer else None,
        "resolved_by_user_name": closer.name if closer else None,
        "incident_type_id": kind_of(told.account),
        "incident_type_name": "incident_default",
        "service_id": service.id,
        "service_name": service.name,
        "team_id": service.team.id,
        "team_name": service.team.name,
        "escalation_policy_id": service.policy.id,
        "escalation_policy_name": service.policy.name,
        "major": False,
        "priority_id": None,
        "priority_name": None,
        "priority_order": None,
        "user_defined_effort_seconds": None,
        "snoozed_seconds": 0,
        "manual_escalation_count": 0,
    }
    for word, people in (("acknowledged", acked), ("joined", acked), ("assigned", given)):
        shown[f"{word}_user_ids"] = [person.id for person in people]
        shown[f"{word}_user_names"] = [person.name for person in people]
    for name in ("acknowledged", "reassigned", "timeout_escalated"):
        del counted[name]
    for name in FIELDS[:MEASURED]:
        counted[name] = None if counted[name] < 0 else counted[name]
    return shown | counted | _derived(counted)


def _derived(counted: dict[str, int]) -> Body:
    hours = ("business_hour", "off_hour", "sleep_hour")
    return {
        "auto_resolved": bool(counted["auto_resolved"]),
        "active_user_count": counted["engaged_user_count"],
        "escalation_count": counted["timeout_escalation_count"],
        "total_interruptions": sum(counted[f"{part}_interruptions"] for part in hours),
    }


def _each(people: Any) -> list[Any]:
    """Everybody once, in order."""
    return list({person.id: person for person in people}.values())
