"""Whether somebody gets the weekly mail: each decides for themselves, on Users & roles."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from seatwise.views.shell import person


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    user = person(request)
    user.wants_digest = request.POST.get("wants") == "yes"
    user.save(update_fields=["wants_digest"])
    said = "You get" if user.wants_digest else "You no longer get"
    messages.success(request, f"{said} the weekly mail.")
    return redirect("users")
