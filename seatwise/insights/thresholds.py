"""The limits of the rules as people set them, with who and when."""

from django.db import transaction
from django.utils import timezone

from seatwise import audit
from seatwise.models import Service, Threshold, User
from seatwise.models.audit_event import Action
from seatwise.rules import RULES, Limit, Thresholds


def limits_of(service: Service) -> dict[str, Thresholds]:
    """{rule: {limit: value}} of every rule: the service's own, else everybody's, else as it is."""
    set_by_people = Threshold.objects.newest(service)
    return {
        rule.key: {
            limit.name: set_by_people.get((rule.key, limit.name), limit.default)
            for limit in rule.limits
        }
        for rule in RULES.values()
    }


def set_threshold(
    service: Service | None, rule: str, name: str, value: int, *, by: User | None
) -> bool:
    """Sets a limit of one service, or of all; whether that changed anything.

    Raises ValueError, with a sentence for the form.
    """
    limit = limit_of(rule, name)
    if not limit.least <= value <= limit.most:
        raise ValueError(f"{limit.what}: a whole number from {limit.least:,} to {limit.most:,}.")
    before = (
        limits_of(service)[rule][name]
        if service
        else Threshold.objects.newest(None).get((rule, name), limit.default)
    )
    if before == value:
        return False
    with transaction.atomic():
        Threshold.objects.create(
            service=service, rule=rule, name=name, value=value, made_at=timezone.now(), made_by=by
        )
        audit.record(
            Action.THRESHOLD_CHANGED,
            service=service.key if service else "",
            about=RULES[rule].name,
            said=f"{limit.what}: {before:,} before, {value:,} now.",
        )
    return True


def limit_of(rule: str, name: str) -> Limit:
    """Raises ValueError where there is none of that name."""
    limits = RULES[rule].limits if rule in RULES else ()
    found = next((limit for limit in limits if limit.name == name), None)
    if found is None:
        raise ValueError("There is no such threshold.")
    return found
