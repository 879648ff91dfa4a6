"""The form of an alert: what is watched, when it fires, and who is told."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from seatwise import alerts
from seatwise.alerts import Unit, Units, Wish
from seatwise.models import Alert, Channel, Service, User
from seatwise.templatetags.seatwise import at
from seatwise.views.alerts import alert_or_404, require_owner
from seatwise.views.shell import person


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be watched, with its value now."""

    unit: Unit
    now: str


@require_http_methods(["GET", "HEAD", "POST"])
@require_owner
def add(request: HttpRequest, service: Service) -> HttpResponse:
    if request.method == "POST":
        return _saved(request, service, None)
    return _form(request, service, Wish(unit=request.GET.get("unit", "")), None)


@require_http_methods(["GET", "HEAD", "POST"])
@require_owner
def edit(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    alert = alert_or_404(service, pk)
    if request.method == "POST":
        return _saved(request, service, alert)
    return _form(request, service, Wish.of(alert), alert)


def _saved(request: HttpRequest, service: Service, alert: Alert | None) -> HttpResponse:
    """What cannot be understood comes back with a sentence, and as it was written."""
    told = request.POST
    wish = Wish(
        unit=told.get("unit", "")[:80],
        way=told.get("way", "")[:10],
        limit=told.get("limit", "").strip()[:40],
        to_owner=told.get("to_owner") == "yes",
        people=_numbers(told.getlist("people")),
        addresses=told.get("addresses", "")[:10_000],
        channels=_numbers(told.getlist("channels")),
    )
    try:
        alerts.save(service, wish, alert, by=person(request))
    except ValueError as error:
        return _form(request, service, wish, alert, str(error))
    alerts.watch(timezone.now(), [service])
    messages.success(request, "The alert is saved." if alert else "The alert is added.")
    return redirect(at(service, "alerts"))


def _form(
    request: HttpRequest, service: Service, wish: Wish, alert: Alert | None, error: str = ""
) -> HttpResponse:
    values = Units([service], timezone.now())
    offers = [
        Offer(unit, alerts.in_words(unit, values.value(service, unit.key).value))
        for unit in alerts.units_of(service)
    ]
    context = {
        "service": service,
        "connection": service.connection,
        "tab": "alerts",
        "alert": alert,
        "wish": wish,
        "error": error,
        "monthly": [each for each in offers if each.unit.key.startswith("metric:")],
        "others": [each for each in offers if not each.unit.key.startswith("metric:")],
        "ways": Alert.Way.choices,
        "people": list(User.objects.active().by_name()),
        "channels": list(Channel.objects.by_name()),
        "missing_mail": alerts.missing_mail(),
    }
    return render(request, "alerts_form.html", context, status=400 if error else 200)


def _numbers(told: Iterable[str]) -> set[int]:
    return {int(each) for each in told if each.isascii() and each.isdigit() and len(each) < 19}
