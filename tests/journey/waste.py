"""A Seatwise with a service that wastes seats in every way that the Savings tab tells of.

`python -m tests.journey.waste PORT` fills an empty database, prints the admin's session and answers
on that port as `seatwise web` does, with the same settings.
"""

import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

from seatwise.cli.listening import listen, name_the_port
from seatwise.cli.prepare import prepared

OPEN = "The waste is open: "
NAMES = ("Amara", "Bruno", "Chen", "Dalia", "Egon", "Fatima", "Goran", "Hana", "Ines", "Jonas")
FAMILIES = ("Okafor", "Lindqvist", "Marchetti", "Novak", "Sato", "Vries", "Yilmaz", "Abara")


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
    from tests.insights.wasteful import contract, look
    from tests.pages import rows

    with transaction.atomic():
        admin = User.objects.create_user("ada@example.com", None, name="Ada Admin", role="admin")
        owner = User.objects.create_user("oz@example.com", None, name="Oz Owner")
        browser = Client()
        browser.force_login(admin)
        service = rows.service()
        service.owner = owner
        service.save()
        _held(service, 62)
        contract(service, *_lines(), notice_days=30, ends=_in(75), renews=True)
        look(service)
        bare = rows.service("figma", "Figma")
        _held(bare, 12)
        look(bare)
        quiet = rows.service("zoom", "Zoom")
        rows.member(rows.connection(quiet, account_id="zoom"), "Busy Bee", seen=1)
        look(quiet)
    return browser.cookies["sessionid"].value


def _lines() -> Any:
    from seatwise.pricing import Line, Pack

    full = Line("full", "Full seats", "full", price=Decimal("41.00"), ratchet=True)
    packs = (Pack(10, Decimal(60)),)
    return full, Line("stakeholder", "Stakeholders", "stakeholder", packs=packs)


def _held(service: Any, count: int) -> None:
    """Of ten people five work, two are idle, one only looks, one was invited, one is unknown."""
    from django.utils import timezone

    from tests.insights.wasteful import member
    from tests.pages import rows

    now = timezone.now()
    account = rows.connection(
        service, account_id=service.key, account_name=f"{service.key}-prod", duty_as_of=now
    )
    ways: tuple[dict[str, Any], ...] = (
        {"seen": 1},
        {"seen": 130},
        {"seen": 3},
        {"seen": 45, "last_seen_source": "signed_in"},
        {"seen": 2},
        {"invited": True},
        {"seen": 12},
        {},
        {"seen": 20},
        {"seen": 5, "last_seen_source": "signed_in"},
    )
    for number in range(count):
        name = f"{NAMES[number % 10]} {FAMILIES[number // 10 % 8]}"
        url = f"https://vendor.example/users/{number}"
        member(account, name, url=url, **ways[number % 10])
    gone = member(account, "Zita Gone", seen=20)
    gone.left_at = now - timedelta(days=3)
    gone.save()
    rows.event(gone, "left", at=gone.left_at)
    account.members_as_of = account.activity_as_of = timezone.now()
    account.save()


def _in(days: int) -> Any:
    from django.utils import timezone

    return timezone.now().date() + timedelta(days=days)


if __name__ == "__main__":
    main()
