"""A member's page: who it is, everything that happened to the seat, every evidence of activity."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from seatwise import history
from seatwise.connectors.base import Connector, find, role_info
from seatwise.models import Finding, Member, MemberEvent, Service
from seatwise.models.member_status import STATUSES
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export, download, menu, wanted
from seatwise.views.members import TONES, Evidence, old_reading
from seatwise.views.shell import asked_accounts, person, require_admin

COLUMNS = (
    Column("at", "When", "time", "When it happened, or when somebody first saw that it had."),
    Column(
        "kind",
        "Kind",
        "text",
        "timeline: what happened to the seat; evidence: what the member was seen doing.",
    ),
    Column("what", "What", "text", "What happened, or which kind of evidence it is."),
    Column("detail", "Detail", "text", "The particulars, in the service’s terms."),
    Column("link", "Link", "text", "Where the service shows it; empty: nowhere that is known."),
    Column("read_at", "Read at", "time", "When Seatwise read the evidence."),
)
KIND_ICONS: Mapping[str, str] = {
    MemberEvent.Kind.LISTED: "eye",
    MemberEvent.Kind.JOINED: "user-plus",
    MemberEvent.Kind.RETURNED: "user-plus",
    MemberEvent.Kind.LEFT: "user-minus",
}
FIELD_ICONS: Mapping[str, str] = {
    "role": "shield",
    "license": "ticket",
    "email": "at-sign",
    "name": "pencil",
    "invited": "mail",
}
FIELDS = {"email": "E-mail", "name": "Name", "role": "Role", "license": "Licence"}
ONE_READING = timedelta(hours=1)  # what was read closer together was read at once


@require_safe
def page(request: HttpRequest, key: str, pk: int) -> HttpResponseBase:
    """Of somebody who is or was a member, or what happened as a file.

    With `?erase=1` it asks whether to erase them.
    """
    service = asked_accounts(request, key)
    connector = find(service.key)
    now = timezone.now()
    member = _member(service, pk)
    status: str = member.status  # type: ignore[attr-defined]
    role = role_info(connector, member.role)
    events = _newest_and_widest_first(list(MemberEvent.objects.about(member)))
    timeline = [_step(event, connector) for event in events]
    evidence = list(_evidence(member, connector))
    if wanted(request):
        return download(request, _export(service, member, timeline, evidence))
    context = {
        "service": service,
        "connection": member.connection,
        "connector": connector,
        "tab": "members",
        "member": member,
        "label": str(member),
        "url": member.url if member.url.startswith("https://") else "",
        "role": role,
        "role_tone": "info" if role.rank <= 1 else "neutral",
        "status": "Erased" if member.erased_at else STATUSES[status],
        "tone": TONES[status],
        "as_of": old_reading(member, now),
        "since": _day(member.joined_at),
        "at_least_since": _day(_before_the_first_look(member)),
        "seen": evidence[0].at if evidence else member.last_seen_at,
        "first_listed": _day(member.first_listed_at),
        "license_since": _day(member.license_since),
        "last_look": _day(member.connection.members_as_of),
        "zone": settings.BILLING_ZONE.key,
        "names_account": service.has_several or member.connection.replaced_at,
        "timeline": timeline,
        "evidence": _proofs(evidence),
        "read_at": _last_read(evidence),
        "findings": list(Finding.objects.of(service).of_member(member).open_now()),
        "is_listed": history.will_be_listed(member),
        "exports": menu("?"),
        "asks_to_erase": request.GET.get("erase") == "1",
        "now": now,
    }
    return render(request, "member.html", context)


@require_POST
@require_admin("erase a person")
def erase(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Takes out of the history who somebody was who has left, or whom nobody lists any more."""
    member = _member(asked_accounts(request, key), pk)
    try:
        history.erase(member, by=person(request))
    except history.NotErased as reason:
        messages.error(request, f"{reason} Nothing was erased.")
    else:
        messages.success(
            request,
            "The person is erased. That a seat was held stays, and so does every count of seats.",
        )
    return redirect("member", key, pk)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline."""

    event: MemberEvent
    words: str
    detail: str
    tone: str

    @property
    def icon(self) -> str:
        """Its name in the set of icons."""
        return FIELD_ICONS.get(self.event.field) or KIND_ICONS.get(self.event.kind, "dot")


@dataclass(frozen=True, slots=True)
class Proof:
    """One evidence as the page tells it, in one line."""

    evidence: Evidence
    read_at: datetime | None  # where that was earlier than the rest

    @property
    def words(self) -> str:
        """What kind it is of, where the proof does not say that itself."""
        words, proof = self.evidence.words, self.evidence.proof
        is_said = not proof or words.split()[:1] == proof.split()[:1]
        return "" if is_said else words


def _proofs(evidence: list[Evidence]) -> list[Proof]:
    last = _last_read(evidence)
    return [
        Proof(
            one, one.read_at if one.read_at and last and last - one.read_at > ONE_READING else None
        )
        for one in evidence
    ]


def _last_read(evidence: list[Evidence]) -> datetime | None:
    return max((one.read_at for one in evidence if one.read_at), default=None)


def _newest_and_widest_first(events: list[MemberEvent]) -> list[MemberEvent]:
    """Of one moment, or of the first look, that somebody came, and then with which licence."""
    listed = MemberEvent.Kind.LISTED
    look = next((event.at for event in events if event.kind == listed and not event.field), None)

    def place(event: MemberEvent) -> tuple[datetime, bool]:
        at = event.at
        # Licences are read a moment behind the members.
        if look and event.kind == listed and at - look < ONE_READING:
            at = look
        return at, not event.field

    return sorted(events, key=place, reverse=True)


def _before_the_first_look(member: Member) -> datetime | None:
    """Since when they have had the licence, where that tells more than the first look."""
    since = member.license_since
    return since if since and since < member.first_listed_at else None


def _member(service: Service, pk: int) -> Member:
    """Also of an account that no page shows any more, as long as its data is kept."""
    members = Member.objects.in_accounts(service.with_data).with_status(timezone.now())
    member = members.numbered(pk)
    if member is None:
        raise Http404("There is no such member of this service.")
    return member


def _day(at: datetime | None) -> date | None:
    return history.day_of(at, settings.BILLING_ZONE) if at else None


def _step(event: MemberEvent, connector: Connector | None) -> Step:
    words, detail, tone = _told(event, connector)
    return Step(event, words, detail, tone)


def _told(event: MemberEvent, connector: Connector | None) -> tuple[str, str, str]:
    """What happened, the particulars, and its tone."""
    kinds = MemberEvent.Kind
    if event.kind == kinds.LISTED and event.field:
        return "Held a licence at the first look", event.after, "neutral"
    if event.kind != kinds.CHANGED:
        tones = {kinds.JOINED: "ok", kinds.RETURNED: "ok"}
        tone = tones.get(kinds(event.kind), "neutral")
        return kinds(event.kind).label.capitalize(), _facts(event, connector), tone
    if event.field == "invited":
        accepted = event.after == "no"
        return "Accepted the invitation" if accepted else "Is invited again", "", "neutral"
    title = f"{FIELDS.get(event.field, event.field)} changed"
    if not event.before and not event.after:
        return title, "from and to what was erased", "neutral"
    before, after = event.before, event.after
    if event.field == "role":
        before, after = (role_info(connector, word).name for word in (before, after))
    return title, f"{before or 'none known'} → {after or 'none known'}", "info"


def _export(
    service: Service, member: Member, timeline: list[Step], evidence: list[Evidence]
) -> Export:
    rows = list(_lines(timeline, evidence))
    return Export(
        file=f"{service.key}-member-{member.pk}",
        what=f"member {member.pk}",
        title="Member",
        says=f"Everything that happened to the seat of {member}, then every evidence of activity.",
        columns=COLUMNS,
        rows=rows,
        count=len(rows),
        service=service,
        as_of=member.connection.members_as_of,
    )


def _lines(timeline: list[Step], evidence: list[Evidence]) -> Iterator[list[Cell]]:
    for step in timeline:
        yield [step.event.at, "timeline", step.words, step.detail, None, None]
    for one in evidence:
        yield [one.at, "evidence", one.words, one.proof, one.url or None, one.read_at]


def _facts(event: MemberEvent, connector: Connector | None) -> str:
    role = event.facts.get("role")
    return f"as {role_info(connector, role).name}" if role else ""


def _evidence(member: Member, connector: Connector | None) -> Iterator[Evidence]:
    """Every evidence, the newest first."""
    sources = connector.sources if connector else {}
    for signal in member.signals.newest_first():
        url = signal.url if signal.url.startswith("https://") else ""
        words = sources.get(signal.source, signal.source)
        yield Evidence(signal.at, words, signal.proof, url, signal.read_at)
