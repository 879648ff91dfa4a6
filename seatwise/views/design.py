"""Every component in every state, light and dark: what pages are made of, for who makes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from seatwise.connectors.base import MetricInfo, RoleInfo
from seatwise.connectors.months import last_months
from seatwise.models import Member
from seatwise.models.member_status import AGES, STATUSES
from seatwise.views import export, usage
from seatwise.views.member_charts import AGE_LABELS, BAR_HEIGHT, Bar
from seatwise.views.members import TONES, Evidence, Row

COLOURS = {
    "Surfaces": ("bg", "surface", "surface-2", "surface-3", "line", "line-strong"),
    "Words": ("text", "text-2", "text-3", "accent-text"),
    "Accent": ("accent", "accent-hover", "accent-soft"),
    "Statuses": ("ok-dot", "warn-dot", "bad-dot", "info-dot", "neutral-dot"),
    "Series": tuple(f"chart-{number}" for number in range(1, 8)),
    "Ages": tuple(f"age-{age}" for age in ("7", "30", "60", "90", "older", "never")),
    "Neither": ("age-unknown", "age-invited"),
}
SIZES = range(7, 0, -1)
SPACES = (1, 2, 3, 4, 5, 6, 8, 10, 16)
LONG = "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff " * 4
PEOPLE = (
    ("Amara Okafor", "amara.okafor@acme.example", "Account Owner", "active"),
    ("Élodie Núñez-Đặng", "elodie@acme.example", "Manager", "idle_30"),
    ("أمينة بنت يوسف الزهراني", "amina@acme.example", "Responder", "idle_90"),
    ("דניאל בן־דוד", "daniel@acme.example", "Observer", "unknown"),
    (LONG[:200], f"{'long.name.' * 18}@acme.example", "Limited Stakeholder of the East", "invited"),
    ("Wolfeschlegelsteinhausenbergerdorff" * 5, "one-word@acme.example", "Responder", "never"),
)
METRICS = (
    MetricInfo("alerts", "Alerts", "What was reported in the month.", "GET /alerts"),
    MetricInfo("incidents", "Incidents", "What somebody was called for.", "GET /incidents"),
    MetricInfo("billed", "Billed", "An estimate of what is charged.", "GET /sent", estimate=True),
)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """For who builds: there only where `DESIGN_PAGE` is set, as in tests and in the demo."""
    if not settings.DESIGN_PAGE:
        raise Http404("There is no such page.")
    context = {
        "schemes": [_scheme("light"), _scheme("dark")],
        "colours": COLOURS,
        "sizes": SIZES,
        "spaces": SPACES,
        "tones": ("ok", "warn", "bad", "info", "neutral"),
        "statuses": [(label, TONES[status]) for status, label in STATUSES.items()],
        "icons": ICONS,
        "logos": ("github", "figma", "nobody-knows-this-one"),
        "exports": export.menu("?"),
        "now": timezone.now(),
        "moments": [timezone.now() - timedelta(minutes=minutes) for minutes in (0, 40, 3000)],
        "metrics": METRICS,
        "role_bars": _role_bars(),
        "age_bars": _age_bars(),
        "chart": _chart(),
        "long": LONG[:200],
    }
    return render(request, "design.html", context)


# What pages use; another one may be taken from the set at any time.
ICONS = (
    *("info", "x", "arrow-up", "arrow-down", "external-link", "history", "eye", "user-plus"),
    *("user-minus", "shield", "ticket", "at-sign", "pencil", "mail", "search", "download"),
    *("settings", "users", "wallet", "scroll-text", "circle-check", "triangle-alert"),
    *("key-round", "log-out", "layout-grid"),
)


@dataclass(frozen=True, slots=True)
class Scheme:
    """What has to be there once in the light and once in the dark, with ids of its own."""

    name: str
    rows: Sequence[Row]
    form: forms.Form
    wrong: forms.Form


class Example(forms.Form):
    """Fields as forms have them."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput({"class": "input"}))
    role = forms.ChoiceField(choices=[("viewer", "Viewer"), ("admin", "Admin")])


def _scheme(name: str) -> Scheme:
    first = 1 if name == "light" else 101
    return Scheme(
        name=name,
        rows=[_row(first + index, *person) for index, person in enumerate(PEOPLE)],
        form=Example(auto_id=f"{name}-%s"),
        wrong=Example({"email": "no address"}, auto_id=f"{name}-wrong-%s"),
    )


def _row(pk: int, name: str, email: str, role: str, status: str) -> Row:
    now = timezone.now()
    seen = status in {"active", "idle_30", "idle_90"}
    days = {"active": 0, "idle_30": 41, "idle_90": 120}.get(status, 0)
    proof = "acknowledged incident #88213"
    at = now - timedelta(days=days, hours=2)
    return Row(
        member=Member(pk=pk, name=name, email=email, invited=status == "invited"),
        role=RoleInfo(word=role, name=role, seat="full", rank=0 if pk % 100 == 1 else 2),
        role_tone="info" if pk % 100 == 1 else "neutral",
        status=STATUSES[status],
        tone=TONES[status],
        as_of=now - timedelta(days=9) if status == "idle_90" else None,
        evidence=[Evidence(at, "acknowledged an incident", proof, "", now)] if seen else [],
        absence="" if seen else "sign-ins cannot be read",
        never=status == "never",
    )


def _role_bars() -> list[Bar]:
    counts = {"Responder": 147, "Manager": 97, "Stakeholder": 41, LONG[:60]: 17, "مسؤول": 2}
    return [
        Bar(name, name, f"{count} members", count, "#", name == "Manager", share=count / 1.47)
        for name, count in counts.items()
    ]


def _age_bars() -> list[Bar]:
    counts = (174, 51, 23, 14, 19, 11, 6, 14)
    return [
        Bar(age, label, AGES[age], count, "#", age == "60", height=BAR_HEIGHT * count / 174)
        for (age, label), count in zip(AGE_LABELS.items(), counts, strict=True)
    ]


def _chart() -> dict[str, object]:
    """Twelve months, of which the last is provisional and one is unknown."""
    known = (1040, 1000, 1130, 1320, 1280, None, 1290, 1520, 1450, 1440, 1360, 820)
    this_month = datetime(2026, 11, 1, tzinfo=UTC).date()
    months = list(reversed(last_months(this_month, len(known))))
    rows = [
        usage.Month(
            month,
            month == this_month,
            [
                usage.Value(metric, value and round(value / part), True, "", None, "", None)
                for metric, part in zip(METRICS, (1, 2.6, 3), strict=True)
            ],
        )
        for month, value in zip(months, known, strict=True)
    ]
    return usage.chart(None, METRICS, list(reversed(rows)))
