"""A form that does not belong to the sign-in it was sent with: refused, and on the trail."""

from django.http import HttpRequest, HttpResponse
from django.views.csrf import csrf_failure

from seatwise import audit
from seatwise.models.audit_event import Action


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Says what to do; of the same refusal the trail tells once a minute for each visitor.

    Django's `reason` is left to the log: it may repeat whole addresses.
    """
    match = request.resolver_match
    place = f"{request.method} {match.url_name if match else 'nowhere'}"
    if audit.is_news("form", place):
        audit.record(
            Action.ACCESS_DENIED,
            about=place,
            said="The form's token was missing or wrong, or it came from another site.",
        )
    return csrf_failure(request, reason)
