"""A Seatwise with contracts in two currencies, invoices, budgets, findings and people.

`python -m tests.journey.ledger PORT` fills an empty database, prints the admin's session and
answers on that port as `seatwise web` does, with the same settings.
"""

import sys
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from seatwise.cli.listening import listen, name_the_port
from seatwise.cli.prepare import prepared
from tests.journey import ledger_past

OPEN = "The ledger is open: "
DEPARTMENTS = ("Engineering", "Operations", "Sales", "Research & Development", "")
# Key, name, seats, price, committed, currency, days to the end, days of notice, renews, budget.
CONTRACTS: tuple[tuple[Any, ...], ...] = (
    ("pagerduty", "PagerDuty", 48, "41.00", 60, "USD", 75, 30, True, "2400"),
    ("github", "GitHub", 80, "21.00", 75, "USD", 20, 60, True, None),
    ("figma", "Figma", 22, "45.00", None, "EUR", 210, 30, None, "900"),
    ("zoom", "Zoom", 64, "13.32", 100, "USD", 400, 45, True, None),
    ("notion", "Notion", 35, "10.00", None, "USD", 12, None, True, None),
    ("miro", "Miro", 18, "16.00", 20, "EUR", 33, 30, False, None),
    ("jira", "Jira", 51, None, None, "USD", None, None, None, None),
)
WITHOUT = (("webex", "Webex"), ("slack", "Slack"))


def main() -> None:
    with listen("127.0.0.1", int(sys.argv[1])) as listener:
        name_the_port(listener)
        with prepared("web", check=False):
            from seatwise.cli import web

            print(f"{OPEN}{_filled()}", flush=True)
            web.run(listener)


def _filled() -> str:
    from django.db import transaction
    from django.test import Client

    from seatwise.models import User
    from tests.pages import rows

    with transaction.atomic():
        admin = User.objects.create_user("ada@example.com", None, name="Ada Admin", role="admin")
        browser = Client()
        browser.force_login(admin)
        for given in CONTRACTS:
            _agreed(admin, *given)
        for key, name in WITHOUT:
            rows.connection(rows.service(key, name), account_id=key)
        ledger_past.agreed(admin)
    return browser.cookies["sessionid"].value


def _agreed(
    admin: Any, key: str, name: str, seats: int, price: str | None, committed: int | None,
    currency: str, ends: int | None, notice: int | None, renews: bool | None, budget: str | None,
) -> None:  # fmt: skip
    from django.utils import timezone

    from seatwise import spending
    from seatwise.models import Budget, Contract, Service
    from seatwise.pricing import Line, Terms
    from tests.pages import rows

    now = timezone.now()
    service = rows.service(key, name)
    service.category, service.owner = "Collaboration", admin if seats > 50 else None
    service.save()
    _held(rows.connection(service, account_id=key, account_name=f"{key}-prod"), key, seats)
    line = Line(
        "full", "Full", "full", licenses=("Full",), price=Decimal(price) if price else None,
        committed=committed,
    )  # fmt: skip
    terms = Terms(
        currency, "month" if key == "notion" else "year", (line,),
        ends=None if ends is None else _in(ends), notice_days=notice, renews=renews,
    )  # fmt: skip
    since = rows.last_month()
    Contract.objects.create(service=service, since=since, data=terms.as_json(), made_at=now)
    if budget:
        Budget.objects.create(
            service=service, since=since, amount=Decimal(budget), currency=currency, made_at=now
        )
    if price:
        _idle(service, price, currency)
    spending.refresh(Service.objects.for_table().get(pk=service.pk), now)


def _held(account: Any, key: str, seats: int) -> None:
    from django.utils import timezone

    from seatwise.models import Person
    from tests.pages import rows

    full = rows.license_pool(account, "Full")
    long_ago = timezone.now() - timedelta(days=50)
    for number in range(seats):
        email = f"person{number}@acme.example"
        member = rows.member(
            account, f"Person {number}", email=email, license=full, first_listed_at=long_ago,
            seen=number * 2 if number % 5 else None, teams=["Red", "Blue"][: number % 3],
        )  # fmt: skip
        rows.event(member, "listed", at=long_ago)
        if key == "github":
            Person.objects.create(
                email=email, name=f"Person {number}", department=DEPARTMENTS[number % 5],
                cost_centre=f"41{number % 5}0", as_of=timezone.now(),
                left_on=_in(number - 12) if number % 9 == 1 else None,
            )  # fmt: skip


def _idle(service: Any, price: str, currency: str) -> None:
    from django.utils import timezone

    from seatwise.models import Finding

    now = timezone.now()
    Finding.objects.create(
        service=service, rule="idle", subject="line:full", text="Idle.", confidence="high",
        reversible=True, counts=True, seats=4, realisable=4 * Decimal(price), currency=currency,
        first_at=now, last_at=now,
    )  # fmt: skip


def _in(days: int) -> date:
    from django.utils import timezone

    return timezone.now().date() + timedelta(days=days)


if __name__ == "__main__":
    main()
