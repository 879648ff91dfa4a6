"""A service in the ledger with fourteen months behind it: two states of its contract, a commitment,
invoices that do not quite say the same, a confirmed reduction and a budget."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

KEY, NAME = "datadog", "Datadog"
MONTHS = 14


def agreed(admin: Any) -> None:
    from django.utils import timezone

    from seatwise.models import Budget, Contract, Reduction, Service
    from seatwise.pricing import Alerts, Line, Pack
    from tests.pages import rows
    from tests.spending import costs

    of = rows.service(KEY, NAME)
    since = costs.first_of(MONTHS)
    there = costs.account(of, since, account_id=KEY, account_name="acme-eu")
    for ago in range(5):  # of the month before nobody knows how many alerts there were
        rows.usage(there, costs.first_of(ago), billable_alerts=900 + 150 * ago)
    pool = rows.license_pool(there, "Pro")
    for number in range(MONTHS):
        joined = costs.first_of(MONTHS - number) + timedelta(days=3)
        left = joined + timedelta(days=150) if number % 3 == 1 and number < 8 else None
        costs.people(there, 7, joined, left, license=pool)
        costs.people(there, 11, joined, role="reader")
    pro = Line("full", "Pro", "full", licenses=("Pro",), price=Decimal("23.00"), ratchet=True)
    readers = Line("other", "Readers", "other", packs=(Pack(50, Decimal(150)),))
    first = costs.contract(of, since, pro, readers)
    first.note, first.made_by = "Signed by Ada, see the archive.", admin
    first.save()
    second = costs.contract(
        of, costs.first_of(5), replace(pro, price=Decimal("19.50"), committed=90, ratchet=False),
        readers, term="year", starts=costs.first_of(5), renews=True, notice_days=60,
        ends=costs.month_end(costs.first_of(-6)), alerts=Alerts(1_000, Decimal("0.35")),
    )  # fmt: skip
    Contract.objects.filter(pk=second.pk).update(made_by=admin)
    now = timezone.now()
    Reduction.objects.create(
        service=of, line="full", seats=42, since=costs.first_of(7), made_at=now, made_by=admin,
        note="Mail of renewals, ticket 4711.",
    )  # fmt: skip
    Budget.objects.create(
        service=of, since=costs.first_of(10), amount=Decimal(2000), currency="USD", made_at=now,
        made_by=admin,
    )  # fmt: skip
    costs.refreshed(of)
    fresh = Service.objects.for_table().get(pk=of.pk)
    _invoiced(fresh)


def _invoiced(of: Any) -> None:
    """Each month as expected but for one that is dearer; two months that are not there yet."""
    from seatwise import spending
    from tests.spending import costs

    for place, month in enumerate(spending.months(of)):
        if place > 1 and month.expected is not None:
            amount = month.expected + (Decimal("85.50") if place == 4 else 0)
            costs.invoice(
                of, f"DD-{month.month:%Y%m}", month.month, costs.month_end(month.month),
                f"{amount:.2f}", tax=Decimal("19.00"),
            )  # fmt: skip
