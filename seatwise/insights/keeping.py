"""Keeps what the rules find: opens, renews and closes findings, and what people decided of them."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

from seatwise import history, rules
from seatwise.insights import booking, life, thresholds
from seatwise.insights.facts import facts_on
from seatwise.insights.looks import sort_out
from seatwise.insights.worth import EXEMPT, Asked, worth_of
from seatwise.models import Finding, RuleLook, Service
from seatwise.models.finding import Life
from seatwise.rules import Facts, Found

BATCH = 1_000
FIELDS = (
    "text", "evidence", "confidence", "reversible", "line", "to_line", "counts", "seats", "waste",
    "realisable", "currency", "realisable_from", "why", "member_id", "connection_id",
)  # fmt: skip


class Kept(NamedTuple):
    """What one run of the rules changed."""

    opened: int
    standing: int
    closed: int


def run(service: Service, now: datetime) -> Kept:
    """Runs the rules on a service as it is now, and brings its findings up to date.

    To be called after each reading and after each change of its contract. A service that was never
    read has no findings. What is found no more is closed; what people decided stays with what is
    found again, and a decision whose last day is over ends.
    """
    today = history.day_of(now, settings.BILLING_ZONE)
    if service.members_as_of is None:
        return Kept(0, 0, 0)
    facts = facts_on(service, today, now)
    outcomes = rules.run(facts, thresholds.values(service))
    found, looks = sort_out(service, outcomes, now)
    with transaction.atomic():
        Service.objects.locked(service.pk)
        RuleLook.objects.note(looks)
        life.wake(service, today, now)
        standing = {
            (each.rule, each.subject): each for each in Finding.objects.of(service).open_now()
        }
        life.look_again(service, [each for key, each in standing.items() if key in found], now)
        gone = [each for key, each in standing.items() if key not in found]
        Finding.objects.close(gone, now)
        kept = _kept(service, facts, found, standing, today, now)
        booking.book(service, now)
    return kept._replace(closed=len(gone))


def _kept(
    service: Service,
    facts: Facts,
    found: Mapping[tuple[str, str], Found],
    standing: Mapping[tuple[str, str], Finding],
    today: date,
    now: datetime,
) -> Kept:
    rows = {
        key: standing.get(key)
        or Finding(service=service, rule=key[0], subject=key[1], first_at=now, state=Life.OPEN)
        for key in found
    }
    asked = [_asked(number, each, rows[key]) for number, (key, each) in enumerate(found.items())]
    worth, _banked = worth_of(facts.terms, facts.position, asked, today)
    currency = facts.terms.currency if facts.terms else ""
    fresh, changed = [], []
    for number, (key, each) in enumerate(found.items()):
        row, money = rows[key], worth[number]
        said: dict[str, Any] = {
            "text": each.text,
            "evidence": [_evidence(one) for one in map(asdict, each.evidence)],
            "confidence": each.confidence,
            "reversible": each.reversible,
            "line": each.line,
            "to_line": each.to_line,
            "counts": asked[number].counts,
            "seats": len(each.seats) + each.empty,
            "waste": money.waste,
            "realisable": money.realisable,
            "currency": currency,
            "realisable_from": money.since,
            "why": money.why,
            "member_id": each.member,
            "connection_id": each.connection,
        }
        is_new = row.pk is None
        differs = is_new or any(getattr(row, name) != value for name, value in said.items())
        for name, value in said.items():
            setattr(row, name, value)
        row.last_at = now
        if is_new:
            fresh.append(row)
        elif differs:
            changed.append(row)
    Finding.objects.bulk_create(fresh, batch_size=BATCH)
    names = [name.removesuffix("_id") for name in FIELDS]
    Finding.objects.bulk_update(changed, [*names, "last_at"], batch_size=BATCH)
    Finding.objects.say_again(rows.values(), now)
    return Kept(len(fresh), len(rows), 0)


def _asked(number: int, found: Found, row: Finding) -> Asked:
    exempt = row.state == Life.EXEMPTED
    why = EXEMPT if exempt and found.counts else found.why_not
    return Asked(
        number, found.rule, found.line, found.to_line, found.seats, found.empty,
        found.counts and not exempt, why,
    )  # fmt: skip


def _evidence(one: dict[str, Any]) -> dict[str, Any]:
    """As a column keeps it: a moment as text."""
    return {**one, "at": one["at"].isoformat() if one["at"] else None}
