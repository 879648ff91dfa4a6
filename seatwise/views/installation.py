"""What keeps this installation from syncing: said on every page, ended by an admin's word."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from seatwise import installation, readiness
from seatwise.views.shell import person, require_admin


def notice(request: HttpRequest) -> dict[str, Any]:
    """For every template: why nothing is synced, and whether that is near; asked where shown."""
    signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
    return {
        "hindrance": installation.trouble if signed_in else None,
        "short_of_disk": readiness.database_is_short_of_disk if signed_in else None,
    }


@require_POST
@require_admin("say which installation goes on syncing")
def adopt(request: HttpRequest) -> HttpResponse:
    """This one syncs from now on; what it was copied from, if anything, must not."""
    if said := installation.adopt(person(request)):
        messages.success(request, said)
    else:
        messages.info(request, "This installation is the one that syncs; nothing was changed.")
    return redirect("spend")


@require_POST
@require_admin("give up a lost key")
def accept_keys(request: HttpRequest) -> HttpResponse:
    """What the lost key sealed is given up; its services wait to be integrated again."""
    given_up = installation.accept_keys(person(request))
    lost = [each for each in given_up.connections if not each.is_alive and not each.is_by_file]
    if given_up.by_hand:
        messages.warning(request, given_up.by_hand)
    if not lost:
        messages.info(request, "No account has to be integrated again.")
        return redirect("spend")
    names = ", ".join(str(connection) for connection in lost)
    messages.success(
        request, f"The old key is given up. Integrate again: {names}. What was collected is kept."
    )
    first = lost[0]
    address = reverse("service_settings", args=[first.service.key])
    return redirect(f"{address}?account={first.pk}")
