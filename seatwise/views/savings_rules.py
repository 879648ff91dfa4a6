"""The limits of the rules with who set them when, and why somebody is not flagged."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from seatwise import insights
from seatwise.models import Member, Service, Threshold
from seatwise.rules import RULES, Limit, Rule
from seatwise.templatetags.seatwise import at
from seatwise.views.member_choice import MOST_WORDS
from seatwise.views.savings import frame
from seatwise.views.savings_choice import is_number
from seatwise.views.savings_finding import require_owner
from seatwise.views.shell import asked_accounts, person, service_or_404

SHOWN = 30  # changes
MATCHES = 10  # people


@dataclass(frozen=True, slots=True)
class Field:
    """A limit with its value, or what was typed in its place."""

    limit: Limit
    value: str
    error: str = ""

    @property
    def id(self) -> str:
        return f"limit-{self.limit.name}"


@dataclass(frozen=True, slots=True)
class Section:
    rule: Rule
    fields: list[Field]


@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest, key: str) -> HttpResponse:
    """Everybody sees them; an admin or the owner sets those of one rule at a time."""
    if request.method == "POST":
        response: HttpResponse = _set(request, key)
        return response
    return _page(request, asked_accounts(request, key))


@require_owner
def _set(request: HttpRequest, service: Service) -> HttpResponse:
    rule = RULES.get(request.POST.get("rule", ""))
    if rule is None:
        messages.error(request, "There is no such rule. Nothing was changed.")
        return redirect(at(service, "rule_limits"))
    typed = {limit.name: request.POST.get(limit.name, "").strip()[:20] for limit in rule.limits}
    wrong = {limit.name: said for limit in rule.limits if (said := _wrong(limit, typed))}
    if wrong:
        return _page(request, service, (rule.key, typed, wrong))
    changed = [
        insights.set_threshold(service, rule.key, name, int(text), by=person(request))
        for name, text in typed.items()
    ]
    if any(changed):
        insights.run(service_or_404(service.key), timezone.now())
        messages.success(request, f"“{rule.name}” looks with the new limit now.")
    else:
        messages.info(request, "The limits were so already. Nothing was changed.")
    return redirect(at(service, "rule_limits"))


@require_safe
def why_not(request: HttpRequest, key: str) -> HttpResponse:
    """What every rule says of one member: `member` numbers them, `q` looks for them."""
    service = asked_accounts(request, key)
    asked = request.GET.get("member", "")
    words = " ".join(request.GET.get("q", "").replace("\x00", "")[:200].split()[:MOST_WORDS])
    current = Member.objects.of(service).current()
    matches: list[Member] = []
    member = None
    if is_number(asked):
        member = current.numbered(int(asked))
    elif words:
        matches = list(current.matching(words).sorted_by("name").for_table()[: MATCHES + 1])
        member = matches[0] if len(matches) == 1 else None
    context = {
        **frame(request, service),
        "q": words,
        "member": member,
        "name": str(member or ""),
        "matches": [] if member else matches[:MATCHES],
        "more": len(matches) > MATCHES,
        "verdicts": insights.why_not(service, member, timezone.now()) if member else [],
    }
    return render(request, "savings_why.html", context)


def _page(
    request: HttpRequest,
    service: Service,
    wrong: tuple[str, dict[str, str], dict[str, str]] | None = None,
) -> HttpResponse:
    values = insights.limits_of(service)
    rule_asked, typed, errors = wrong or ("", {}, {})

    def field(rule: Rule, limit: Limit) -> Field:
        if rule.key == rule_asked:
            return Field(limit, typed[limit.name], errors.get(limit.name, ""))
        return Field(limit, str(values[rule.key][limit.name]))

    sections = [
        Section(rule, [field(rule, limit) for limit in rule.limits]) for rule in RULES.values()
    ]
    changes = [
        (each, RULES[each.rule].name, insights.limit_of(each.rule, each.name))
        for each in Threshold.objects.changes(service)[:SHOWN]
        if each.rule in RULES and each.name in {limit.name for limit in RULES[each.rule].limits}
    ]
    context = {**frame(request, service), "sections": sections, "changes": changes}
    return render(request, "savings_rules.html", context, status=400 if wrong else 200)


def _wrong(limit: Limit, typed: dict[str, str]) -> str:
    text = typed[limit.name]
    if is_number(text) and limit.least <= int(text) <= limit.most:
        return ""
    return f"A whole number from {limit.least:,} to {limit.most:,}."
