"""Whatever a vendor writes into its fields, every page shows it as text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from seatwise.models import Authorization, Member, Notice, Person, Reduction, Service, SyncRun, User
from seatwise.urls import urlpatterns
from tests.alerts import watched
from tests.insights import wasteful
from tests.pages import rows
from tests.security.matrix import BY_FILE, expected
from tests.spending.costs import FULL, contract, invoice, refreshed

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"><b onclick='alert(1)'>",
    "' autofocus onfocus=alert(1) x='",
    "--></title></textarea><!--<svg/onload=alert(1)>",
    "&lt;b&gt;{{ request }}{% now 'Y' %}",
    "javascript:alert(1)//",
]
FIELDS = (
    *("name", "e-mail", "role", "job title", "team", "licence", "proof"),
    *("account", "person", "persons role", "what", "why", "remedy", "reason"),
    *("role before", "licence before", "name before", "usage"),
)


@pytest.mark.fault(61)
def test_markup_in_any_field_of_the_vendors_stays_text_on_every_page(
    as_admin: Client, admin: User
) -> None:
    plain = looked_at(as_admin, admin, "plain words ")
    assert len(plain) > 15
    for payload in PAYLOADS:
        spoilt = looked_at(as_admin, admin, f"{payload} ")
        wrong = [name for name, page in plain.items() if page.parts != spoilt[name].parts]
        assert (payload, wrong) == (payload, [])
        programs = [link for page in spoilt.values() for link in page.links if is_program(link)]
        assert (payload, programs) == (payload, [])
        told = "\n".join(text for page in spoilt.values() for text in page.texts)
        assert (payload, [each for each in FIELDS if f"{payload} {each}" not in told]) == (
            payload,
            [],
        )


@dataclass
class Page(HTMLParser):
    """A page as a browser takes it apart."""

    html: str
    parts: list[tuple[str, ...]] = field(default_factory=list)  # tags and names of attributes
    texts: list[str] = field(default_factory=list)  # what stands between them, and in attributes
    links: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append((tag, *sorted(name for name, _ in attrs)))
        self.texts += [value or "" for _, value in attrs]
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]

    def handle_endtag(self, tag: str) -> None:
        self.parts.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.parts.append(("comment",))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


ACROSS = {"spend", "renewals", "chargeback", "people"}  # all services


def is_program(link: str) -> bool:
    return re.match(r"\s*(javascript|data|vbscript):", link, re.IGNORECASE) is not None


def looked_at(client: Client, admin: User, start: str) -> dict[str, Page]:
    """Every page there is, of a service whose vendor begins every field so; nothing is kept."""
    pages = {}
    with transaction.atomic():
        for name, path in paths(account({each: f"{start}{each}" for each in FIELDS}, admin)):
            answer = client.get(path)
            assert answer.status_code == 200, path
            if "html" in answer["Content-Type"]:
                pages[name] = Page(answer.content.decode())
        transaction.set_rollback(True)
    return pages


def paths(numbers: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Of every address of services that can be looked at, with its name."""
    wanted = expected()
    for pattern in urlpatterns:
        name = str(pattern.name)
        is_of_them = str(pattern.pattern).startswith(("services/<", "audit")) or name in ACROSS
        if is_of_them and name not in BY_FILE and wanted[name, "own", "GET"][-1] == "200":
            number = next((n for part, n in numbers.items() if part in str(pattern.pattern)), 0)
            given: dict[str, Any] = {"key": "pagerduty", "pk": number}
            named = re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))
            yield name, reverse(name, kwargs={each: given[each] for each in named})
    at = timezone.now().date() - timedelta(days=39)
    yield "a month", f"/services/pagerduty/usage/?month={rows.this_month():%Y-%m}"
    yield "months by role", "/services/pagerduty/seats/months/?by=role"
    yield "an earlier day", f"/services/pagerduty/seats/?on={at}"


def account(
    words: dict[str, str], admin: User, of: Service | None = None, **fields: Any
) -> dict[str, int]:
    """One member, one sync that failed and everything else that has words of the vendor's."""
    now = timezone.now()
    gap = {"capability": "usage", "minor": False, "chosen": False}
    gap |= {name: words[name] for name in ("what", "why", "remedy")}
    connection = rows.connection(
        of or rows.service(),
        account_name=words["account"],
        granted_by=words["person"],
        granted_role=words["persons role"],
        sync_gaps=[gap],
        account_gaps=[gap],
        attention=words["reason"],
        remedy=words["remedy"],
        way="scoped",
        **fields,
    )
    pool = rows.license_pool(connection, words["licence"])
    member = person(connection, words, pool)
    rows.usage(connection, rows.this_month(), incidents=3)
    connection.usage_points.update(source=words["usage"])
    run = SyncRun.objects.create(
        connection=connection,
        state="action_needed",
        created_at=now,
        started_at=now,
        finished_at=now,
        gaps=[gap],
        reason=words["reason"],
        remedy=words["remedy"],
    )
    rows.event(member, "changed", field="name", before=words["name before"], run=run)
    Notice.objects.create(
        connection=connection,
        run=run,
        kind="given_up",
        what=words["what"],
        began_at=now,
        last_at=now,
    )
    attempt = Authorization.objects.create(
        service=connection.service, user=admin, state_hash=f"{now}", session_hash="", asked=[],
        created_at=now, used_at=now, outcome="failed", message=words["reason"],
    )  # fmt: skip
    alert = watched.alert(
        connection.service, unit="seats_left", limit=1, value=3, why=words["licence"]
    )
    watched.failed(alert, subject=words["account"])
    Person.objects.create(
        email=f"{words['account']}{connection.pk}@acme.example", name=words["name"], as_of=now,
        department=words["licence"], cost_centre=words["licence"][:100],
    )  # fmt: skip
    _agreed(connection.service, words)
    numbers = {"/members/": member.pk, "/history/": run.pk, "/authorizations/": attempt.pk}
    told = [
        {"what": words["what"], "value": words["licence"], "source": words["proof"], "at": None}
    ]
    found = wasteful.finding(member, text=words["name"], evidence=told, why=words["why"])
    found.events.create(at=now, by=admin, state="open", said=words["reason"])
    return numbers | {"/alerts/": alert.pk, "/savings/": found.pk}


def _agreed(of: Service, words: dict[str, str]) -> None:
    """A contract, a reduction and an invoice, with words in every field that has some."""
    note = words["reason"]
    line = replace(FULL, name=words["licence"], licenses=(words["licence"],), ratchet=True)
    state = contract(of, rows.last_month(), line)
    state.note = note
    state.save()
    Reduction.objects.create(
        service=of, line="full", seats=1, since=rows.last_month(), note=note,
        made_at=timezone.now(),
    )  # fmt: skip
    invoice(of, words["name"][:100], rows.last_month(), rows.this_month(), "7.00", note=note,
            source=words["account"][:100])  # fmt: skip
    refreshed(of)


def person(connection: Any, words: dict[str, str], pool: Any) -> Member:
    """Listed forty days ago under another name, changed since."""
    at = timezone.now() - timedelta(days=40)
    member = rows.member(
        connection,
        words["name"],
        words["role"],
        seen=3,
        email=words["e-mail"],
        job_title=words["job title"],
        teams=[words["team"]],
        license=pool,
        first_listed_at=at,
        last_seen_proof=words["proof"],
    )
    member.signals.update(proof=words["proof"])
    rows.event(member, "listed", at=at, facts={"name": words["name before"]})
    rows.event(member, "listed", at=at, field="license", after=words["licence before"])
    for name, now in (("role", words["role"]), ("license", words["licence"])):
        before = words[{"role": "role before", "license": "licence before"}[name]]
        later = at + timedelta(days=20)
        rows.event(member, "changed", at=later, field=name, before=before, after=now)
    return member
