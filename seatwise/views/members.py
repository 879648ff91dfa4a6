"""The Members page: who holds a seat, in which role, when last seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from seatwise import tallies
from seatwise.connectors.base import Connector, RoleInfo, find, role_info
from seatwise.models import Connection, Member, Service, Signal
from seatwise.models.member_status import AGES, LEFT, STATUSES, looked_until
from seatwise.views import member_charts, members_export
from seatwise.views.export import download, menu, wanted
from seatwise.views.member_choice import MemberChoice, month_of
from seatwise.views.paging import steps
from seatwise.views.shell import asked_accounts

PAGE_SIZE = 50
FRESH = timedelta(days=2)  # a reading that is older is told beside each status
OF_ALL = "Counted of all, whatever is searched or the period."
SEARCH_BOX, WHOLE_BLOCK = "input#members-search", "div#members"
TONES: Mapping[str, str] = {
    "active": "ok",
    "idle_30": "warn",
    "idle_60": "warn",
    "idle_90": "bad",
    "never": "bad",
    "unknown": "neutral",
    "invited": "info",
    "left": "neutral",
}


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """The page, the part of it that htmx asks for, or what is filtered as a file."""
    service = asked_accounts(request, key)
    connector = find(service.key)
    roles = role_order(connector)
    choice = MemberChoice.from_query(request.GET)
    if not service.account_query:  # an account that is not there is no choice
        choice = replace(choice, account="")
    now = tallies.moment()
    if wanted(request):
        only = tallies.only_account(service)
        chosen = choice.rows(Member.objects.of(service).with_status(now, only), now, only)
        chosen = chosen.sorted_by(choice.sort, roles)
        words = [label for label, _url in _chips(connector, choice)]
        return download(request, members_export.export(service, connector, chosen, now, words))
    context = {
        "service": service,
        "connection": service.connection,
        "connector": connector,
        "tab": "members",
        "choice": choice,
        "all_accounts": choice.address(account="", place=choice.place),
        **_block(connector, choice, service, now),
    }
    if not is_fragment(request):
        return render(request, "members.html", context)
    response = render(request, "members_block.html", context)
    # Typing and refreshing replace the address; everything else is a step that Back undoes.
    source = request.headers.get("HX-Source", "")
    header = "HX-Replace-Url" if source in {SEARCH_BOX, WHOLE_BLOCK} else "HX-Push-Url"
    response[header] = request.path + choice.address(place=choice.place).removesuffix("?")
    return _varying(response)


def role_order(connector: Connector | None) -> list[str]:
    """The vendor's role words, most powerful first."""
    known = connector.roles.values() if connector else []
    return [role.word for role in sorted(known, key=lambda role: role.rank)]


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for the part of a page that changes, and not for a whole page."""
    return (
        request.headers.get("HX-Request") == "true"
        and request.headers.get("HX-Request-Type") != "full"
        and request.headers.get("HX-History-Restore-Request") != "true"
    )


def old_reading(member: Member, now: datetime) -> datetime | None:
    """When activity was last read, where a status that is told by it must say so; else None."""
    until = looked_until(member.connection)
    by_activity = not member.invited and member.left_at is None
    return until if by_activity and until and now - until > FRESH else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that a member was seen doing."""

    at: datetime
    words: str
    proof: str
    url: str
    read_at: datetime | None

    @property
    def short(self) -> str:
        return self.proof or self.words


@dataclass(frozen=True, slots=True)
class Row:
    """A member as the table shows it."""

    member: Member
    role: RoleInfo
    role_tone: str
    status: str
    tone: str
    as_of: datetime | None  # of the status, where the last reading is long ago
    evidence: list[Evidence]  # the newest first
    absence: str  # why there is none, "" where there is some
    never: bool  # the vendor says that there never was any

    @property
    def label(self) -> str:
        return str(self.member)

    @property
    def others(self) -> list[Evidence]:
        return self.evidence[1:]


def _block(
    connector: Connector | None,
    choice: MemberChoice,
    service: Service,
    now: datetime,
) -> dict[str, object]:
    """What the part that changes with every filter shows."""
    everybody = tallies.of_members(service, now)
    current = [tally for tally in everybody if tally.status != LEFT]
    found = choice.rows(Member.objects.of(service), now, tallies.only_account(service))
    known = choice.counted(everybody)
    count = found.count() if known is None else known
    roles = role_order(connector)
    role_bars = member_charts.role_bars(connector, choice, everybody)
    shown = found.stretch(
        choice.sort,
        roles,
        service.shown_connections,
        choice.fitting(everybody),
        place=choice.place,
        size=PAGE_SIZE,
        total=count,
    )
    return {
        "shown": shown,
        "count": count,
        "rows": [_row(member, connector, now) for member in _load(service, shown.pks, now)],
        "total": sum(tally.members for tally in (everybody if choice.includes_left else current)),
        "role_bars": role_bars,
        "age_bars": member_charts.age_bars(choice, everybody),
        "filters": [
            ("role", "Role", role_bars),
            ("license", "Licence", member_charts.license_options(choice, everybody)),
            ("status", "Status", member_charts.status_options(choice, everybody)),
        ],
        "counted_of": OF_ALL if choice.has_uncounted else "",
        "periods": member_charts.periods(choice, now),
        "chips": _chips(connector, choice),
        "here": choice.address(place=choice.place),
        "columns": choice.sort_links(),
        "exports": menu(choice.address()),
        "cleared": choice.cleared(),
        "steps": steps(shown, lambda place: choice.address(place=place)),
    }


def _load(service: Service, keys: list[int], now: datetime) -> list[Member]:
    """The members of one page with what their rows show, in the order of `keys`."""
    members = Member.objects.with_keys(keys).with_status(now).with_evidence()
    rows = members.for_page(service.shown_connections)
    return sorted(rows, key=lambda member: keys.index(member.pk))


def _row(member: Member, connector: Connector | None, now: datetime) -> Row:
    role = role_info(connector, member.role)
    status: str = member.status  # type: ignore[attr-defined]
    evidence = [_evidence(signal, connector) for signal in member.signals.all()]
    if member.last_seen_at and not evidence:
        words = _words(connector, member.last_seen_source)
        evidence = [Evidence(member.last_seen_at, words, member.last_seen_proof, "", None)]
    return Row(
        member=member,
        role=role,
        role_tone="info" if role.rank <= 1 else "neutral",
        status=STATUSES[status],
        tone=TONES[status],
        as_of=old_reading(member, now),
        evidence=evidence,
        absence="" if evidence else _absence(member, connector, member.connection),
        never=not evidence and not member.invited and member.never_read_at is not None,
    )


def _evidence(signal: Signal, connector: Connector | None) -> Evidence:
    words = _words(connector, signal.source)
    url = signal.url if signal.url.startswith("https://") else ""
    return Evidence(signal.at, words, signal.proof, url, signal.read_at)


def _words(connector: Connector | None, source: str) -> str:
    return connector.sources.get(source, source) if connector else source


def _absence(member: Member, connector: Connector | None, connection: Connection) -> str:
    """Why there is no evidence, for the line below "unknown" or "never"."""
    if member.invited:
        return "has not accepted yet"
    if member.never_read_at is not None:
        return f"never {_words(connector, member.never_source)}"
    if connection.is_by_file:
        told = connection.activity_as_of is not None
        return "the file does not say" if told else "a file tells nobody’s activity"
    if "activity" in connection.unreadable:
        return "activity cannot be read"
    if connection.activity_as_of is None:
        return "activity was not read yet"
    if connection.activity_since is None:
        return "no evidence found"
    return f"no evidence since {connection.activity_since:%-d %b %Y}"


def _chips(connector: Connector | None, choice: MemberChoice) -> list[tuple[str, str]]:
    """Each filter that is on, in words, and the address without it."""
    chips = [(f"Search: {choice.q}", choice.address(q=""))] if choice.q else []
    words = [("role", word, f"Role: {role_info(connector, word).name}") for word in choice.role]
    words += [("license", name, f"Licence: {name or 'unknown'}") for name in choice.license]
    words += [("status", key, f"Status: {STATUSES[key]}") for key in choice.status]
    words += [("seen", age, f"Last seen: {AGES[age]}") for age in choice.seen]
    for name in ("joined", "left"):
        months = [(value, month_of(value)) for value in getattr(choice, name)]
        words += [(name, value, f"{name.title()} in {month:%B %Y}") for value, month in months]
    return chips + [(label, choice.toggled(name, value)) for name, value, label in words]


def _varying(response: HttpResponse) -> HttpResponse:
    """So that no cache hands the part to a browser that wants the page."""
    patch_vary_headers(response, ["HX-Request"])
    return response
