"""`seatwise rules test`: each rule on its examples, and on any day of the past."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from seatwise.insights.backtest import Tested

MOST_GUARDS = 3


def on_examples(console: Console) -> bool:
    """Prints how each rule did on what it must find and must not; whether all were right."""
    from seatwise.rules import RULES
    from seatwise.rules.examples import EXAMPLES, outcome_of

    table = Table("Rule", "Example", "Near miss", "But", title="Rules on their examples")
    all_right = True
    for key, example in EXAMPLES.items():
        hit, miss = len(outcome_of(key, example.hit)) == 1, not outcome_of(key, example.near_miss)
        all_right = all_right and hit and miss
        told = ("found" if hit else "NOT FOUND", "not found" if miss else "FOUND")
        table.add_row(RULES[key].name, *told, example.but)
    console.print(table)
    return all_right


def on_day(console: Console, day: date, key: str) -> bool:
    """Prints what each rule would have found on that day, service by service, and what became of
    it; False where there is no such service, or none that was read by then."""
    from django.utils import timezone

    from seatwise import history
    from seatwise.insights import backtest
    from seatwise.models import Service

    now = timezone.now()
    services = [each for each in Service.objects.for_table() if key in ("", each.key)]
    known = [
        each for each in services if any(_known(span.since, day) for span in history.known(each))
    ]
    for service in known:
        console.print(_table(f"{service.name} on {day:%-d %B %Y}", backtest.on(service, day, now)))
    if not known:
        console.print(f"Nothing is known of {key or 'any service'} on {day:%-d %B %Y}.")
    return bool(known)


def _known(since: datetime, day: date) -> bool:
    from django.conf import settings

    from seatwise import history

    return history.day_of(since, settings.BILLING_ZONE) <= day


def _table(title: str, tested: "Mapping[str, Tested]") -> Table:
    from seatwise.rules import RULES

    table = Table(
        "Rule", "Found", "Counted", "Gone since", "Seen again", "Not seen since",
        "Spared, mostly because", title=title,
    )  # fmt: skip
    for key, one in tested.items():
        guards = "; ".join(f"{n}: {guard}" for guard, n in one.spared.most_common(MOST_GUARDS))
        numbers = (one.found, one.counted, one.gone, one.seen_again, one.not_seen)
        table.add_row(RULES[key].name, *(f"{number:,}" for number in numbers), guards)
    return table
