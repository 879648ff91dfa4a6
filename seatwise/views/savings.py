"""The Savings tab of a service: what is wasted, what of it can be realised, and from when."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from seatwise import history, insights, spending
from seatwise.insights.worth import ELSEWHERE, NO_CONTRACT
from seatwise.models import Finding, RuleLook, Saving, Service, User
from seatwise.models.finding import FindingQuerySet, Life, Tally
from seatwise.rules import RULES, Rule
from seatwise.views import savings_export
from seatwise.views.alerts import may_change
from seatwise.views.export import download, menu, wanted
from seatwise.views.paging import steps
from seatwise.views.savings_choice import CONFIDENCES, NOBODY, FindingChoice, picked
from seatwise.views.shell import asked_accounts

PAGE_SIZE = 50
MOST_PICKED = 1_000  # by hand; whoever means more says "all"
STATE_TONES: Mapping[str, str] = {
    Life.OPEN: "warn",
    Life.ASSIGNED: "info",
    Life.SNOOZED: "neutral",
    Life.EXEMPTED: "neutral",
    Life.DONE: "ok",
    Life.REALISED: "ok",
}
CONFIDENCE_TONES: Mapping[str, str] = {"certain": "ok", "likely": "info", "hint": "neutral"}
ZERO = Decimal(0)
CATEGORIES = {"saving": "Savings", "safety": "Safety", "planning": "Planning"}


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """What stands, in the order of the rules; or what is filtered as a file."""
    service = asked_accounts(request, key)
    choice = FindingChoice.from_query(request.GET)
    found = choice.rows(service)
    tallies = Finding.objects.of(service).countable().tally()
    if wanted(request):
        people = {user.pk: str(user) for user in User.objects.all()}
        words = [label for label, _url in _chips(choice, people)]
        return download(request, savings_export.export(service, found, words))
    count = found.count() if choice.account else choice.counted(tallies)
    shown = found.stretch(list(RULES), place=choice.place, size=PAGE_SIZE, total=count)
    people = _assignees(tallies)
    today = history.day_of(timezone.now(), settings.BILLING_ZONE)
    looks = RuleLook.objects.of(service)
    context = {
        **frame(request, service),
        "choice": choice,
        "figures": figures(service, tallies, today),
        "groups": _groups(tallies, looks, choice),
        "looked_at": max((look.at for look in looks.values()), default=None),
        "rows": rows(service, shown.pks),
        "shown": shown,
        "count": count,
        "standing": FindingChoice().counted(tallies),
        "total": sum(t.findings for t in tallies if t.state != Life.REALISED),
        "filters": _filters(choice, tallies, people),
        "chips": _chips(choice, people),
        "cleared": choice.cleared(),
        "exports": menu(choice.address()),
        "steps": steps(shown, lambda place: choice.address(place=place)),
        "people": list(User.objects.active().by_name()),
        "tomorrow": today + history.days.ONE_DAY,
        "today": today,
    }
    return render(request, "savings.html", context)


@require_safe
def total(request: HttpRequest, key: str) -> HttpResponse:
    """What the ticked findings are worth together: for htmx, or as a page of its own."""
    service = asked_accounts(request, key)
    today = history.day_of(timezone.now(), settings.BILLING_ZONE)
    found = asked_for(request, service)
    chosen = found.standing().for_claims().in_order(list(RULES)) if found is not None else []
    context = {
        **frame(request, service),
        "summed": insights.whatif(service, chosen, today) if found is not None else None,
    }
    is_part = request.headers.get("HX-Request") == "true"
    return render(request, "savings_sum.html" if is_part else "savings_sum_page.html", context)


def asked_for(request: HttpRequest, service: Service) -> FindingQuerySet | None:
    """The findings that a form names: those ticked, or all that its filters leave; else None."""
    given = request.POST if request.method == "POST" else request.GET
    if given.get("all") == "yes":
        return FindingChoice.from_query(given).rows(service)
    numbers = picked(given, MOST_PICKED)
    return Finding.objects.numbered(service, numbers) if numbers else None


def frame(request: HttpRequest, service: Service) -> dict[str, object]:
    """What the templates of all pages under the tab need."""
    return {
        "service": service,
        "connection": service.connection,
        "connector": service.connector,
        "tab": "savings",
        "all_accounts": "?",
        "may_change": may_change(request, service),
    }


@dataclass(frozen=True, slots=True)
class Figures:
    """The three at the top. Amounts are of a month; None is unknown."""

    has_contract: bool
    currency: str
    waste: Decimal | None
    realisable: Decimal | None
    booked: dict[str, Decimal]  # {currency: by contract not billed any more}
    coming: Sequence[Saving]  # booked, from a day to come on
    since: date | None  # from when on less is billed
    reasons: list[tuple[str, int]]  # what stands in the way, and of how many findings
    twice: int  # findings of seats that another one counts
    unpriced: int  # findings of which no price is known
    exempted: int
    uncounted: int  # findings of seats that are in no figure
    nothing: Decimal = ZERO

    @property
    def stuck(self) -> Decimal | None:
        """What is wasted and cannot be given back."""
        if self.waste is None or self.realisable is None:
            return None
        return self.waste - self.realisable


def figures(service: Service, tallies: Sequence[Tally], today: date) -> Figures:
    terms = spending.terms_on(service, today)
    counting = [t for t in tallies if t.counts and t.state not in (Life.EXEMPTED, Life.REALISED)]
    reasons: Counter[str] = Counter()
    for each in counting:
        reasons[each.why] += each.findings
    days = [each.since for each in counting if each.since]
    savings = list(Saving.objects.of(service))
    booked: dict[str, Decimal] = defaultdict(Decimal)
    for saving in savings:
        if saving.since <= today:
            booked[saving.currency] += saving.monthly
    priced = [t for t in counting if t.waste is not None]
    known = [t.realisable for t in counting if t.realisable is not None]
    nothing = ZERO if terms and not counting else None
    return Figures(
        has_contract=terms is not None,
        currency=terms.currency if terms else "",
        waste=sum((t.waste or ZERO for t in priced), ZERO) if priced else nothing,
        realisable=sum(known, ZERO) if known else nothing,
        booked=dict(booked),
        coming=[saving for saving in savings if saving.since > today],
        since=min(days, default=None),
        reasons=[
            (why, n) for why, n in reasons.most_common() if why not in ("", ELSEWHERE, NO_CONTRACT)
        ],
        twice=reasons[ELSEWHERE],
        unpriced=sum(t.findings for t in counting if t.waste is None),
        exempted=sum(t.findings for t in tallies if t.state == Life.EXEMPTED),
        uncounted=sum(t.findings for t in tallies if not t.counts and t.seats),
    )


@dataclass(frozen=True, slots=True)
class Group:
    """A rule with what it found."""

    rule: Rule
    findings: int
    waste: Decimal | None
    realisable: Decimal | None
    looked: int | None  # None: it has not looked yet
    spared: list[tuple[str, int]]  # (guard, how many), the commonest first
    url: str
    is_chosen: bool

    @property
    def category(self) -> str:
        return CATEGORIES[self.rule.category]

    @property
    def is_money(self) -> bool:
        return self.rule.category == "saving"


def _groups(
    tallies: Sequence[Tally], looks: Mapping[str, RuleLook], choice: FindingChoice
) -> list[Group]:
    """Every rule in its turn, also those that found nothing."""
    return [_group(rule, tallies, looks.get(rule.key), choice) for rule in RULES.values()]


def _group(
    rule: Rule, tallies: Sequence[Tally], look: RuleLook | None, choice: FindingChoice
) -> Group:
    out = (Life.EXEMPTED, Life.REALISED)
    mine = [each for each in tallies if each.rule == rule.key and each.state not in out]
    wastes = [each.waste for each in mine if each.waste is not None]
    known = [each.realisable for each in mine if each.realisable is not None]
    spared = sorted(look.spared.items(), key=lambda each: (-each[1], each[0])) if look else []
    return Group(
        rule,
        sum(each.findings for each in mine),
        sum(wastes, ZERO) if wastes else None,
        sum(known, ZERO) if known else None,
        look.looked if look else None,
        spared,
        FindingChoice(rule=(rule.key,), account=choice.account).address(),
        choice.rule == (rule.key,),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A finding as the table shows it."""

    finding: Finding
    rule: str
    state: str
    tone: str
    confidence: str
    confidence_tone: str

    @property
    def since(self) -> datetime:
        return self.finding.first_at


def rows(service: Service, pks: Sequence[int]) -> list[Row]:
    """In the order of `pks`."""
    found = {each.pk: each for each in Finding.objects.numbered(service, pks).for_table()}
    return [row(found[pk]) for pk in pks if pk in found]


def row(finding: Finding) -> Row:
    rule = RULES.get(finding.rule)
    return Row(
        finding,
        rule.name if rule else finding.rule,
        Life(finding.state).label,
        STATE_TONES[finding.state],
        CONFIDENCES.get(finding.confidence, finding.confidence),
        CONFIDENCE_TONES.get(finding.confidence, "neutral"),
    )


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a filter."""

    value: str
    label: str
    count: int
    selected: bool


def _filters(
    choice: FindingChoice, tallies: Sequence[Tally], people: Mapping[int, str]
) -> list[tuple[str, str, list[Option]]]:
    """(parameter, title, options), counted of what the other filters leave."""
    known: list[tuple[str, str, Mapping[str, str]]] = [
        ("rule", "Rule", {key: rule.name for key, rule in RULES.items()}),
        ("state", "State", dict(Life.choices)),
        ("who", "Assigned to", {NOBODY: "Nobody"} | {str(k): v for k, v in people.items()}),
        ("confidence", "Confidence", CONFIDENCES),
    ]
    return [
        (name, title, [o for o in _options(name, values, choice, tallies) if o.count or o.selected])
        for name, title, values in known
    ]


def _options(
    name: str, values: Mapping[str, str], choice: FindingChoice, tallies: Sequence[Tally]
) -> list[Option]:
    counts: Counter[str] = Counter()
    for each in tallies:
        if choice.fits(each, beside=name):
            counts[_value(name, each)] += each.findings
    chosen = getattr(choice, name)
    return [Option(key, label, counts[key], key in chosen) for key, label in values.items()]


def _value(name: str, tally: Tally) -> str:
    if name == "who":
        return str(tally.assigned_to or NOBODY)
    told: str = getattr(tally, name)
    return told


def _assignees(tallies: Sequence[Tally]) -> dict[int, str]:
    """{number: name} of whoever has something to do."""
    numbers = {each.assigned_to for each in tallies if each.assigned_to}
    return {user.pk: str(user) for user in User.objects.those(numbers)} if numbers else {}


def _chips(choice: FindingChoice, people: Mapping[int, str]) -> list[tuple[str, str]]:
    """(words, address without it) of each filter that is on."""
    names: dict[str, Mapping[str, str]] = {
        "rule": {key: rule.name for key, rule in RULES.items()},
        "state": dict(Life.choices),
        "who": {NOBODY: "Assigned to nobody"}
        | {str(key): f"Assigned to {name}" for key, name in people.items()},
        "confidence": CONFIDENCES,
    }
    return [
        (names[name].get(value, "Assigned to somebody else"), choice.without(name, value))
        for name in names
        for value in getattr(choice, name)
    ]
