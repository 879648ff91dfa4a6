"""What people decide about findings: who, when, why, until when. Nothing is done at a vendor."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from seatwise import audit
from seatwise.models import Finding, FindingEvent, Service, User
from seatwise.models.audit_event import Action
from seatwise.models.finding import Life

LONGEST = timedelta(days=731)  # of a snooze and of an exemption
MOST_WORDS = 1_000  # characters of a reason


@transaction.atomic
def decide(
    service: Service,
    numbers: Iterable[int],
    state: Life,
    *,
    by: User,
    today: date,
    to: User | None = None,
    until: date | None = None,
    reason: str = "",
) -> int:
    """Brings standing findings of a service into a state; returns how many there were.

    `to` is needed for an assignment, `until` for a snooze and an exemption, `reason` for an
    exemption. Raises ValueError, with a sentence for the form.
    """
    said = _checked(state, today, to=to, until=until, reason=reason)
    found = list(Finding.objects.numbered(service, numbers).open_now().locked())
    for finding in found:
        finding.state = state
        finding.assigned_to = to if state == Life.ASSIGNED else finding.assigned_to
        finding.until = until if state in (Life.SNOOZED, Life.EXEMPTED) else None
        finding.reason = reason.strip()
    _keep(found, said, timezone.now(), by)
    if found:
        audit.record(
            Action.FINDING_DECIDED,
            service=service.key,
            about=found[0].text if len(found) == 1 else f"{len(found)} findings",
            said=said,
        )
    return len(found)


def wake(service: Service, today: date, now: datetime) -> None:
    """Opens again what was snoozed or exempted until a day that is over."""
    over = list(Finding.objects.of(service).decided_until(today))
    for finding in over:
        finding.state, finding.until = _awake(finding), None
    _keep(over, "The last day of it is over.", now, None)


def look_again(service: Service, found: Sequence[Finding], now: datetime) -> None:
    """Opens again what somebody called done and a later reading still finds."""
    looked = service.members_as_of
    still = [
        finding
        for finding in found
        if finding.state == Life.DONE and looked is not None and _done_at(finding) < looked
    ]
    for finding in still:
        finding.state = _awake(finding)
    _keep(still, "A later reading still finds it.", now, None)


def come_back(found: Iterable[Finding], today: date, now: datetime) -> None:
    """What was over is found again: a decision that holds still does so, and done it is not."""
    back = list(found)
    for finding in back:
        finding.over_at = None
        is_asleep = finding.state in (Life.SNOOZED, Life.EXEMPTED)
        if finding.state == Life.DONE or (is_asleep and (finding.until or today) < today):
            finding.state, finding.until = _awake(finding), None
    _keep(back, "It is found again.", now, None)


def _awake(finding: Finding) -> Life:
    return Life.ASSIGNED if finding.assigned_to_id else Life.OPEN


def _done_at(finding: Finding) -> datetime:
    event = finding.events.last()
    return event.at if event else finding.first_at


def _keep(found: Sequence[Finding], said: str, now: datetime, by: User | None) -> None:
    fields = ["state", "assigned_to", "until", "reason"]
    Finding.objects.bulk_update(found, fields, batch_size=1_000)
    FindingEvent.objects.bulk_create(
        FindingEvent(finding=finding, at=now, by=by, state=finding.state, said=said)
        for finding in found
    )


def _checked(state: Life, today: date, *, to: User | None, until: date | None, reason: str) -> str:
    """What is said of it, with all that the state needs. Raises ValueError."""
    words = f" {reason.strip()}" if reason.strip() else ""
    if len(reason) > MOST_WORDS:
        raise ValueError(f"Say it in {MOST_WORDS:,} characters or fewer.")
    if state == Life.ASSIGNED:
        if to is None:
            raise ValueError("Choose who is to look after it.")
        return f"For {to}.{words}"
    if state in (Life.SNOOZED, Life.EXEMPTED):
        if until is None or not today < until <= today + LONGEST:
            raise ValueError("Choose a last day, from tomorrow on and within two years.")
        if state == Life.EXEMPTED and not reason.strip():
            raise ValueError("Say why; whoever comes after you will want to know.")
        return f"Until {until:%-d %B %Y}.{words}"
    if state in (Life.DONE, Life.OPEN):
        return f"{'Done at the vendor.' if state == Life.DONE else 'Opened again.'}{words}"
    raise ValueError("Only a reading and the contract can tell that a saving was realised.")
