"""The Savings page as a file: a line for each finding that is filtered."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.utils import timezone

from seatwise.models import Service
from seatwise.models.finding import FindingQuerySet
from seatwise.rules import RULES
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export

COLUMNS = (
    Column("finding", "Finding", "number", "Its number, which its page’s address has."),
    Column("rule", "Rule", "text", "What found it."),
    Column("what", "What was found", "text", "In a sentence."),
    Column("member_id", "Member’s ID", "text", "At the service; empty: it is about no member."),
    Column("name", "Name", "text", "As the service knows it."),
    Column("email", "E-mail", "text", "As the service knows it."),
    Column("state", "State", "text", "What was decided about it."),
    Column("assigned_to", "Assigned to", "text", "Who looks after it."),
    Column("until", "Until", "date", "The last day of a snooze or an exemption."),
    Column("reason", "Reason", "text", "Why it was decided so."),
    Column("confidence", "Confidence", "text", "How sure the rule is."),
    Column("seats", "Seats", "number", "That need not be paid, by this finding alone."),
    Column(
        "waste",
        "Waste a month",
        "number",
        "What its seats cost that are in no other finding before it; empty: not known.",
    ),
    Column(
        "realisable",
        "Can be realised a month",
        "number",
        "What the contract lets the bill fall by; empty: not known.",
    ),
    Column("currency", "Currency", "text", "Of the amounts, by ISO 4217."),
    Column("realisable_from", "From", "date", "The first day from which less is billed."),
    Column("why", "Why", "text", "What has to happen until then, or why there is no amount."),
    Column("first_at", "First found", "time", "When a rule first found it."),
    Column("last_at", "Last found", "time", "When a rule last found it."),
)


def export(service: Service, found: FindingQuerySet, filters: Sequence[str]) -> Export:
    day = timezone.now().astimezone(settings.BILLING_ZONE).date()
    return Export(
        file=f"{service.key}-savings-{day}",
        what="savings",
        title="Savings",
        says="One row for each finding that the filters leave. No seat is counted twice.",
        columns=COLUMNS,
        rows=_rows(found),
        count=found.count(),
        service=service,
        readings=("members", "activity"),
        filters=filters,
    )


def _rows(found: FindingQuerySet) -> Iterator[list[Cell]]:
    rules = {key: rule.name for key, rule in RULES.items()}
    for each in found.in_order(list(RULES)).for_table().iterator(chunk_size=1000):
        member = each.member
        yield [
            each.pk,
            rules.get(each.rule, each.rule),
            each.text,
            member.external_id if member else None,
            member.name if member else None,
            member.email if member else None,
            each.get_state_display(),
            str(each.assigned_to) if each.assigned_to else None,
            each.until,
            each.reason or None,
            each.confidence,
            each.seats,
            each.waste,
            each.realisable,
            each.currency or None,
            each.realisable_from,
            each.why or None,
            each.first_at,
            each.last_at,
        ]
