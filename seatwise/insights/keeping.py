"""Keeps what the rules find: opens, renews and closes findings, and what people decided of them."""

from collections.abc import Iterable, Mapping
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
from seatwise.models import Finding, RuleLook, Saving, Service
from seatwise.models.finding import Life
from seatwise.rules import Facts, Found


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
    service = Service.objects.for_table().get(pk=service.pk)  # of all accounts, as they are now
    facts = facts_on(service, today, now)
    outcomes = rules.run(facts, thresholds.limits_of(service))
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
        booking.book(service, now)
        standing |= _back(service, found.keys() - standing.keys(), today, now)
        kept = _kept(service, facts, found, standing, today, now)
    return kept._replace(closed=len(gone))


def _back(
    service: Service, keys: Iterable[tuple[str, str]], today: date, now: datetime
) -> dict[tuple[str, str], Finding]:
    """What was found before and is found again, with what people decided of it."""
    new = set(keys)
    known = Finding.objects.of(service).last_of({subject for _rule, subject in new})
    back = {key: finding for key, finding in known.items() if key in new}
    life.come_back(back.values(), today, now)
    return back


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
    ahead = Saving.objects.ahead(service, today)
    worth, _banked = worth_of(facts.terms, facts.position, asked, today, ahead)
    currency = facts.terms.currency if facts.terms else ""
    for number, (key, each) in enumerate(found.items()):
        row, money = rows[key], worth[number]
        row.text, row.confidence, row.reversible = each.text, each.confidence, each.reversible
        row.evidence = [_evidence(one) for one in map(asdict, each.evidence)]
        row.line, row.to_line = each.line, each.to_line
        row.counts, row.seats = each.counts, len(each.seats) + each.empty
        row.waste, row.realisable, row.realisable_from = money.waste, money.realisable, money.since
        row.why, row.currency = money.why, currency
        row.member_id, row.connection_id = each.member, each.connection
        row.last_at, row.over_at = now, None
    opened = sum(row.pk is None for row in rows.values())
    Finding.objects.renew(rows.values())
    return Kept(opened, len(rows), 0)


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
