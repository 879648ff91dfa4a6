"""Who answers for a service: chosen in its Settings, shown in its head and on the Spend page."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from seatwise import audit
from seatwise.models import Service, User
from seatwise.models.audit_event import Action
from seatwise.templatetags.seatwise import at
from seatwise.views.shell import require_admin, service_or_404

NOBODY = "nobody"


@require_POST
@require_admin("choose who owns a service")
def choose(request: HttpRequest, key: str) -> HttpResponse:
    """`owner` of the form: the number of somebody who can sign in, or nobody."""
    service = service_or_404(key)
    service.choose(request.POST.get("account", ""))
    back = redirect(at(service, "service_settings"))
    asked = request.POST.get("owner")
    if asked is None:
        raise BadRequest("Say who is to own the service. Nothing was changed.")
    owner = User.objects.numbered(int(asked)) if asked.isdecimal() and len(asked) < 19 else None
    if owner is None and asked != "":
        messages.error(request, "This person is not there any more. Nothing was changed.")
    elif owner == service.owner:
        messages.info(request, f"{owner or 'Nobody'} owns {service.name} already.")
    else:
        _set(service, owner)
        messages.success(request, f"{owner or 'Nobody'} owns {service.name} now.")
    return back


def _set(service: Service, owner: User | None) -> None:
    before = service.owner or NOBODY
    if Service.objects.give_to(service, owner):
        said = f"{before} owned it before, {owner or NOBODY} does now."
        audit.record(Action.OWNER_CHANGED, service=service.key, about=service.name, said=said)
