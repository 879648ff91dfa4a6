"""What each rule looked at, found and spared: so that a page can say why somebody is not there."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from seatwise import history, rules
from seatwise.insights import thresholds
from seatwise.insights.facts import facts_on
from seatwise.models import Member, RuleLook, Service
from seatwise.rules import RULES, Found, Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one person. Neither found nor spared: it is not about them."""

    rule: rules.Rule
    found: str  # its text
    guard: str  # why it spared them


def sort_out(
    service: Service, outcomes: Iterable[Outcome], now: datetime
) -> tuple[dict[tuple[str, str], Found], list[RuleLook]]:
    """What was found, by rule and subject, and a look of each rule to be kept.

    Those spared are only counted: of a large account there are hundreds of thousands.
    """
    found: dict[tuple[str, str], Found] = {}
    spared: dict[str, Counter[str]] = {rule: Counter() for rule in RULES}
    for each in outcomes:
        if isinstance(each, Found):
            found[each.rule, each.subject] = each
        else:
            spared[each.rule][each.guard] += 1
    by_rule = Counter(rule for rule, _subject in found)
    return found, [
        RuleLook(service=service, rule=rule, at=now, found=by_rule[rule], spared=dict(guards))
        for rule, guards in spared.items()
    ]


def why_not(service: Service, member: Member, now: datetime) -> list[Verdict]:
    """What every rule about people says of a member now, in the order of their turn.

    It runs the rules on the whole service, as some of them compare people with each other.
    """
    today = history.day_of(now, settings.BILLING_ZONE)
    outcomes = rules.run(facts_on(service, today, now), thresholds.limits_of(service))
    said = list(_about(f"member:{member.pk}", outcomes))
    return [
        Verdict(
            RULES[each.rule],
            each.text if isinstance(each, Found) else "",
            "" if isinstance(each, Found) else each.guard,
        )
        for each in said
    ]


def _about(subject: str, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    return (each for each in outcomes if each.subject == subject)
