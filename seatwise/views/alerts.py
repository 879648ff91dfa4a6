"""The Alerts tab of a service: what is watched, who is told, and what became of each message."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from seatwise import alerts, tasks
from seatwise.alerts import Recipients, Unit
from seatwise.models import Alert, Delivery, Service
from seatwise.templatetags.seatwise import at
from seatwise.views.shell import asked_accounts, person, service_or_404

P = ParamSpec("P")
SHOWN = 30  # messages


@dataclass(frozen=True, slots=True)
class Row:
    """An alert as the list tells of it."""

    alert: Alert
    unit: Unit
    trigger: str  # "above 1,000"
    value: str
    told: Recipients
    last: Delivery | None

    @property
    def name(self) -> str:
        return f"{self.unit.name} {self.trigger}".strip()


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponse:
    """`?delete=NUMBER` opens the dialog without JavaScript, too."""
    service = asked_accounts(request, key)
    rows = _rows(service)
    sent = list(Delivery.objects.of_service(service)[:SHOWN])
    context = {
        "service": service,
        "connection": service.connection,
        "tab": "alerts",
        "all_accounts": "?",
        "rows": rows,
        "firing": sum(row.alert.fires for row in rows),
        "sent": sent,
        "shown_most": SHOWN if len(sent) == SHOWN else 0,
        "may_change": may_change(request, service),
        "missing_mail": alerts.missing_mail(),
        "asked_to_delete": request.GET.get("delete", ""),
    }
    return render(request, "alerts.html", context)


def may_change(request: HttpRequest, service: Service) -> bool:
    """Admins may, and whoever answers for the service."""
    user = person(request)
    return user.is_admin or service.owner_id == user.pk


def require_owner(
    view: Callable[Concatenate[HttpRequest, Service, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Finds the service of the address, and refuses who is neither an admin nor its owner."""

    def guarded(
        request: HttpRequest, /, key: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        try:
            service = service_or_404(key)
        except Http404:
            _refuse_unless(person(request).is_admin)  # who may not is not told what is there
            raise
        _refuse_unless(may_change(request, service))
        return view(request, service, *args, **kwargs)

    return guarded


@require_POST
@require_owner
def switch(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    alert = alert_or_404(service, pk)
    alerts.switch(alert, on=request.POST.get("on") == "yes")
    if alert.is_on:
        alerts.watch(timezone.now(), [service])
    state = "watches" if alert.is_on else "is switched off"
    messages.success(request, f"The alert {_name(service, alert)} {state} now.")
    return redirect(at(service, "alerts"))


@require_POST
@require_owner
def delete(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    alert = alert_or_404(service, pk)
    name = _name(service, alert)
    alerts.delete(alert)
    messages.success(request, f"The alert {name} is deleted. What it said stays listed.")
    return redirect(at(service, "alerts"))


@require_POST
@require_owner
def test(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Everybody whom the alert tells gets a message that says it is a test."""
    alert = alert_or_404(service, pk)
    told = alerts.recipients(alert)
    count = alerts.try_alert(alert, told.emails, told.channels, timezone.now())
    if count:
        tasks.deliver_soon()
        what = "1 test message is" if count == 1 else f"{count:,} test messages are"
        messages.success(request, f"{what} on the way. What becomes of it is told below.")
    else:
        messages.error(request, "This alert tells nobody. Change whom it tells.")
    return redirect(f"{at(service, 'alerts')}#messages")


@require_POST
@require_owner
def again(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """A message that was given up is tried from the beginning."""
    delivery = Delivery.objects.numbered(service, pk)
    if delivery is None:
        raise Http404("This message is not there any more.")
    if delivery.state == Delivery.State.FAILED:
        alerts.again(delivery, timezone.now())
        tasks.deliver_soon()
        messages.success(request, "The message is tried again.")
    else:
        messages.info(request, "This message was not given up; nothing was changed.")
    return redirect(f"{at(service, 'alerts')}#messages")


def alert_or_404(service: Service, pk: int) -> Alert:
    alert = Alert.objects.numbered(service, pk)
    if alert is None:
        raise Http404("This alert is not there any more.")
    return alert


def _refuse_unless(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied("Only an admin or the owner of the service can change its alerts.")


def _rows(service: Service) -> list[Row]:
    found: Sequence[Alert] = list(Alert.objects.of(service).for_list())
    last = Delivery.objects.of_alerts(found).newest_by("alert")
    for alert in found:
        alert.service = service
    admins = alerts.admin_addresses() if found else []
    return [_row(service, alert, admins, last.get(alert.pk)) for alert in found]


def _row(
    service: Service, alert: Alert, admins: Sequence[str] = (), last: Delivery | None = None
) -> Row:
    unit = alerts.unit_of(service, alert.unit)
    trigger = ""
    if unit.is_number and alert.limit is not None:
        trigger = f"{alert.way} {alerts.in_words(unit, alert.limit)}"
    value = alerts.in_words(unit, alert.value)
    return Row(alert, unit, trigger, value, alerts.recipients(alert, admins), last)


def _name(service: Service, alert: Alert) -> str:
    return f"“{_row(service, alert).name}”"
