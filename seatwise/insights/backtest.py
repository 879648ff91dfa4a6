"""What the rules would have found on a day of the past, and what became of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from seatwise import rules
from seatwise.insights import thresholds
from seatwise.insights.facts import facts_on
from seatwise.models import Member, Service
from seatwise.rules import RULES, Found


@dataclass(slots=True)
class Tested:
    """One rule on one day. People are counted once each."""

    found: int = 0
    counted: int = 0  # of them those that would have been in the savings figures
    spared: Counter[str] = field(default_factory=Counter)  # by guard
    gone: int = 0  # of the people found: hold no seat any more
    seen_again: int = 0  # hold one, and were seen since
    not_seen: int = 0  # hold one, and were not seen since, as far as anybody knows


def on(service: Service, day: date, now: datetime) -> Mapping[str, Tested]:
    """{rule: how it did}, for a day of settings.BILLING_ZONE, by the limits of today.

    Of a day that is over only evidence is known that nothing newer of its source replaced, so
    fewer people are found than that day itself would have shown, never more.
    """
    facts = facts_on(service, day, now)
    tested = {key: Tested() for key in RULES}
    people: dict[str, set[int]] = {key: set() for key in RULES}
    for outcome in rules.run(facts, thresholds.limits_of(service)):
        one = tested[outcome.rule]
        if isinstance(outcome, Found):
            one.found += 1
            one.counted += outcome.counts
            if outcome.member is not None:
                people[outcome.rule].add(outcome.member)
        else:
            one.spared[outcome.guard] += 1
    for key, numbers in people.items():
        one = tested[key]
        for left, seen in Member.objects.fates(sorted(numbers)):
            if left is not None:
                one.gone += 1
            elif seen is not None and seen > facts.now:
                one.seen_again += 1
            else:
                one.not_seen += 1
    return tested
