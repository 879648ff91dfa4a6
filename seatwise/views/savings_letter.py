"""The letter to the vendor's renewals: read, sent by one's own mail program, or taken along."""

from urllib.parse import quote

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from seatwise import audit, history, insights
from seatwise.models import Finding
from seatwise.models.audit_event import Action
from seatwise.rules import RULES
from seatwise.views.savings import MOST_PICKED, frame
from seatwise.views.savings_choice import picked
from seatwise.views.shell import asked_accounts, person

LONGEST_LINK = 6_000  # characters that mail programs take


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponse:
    """Of what is in the figures, or of the findings in `pick`; `download=txt` is it as a file.

    `seats=yes` adds the people. Whom to send it to is up to whoever sends it: `to`.
    """
    service = asked_accounts(request, key)
    today = history.day_of(timezone.now(), settings.BILLING_ZONE)
    numbers = picked(request.GET, MOST_PICKED)
    found = Finding.objects.numbered(service, numbers) if numbers else Finding.objects.of(service)
    with_seats = request.GET.get("seats") == "yes"
    claiming, turn = found.claiming(), list(RULES)
    written = insights.letter(
        service,
        list((claiming.with_names() if with_seats else claiming.for_claims()).in_order(turn)),
        today,
        with_seats=with_seats,
        sender=str(person(request)),
    )
    if request.GET.get("download") == "txt":
        audit.record(
            Action.EXPORTED,
            service=service.key,
            about="letter",
            said="With the list of seats." if with_seats else "Without any person’s name.",
        )
        response = HttpResponse(written.text, content_type="text/plain; charset=utf-8")
        name = f"{service.key}-letter-{today}.txt"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
    to, error = _address(request.GET.get("to", "").strip()[:320])
    link = f"mailto:{quote(to)}?subject={quote(written.subject)}&body={quote(written.text)}"
    asked = request.GET.copy()
    asked["download"] = "txt"
    context = {
        **frame(request, service),
        "letter": written,
        "with_seats": with_seats,
        "to": to,
        "error": error,
        "picked": numbers,
        "mailto": link if len(link) <= LONGEST_LINK else "",
        "txt": f"?{asked.urlencode()}",
    }
    return render(request, "savings_letter.html", context, status=400 if error else 200)


def _address(text: str) -> tuple[str, str]:
    """The address, and what is wrong with it."""
    if not text:
        return "", ""
    try:
        clean: str = forms.EmailField().clean(text)
    except forms.ValidationError:
        return "", "This is no e-mail address. The letter is below all the same."
    return clean, ""
