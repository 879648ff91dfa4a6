"""A company with some of everything: what the budgets of pages are counted with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.test import Client
from django.utils import timezone

from seatwise import audit, spending
from seatwise.connectors.months import last_months
from seatwise.models import (
    Alert,
    Channel,
    Connection,
    Contract,
    Finding,
    Member,
    MemberEvent,
    Person,
    RuleLook,
    Service,
    Signal,
    SyncRun,
    User,
)
from seatwise.models.audit_event import Action
from seatwise.pricing import Line, Terms
from seatwise.rules import RULES
from tests.alerts import watched
from tests.insights import wasteful
from tests.pages import rows
from tests.pages.runs import run_of, stage

SERVICES = 12
ROLES = ("owner", "admin", "user", "limited_user", "read_only_user")


@dataclass(frozen=True)
class Estate:
    """Twelve services, of which the first has two accounts."""

    account: Connection  # the one that has most
    member: Member
    run: SyncRun
    person: User

    @property
    def addresses(self) -> Mapping[str, str]:
        """{name of a page, behind a colon what is special about this visit: its address}."""
        home = f"/services/{self.account.service.key}/"
        one = f"account={self.account.pk}"
        days = f"from={date.today() - timedelta(days=90)}&to={date.today()}"  # noqa: DTZ011
        return {
            "spend": "/",
            "add_service": "/services/add/",
            "add_service: searched": "/services/add/?q=data",
            "info": home,
            "info: by file": "/services/service-3/",
            "members": f"{home}members/",
            "members: one account": f"{home}members/?{one}",
            "members: filtered": f"{home}members/?{one}&status=active&role=user&seen=7",
            "members: searched": f"{home}members/?q=member+example",
            "members: the last by last seen": f"{home}members/?sort=-seen&place=last",
            "members: joined and left": f"{home}members/?joined=2026-01&left=2026-02",
            "member": f"{home}members/{self.member.pk}/",
            "seats": f"{home}seats/?{one}",
            "seat_changes": f"{home}seats/changes/?{one}&{days}",
            "seat_months": f"{home}seats/months/?{one}",
            "usage": f"{home}usage/?{one}",
            "usage: a month opened": f"{home}usage/?{one}&month={rows.last_month():%Y-%m}",
            "service_spend": f"{home}spend/",
            "contract": f"{home}spend/contract/",
            "invoice_file": f"{home}spend/invoices/file/",
            "savings": f"{home}savings/",
            "savings_sum": f"{home}savings/sum/?all=yes",
            "rule_limits": f"{home}savings/rules/",
            "why_not": f"{home}savings/why-not/?member={self.member.pk}",
            "savings_letter": f"{home}savings/letter/",
            "finding": f"{home}savings/{Finding.objects.earliest('pk').pk}/",
            "alerts": f"{home}alerts/",
            "add_alert": f"{home}alerts/add/",
            "edit_alert": f"{home}alerts/{Alert.objects.earliest('pk').pk}/",
            "channels": "/channels/",
            "service_settings": f"{home}settings/?{one}",
            "history": f"{home}history/?{one}",
            "run": f"{home}history/{self.run.pk}/",
            "progress": f"{home}progress/?{one}",
            "spend_by": f"{home}spend/by/",
            "renewals": "/renewals/",
            "chargeback": "/chargeback/",
            "people": "/people/",
            "users": "/users/",
            "audit": "/audit/",
        }


def build(client: Client, admin: User) -> Estate:
    """`client` is the admin's browser, which the audit trail tells of."""
    first, *others = (rows.service(*_named(number)) for number in range(SERVICES))
    account = rows.connection(first, connected_by=admin)
    rows.connection(first, account_id="P2", account_name="acme-test")
    for number, service in enumerate(others):
        state = "by_file" if number % 3 == 2 else "active"
        rows.connection(service, account_id=service.key, state=state)
    run = run_of(account, stages={"members": stage()}, requested_by=admin)
    _watch(account, admin, 3)
    _fill(account, 60)
    for service in (first, *others[:4]):
        _agree(service)
    person = User.objects.create_user("oz@example.com", None, name="Oz Owner")
    return Estate(account, _someone(account), run, person)


def add_more(account: Connection, many: int) -> None:
    """More of all that grows: services with their owners, users, and all that `_fill` adds."""
    known = Service.objects.count()
    for number in range(known, known + max(many // 4, 3)):
        name = f"Person {number}"
        user = User.objects.create_user(f"person{number}@example.com", None, name=name)
        service = rows.service(*_named(number))
        service.owner, service.category = user, f"Category {number % 3}"
        service.save()
        for place in range(number % 3):
            state = ("active", "limited", "needs_reconnect", "by_file")[number % 4]
            each = rows.connection(service, account_id=f"{service.key}-{place}", state=state)
            run_of(each)
    _watch(account, user, many // 4)
    _fill(account, many)


def _watch(account: Connection, user: User, many: int) -> None:
    """Alerts with everybody they tell, what they said, and channels."""
    for number in range(many):
        alert = watched.alert(account.service, unit="metric:incidents", limit=number)
        alert.people.set([user])
        name = f"Bus {Channel.objects.count()}"
        alert.channels.set([watched.webhook("https://hooks.example.com/x", user, name)])
        watched.failed(alert)


def _fill(account: Connection, many: int) -> None:
    """Members with their evidence and their past, syncs, usage, lines of the trail."""
    now = timezone.now()
    service = account.service
    pools = [rows.license_pool(account, f"Plan {now:%f}{kind}", kind) for kind in ("full", "other")]
    for each in Connection.objects.exclude(pk=account.pk):
        rows.member(each, f"Member of {each.account_name}", seen=3)
    for number in range(many):
        member = rows.member(
            account,
            f"Member {number:03}",
            ROLES[number % len(ROLES)],
            seen=number * 3 if number % 7 else None,
            license=pools[number % 2],
            left_at=now - timedelta(days=number) if number % 9 == 0 else None,
        )
        Person.objects.create(email=member.email, department=f"D{number % 5}", as_of=now)
        if not member.left_at:
            wasteful.finding(member, rule=("idle_full_seat", "two_seats")[number % 2])
        rows.event(member, "joined", at=now - timedelta(days=100 - number % 90))
        rows.event(member, "changed", field="role", before="observer", after=member.role)
        run_of(account, counts={"joined": 1, "left": 0, "changed": 2})
        audit.record(Action.EXPORTED, service=service.key, about="members")
    looks = (
        RuleLook(service=service, rule=rule, at=now, found=1, spared={"x": 2}) for rule in RULES
    )
    RuleLook.objects.note(looks)
    known = set(account.usage_points.values_list("month", flat=True))
    for month in last_months(rows.this_month(), 24):
        if month not in known:
            rows.usage(account, month, incidents=10, alerts=20, billable_alerts=5)
            rows.usage(account, month, notifications_sms=12, notifications_email=120)


def _agree(service: Service) -> None:
    """A contract that ends within a year, and what its months cost."""
    now = timezone.now()
    line = Line("full", "Full", "full", price=Decimal(21), committed=20)
    terms = Terms("USD", "year", (line,), ends=now.date() + timedelta(days=80), notice_days=30)
    since = rows.last_month()
    Contract.objects.create(service=service, since=since, data=terms.as_json(), made_at=now)
    spending.refresh(Service.objects.for_table().get(pk=service.pk), now)


def _named(number: int) -> tuple[str, str]:
    return (f"service-{number}", f"Service {number}") if number else ("pagerduty", "PagerDuty")


def _someone(account: Connection) -> Member:
    """Somebody with every kind of evidence."""
    member = Member.objects.filter(connection=account, last_seen_at__isnull=False).earliest("pk")
    Signal.objects.create(
        member=member,
        source="resolved",
        at=member.last_seen_at or timezone.now(),
        proof="resolved incident #1",
        read_at=timezone.now(),
    )
    assert MemberEvent.objects.filter(member=member).exists()
    assert Service.objects.count() == SERVICES
    return member
