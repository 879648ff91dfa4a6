"""Chooses when an account is synced."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from seatwise.sync import schedule
from seatwise.templatetags.seatwise import at
from seatwise.views import schedule_form, service_settings
from seatwise.views.shell import named_account, person, require_admin


@require_POST
@require_admin("change a schedule")
def choose(request: HttpRequest, key: str) -> HttpResponse:
    """Of the account that the form names; what cannot be understood comes back with a sentence."""
    service = named_account(request, key)
    connection = service.connection
    if connection is None or not connection.holds_a_grant:
        messages.error(request, f"{service.name} is not connected; nothing was changed.")
        return redirect(at(service, "service_settings"))
    wish = schedule_form.Wish(
        every=request.POST.get("every", ""),
        time=request.POST.get("time", "").strip()[:20],
        weekday=request.POST.get("weekday", ""),
    )
    try:
        schedule.choose(
            connection,
            every=wish.every,
            minute=wish.minute,
            weekday=wish.day,
            by=person(request),
        )
    except ValueError as error:
        again = {**schedule_form.of(connection), "wish": wish, "schedule_error": str(error)}
        return service_settings.shown(request, service, again, status=400)
    words = schedule.in_words(connection)
    messages.success(request, f"{connection.account_name} is synced as chosen: {words}.")
    return redirect(f"{at(service, 'service_settings')}#schedule")
