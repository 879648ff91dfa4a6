"""One finding with its evidence and its life, and what people decide about one or many."""

from collections.abc import Callable
from datetime import date
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.views.decorators.http import require_POST, require_safe

from seatwise import history, insights
from seatwise.models import Finding, Saving, Service, User
from seatwise.models.finding import Life
from seatwise.rules import RULES
from seatwise.templatetags.seatwise import at
from seatwise.views.alerts import may_change
from seatwise.views.savings import asked_for, frame, row
from seatwise.views.savings_choice import FindingChoice, is_number
from seatwise.views.shell import asked_accounts, person, service_or_404

P = ParamSpec("P")
DECISIONS = (Life.ASSIGNED, Life.SNOOZED, Life.EXEMPTED, Life.DONE, Life.OPEN)


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


@require_safe
def page(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Also of a finding that is over: it was one."""
    service = asked_accounts(request, key)
    finding = Finding.objects.numbered(service, [pk]).for_table().first()
    if finding is None:
        raise Http404("This finding is not there any more.")
    rule = RULES.get(finding.rule)
    member = finding.member
    today = history.day_of(timezone.now(), settings.BILLING_ZONE)
    context = {
        **frame(request, service),
        "finding": finding,
        "row": row(finding),
        "rule": rule,
        "evidence": [
            {**each, "at": parse_datetime(each["at"]) if each.get("at") else None}
            for each in finding.evidence
        ],
        "member": member,
        "vendor_url": member.url if member and member.url.startswith("https://") else "",
        "others": [
            row(each)
            for each in (Finding.objects.of(service).of_member(member).open_now() if member else ())
            if each.pk != finding.pk
        ],
        "events": list(finding.events.select_related("by")),
        "savings": list(Saving.objects.of(service).for_finding(finding)),
        "people": list(User.objects.active().by_name()),
        "tomorrow": today + history.days.ONE_DAY,
    }
    return render(request, "savings_finding.html", context)


@require_POST
@require_owner
def decide(request: HttpRequest, service: Service) -> HttpResponse:
    """About those that are ticked, or all that the filters leave; `back` is a finding's number."""
    given = request.POST
    back = given.get("back", "")
    where = (
        redirect("finding", service.key, int(back))
        if is_number(back)
        else redirect(
            at(service, "savings") + FindingChoice.from_query(given).address().rstrip("?")
        )
    )
    found = asked_for(request, service)
    if found is None:
        messages.error(request, "Tick the findings that you decide about. Nothing was changed.")
        return where
    try:
        count = insights.decide(
            service,
            found.keys(),
            _state(given.get("what", "")),
            by=person(request),
            today=history.day_of(timezone.now(), settings.BILLING_ZONE),
            to=_somebody(given.get("to", "")),
            until=_day(given.get("until", "")),
            reason=given.get("reason", ""),
        )
    except ValueError as error:
        messages.error(request, f"{error} Nothing was changed.")
        return where
    if given["what"] in (Life.EXEMPTED, Life.OPEN):  # which changes what others are worth
        insights.run(service_or_404(service.key), timezone.now())
    _tell(request, service, count, Life(given["what"]))
    return where


def _tell(request: HttpRequest, service: Service, count: int, state: Life) -> None:
    if not count:
        messages.info(request, "None of these findings stands any more. Nothing was changed.")
        return
    what = "1 finding is" if count == 1 else f"{count:,} findings are"
    words = "open again" if state == Life.OPEN else state.label.lower()
    more = ""
    if state == Life.DONE:
        more = (
            f" Seatwise removes nothing at {service.name}; the next sync shows whether the seats"
            " are gone."
        )
    messages.success(request, f"{what} {words} now.{more}")


def _state(word: str) -> Life:
    if word not in DECISIONS:
        raise ValueError("Choose what is to become of them.")
    return Life(word)


def _somebody(number: str) -> User | None:
    return User.objects.numbered(int(number)) if is_number(number) else None


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _refuse_unless(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied(
            "Only an admin or the owner of the service can decide about its findings."
        )
