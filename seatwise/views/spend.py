"""The home page: what the services cost and how much of it is used, in four figures."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from seatwise import tallies
from seatwise.models import Service
from seatwise.models.member import ACTIVE, IDLE, NEVER, UNKNOWN


@dataclass(frozen=True, slots=True)
class Seats:
    """How many hold a seat, and what is known about their use. None: never read."""

    total: int | None
    active: int
    idle: int
    never: int
    unknown: int

    @property
    def savable(self) -> int:
        """Idle for 30 days or more, or never seen by the vendor's own word."""
        return self.idle + self.never

    @property
    def active_percent(self) -> int | None:
        """Of those whose last seen is known."""
        known = self.active + self.idle + self.never
        return round(100 * self.active / known) if known else None


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    services = list(Service.objects.for_table())
    counts = tallies.by_service(services, tallies.moment())
    rows = [(service, _seats(service, counts.get(service.pk, {}))) for service in services]
    context = {
        "rows": rows,
        "all": _sum([seats for _, seats in rows]),
        "month": timezone.now().astimezone(settings.BILLING_ZONE),
        "zone": settings.BILLING_ZONE.key,
    }
    return render(request, "spend.html", context)


def _seats(service: Service, counts: Mapping[str, int]) -> Seats:
    """Everybody the vendor lists is billed, the invited included."""
    return Seats(
        total=sum(counts.values()) if service.members_as_of else None,
        active=counts.get(ACTIVE, 0),
        idle=sum(counts.get(status, 0) for status in IDLE),
        never=counts.get(NEVER, 0),
        unknown=counts.get(UNKNOWN, 0),
    )


def _sum(rows: list[Seats]) -> Seats:
    read = [seats for seats in rows if seats.total is not None]
    return Seats(
        total=sum(seats.total or 0 for seats in read) if read else None,
        active=sum(seats.active for seats in read),
        idle=sum(seats.idle for seats in read),
        never=sum(seats.never for seats in read),
        unknown=sum(seats.unknown for seats in read),
    )
