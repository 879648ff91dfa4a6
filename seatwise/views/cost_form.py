"""What people type about money: amounts, months, days, seats, and a contract as a form has it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from django.http import QueryDict

from seatwise.connectors.base import ListPrice
from seatwise.pricing import Alerts, Line, Pack, Terms

ROWS = 5  # lines of a contract that a form has room for
PACKS = 6  # sizes of packs, of a line
LONGEST = 40  # characters of a number
KINDS: Mapping[str, str] = {
    "full": "Full seats",
    "stakeholder": "Stakeholder seats",
    "other": "Other seats",
}
_AMOUNT = re.compile(r"-?\d{1,12}(?:[.,]\d{1,4})?", re.ASCII)


def amount(text: str, what: str) -> Decimal | None:
    """41, 41.00 or 41,00; None for nothing. Raises ValueError, with a sentence for the form."""
    written = text.strip().replace(" ", "")
    if not written:
        return None
    if len(written) > LONGEST or not _AMOUNT.fullmatch(written):
        raise ValueError(f"{what}: write an amount as 41 or 41.50, without signs of thousands.")
    return Decimal(written.replace(",", "."))


def number(text: str, what: str) -> int | None:
    """A whole number; None for nothing. Raises ValueError."""
    written = text.strip()
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and len(written) <= 9):
        raise ValueError(f"{what}: write a whole number.")
    return int(written)


def day(text: str, what: str) -> date | None:
    """2026-11-24; None for nothing. Raises ValueError."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{what}: write a day as 2026-11-24.") from None


def month(text: str, what: str = "Holds from") -> date:
    """2026-11, as its first day. Raises ValueError."""
    found = day(f"{text.strip()}-01", what) if re.fullmatch(r"\d{4}-\d\d", text.strip()) else None
    if found is None:
        raise ValueError(f"{what}: choose a month.")
    return found


@dataclass(frozen=True, slots=True)
class LineWish:
    """One line of the form, as somebody filled it in."""

    name: str = ""
    kind: str = "full"
    licenses: tuple[str, ...] = ()
    price: str = ""
    packs: str = ""  # "50: 150, 250: 700"
    committed: str = ""
    ratchet: bool = False
    key: str = ""  # of the line that it was; "": a new one

    @property
    def is_empty(self) -> bool:
        return not any((self.name, self.price, self.packs, self.committed))

    @property
    def line(self) -> Line:
        """Raises ValueError."""
        name = " ".join(self.name.split()) or KINDS.get(self.kind, "")
        if self.kind not in KINDS or len(name) > 200:
            raise ValueError("Choose which seats the line is for.")
        return Line(
            key=self.key,
            name=name,
            kind=self.kind,
            licenses=self.licenses,
            price=amount(self.price, f"{name}, price"),
            packs=_packs(self.packs, name),
            committed=number(self.committed, f"{name}, committed seats"),
            ratchet=self.ratchet,
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """A contract as somebody filled it in."""

    since: str
    currency: str = "USD"
    term: str = "month"
    starts: str = ""
    ends: str = ""
    notice_days: str = ""
    renews: str = ""  # "yes", "no", or "": not known
    allowance: str = ""
    alert_price: str = ""
    note: str = ""
    plan: str = ""
    priced_on: str = ""
    lines: tuple[LineWish, ...] = field(default_factory=tuple)

    @property
    def rows(self) -> list[LineWish]:
        """The lines, and empty ones to fill in."""
        return [*self.lines, *[LineWish(kind="other")] * max(1, ROWS - len(self.lines))][
            : max(ROWS, len(self.lines))
        ]

    @property
    def month(self) -> date:
        """From when on it holds. Raises ValueError."""
        return month(self.since)

    @property
    def terms(self) -> Terms:
        """Raises ValueError, with a sentence for the form."""
        if self.term not in ("month", "year") or self.renews not in ("yes", "no", ""):
            raise ValueError("Choose a term.")
        lines = [line for line in self.lines if not line.is_empty]
        return Terms(
            currency=self.currency,
            term="year" if self.term == "year" else "month",
            lines=_with_keys([line.line for line in lines], lines),
            starts=day(self.starts, "Starts"),
            ends=day(self.ends, "Ends"),
            notice_days=number(self.notice_days, "Days of notice"),
            renews={"yes": True, "no": False}.get(self.renews),
            alerts=Alerts(
                number(self.allowance, "Included alerts"),
                amount(self.alert_price, "Price of an alert"),
            ),
            plan=self.plan[:60],
            priced_on=day(self.priced_on, "Looked at"),
        )


def posted(form: QueryDict) -> Wish:
    """What somebody sent; nothing of it is trusted yet."""

    def text(name: str) -> str:
        return form.get(name, "").replace("\x00", "")[:1_100]

    lines = tuple(
        LineWish(
            name=text(f"name-{at}"),
            kind=text(f"kind-{at}"),
            licenses=tuple(name[:200] for name in form.getlist(f"licenses-{at}")[:50]),
            price=text(f"price-{at}"),
            packs=text(f"packs-{at}"),
            committed=text(f"committed-{at}"),
            ratchet=form.get(f"ratchet-{at}") == "yes",
            key=text(f"key-{at}")[:60],
        )
        for at in range(ROWS)
    )
    names = ("since", "currency", "term", "starts", "ends", "notice_days", "renews", "allowance",
             "alert_price", "note", "plan", "priced_on")  # fmt: skip
    return Wish(**{name: text(name).strip() for name in names}, lines=lines)


def of_terms(terms: Terms, since: date) -> Wish:
    """A contract that is there, to be changed from `since` on."""
    return Wish(
        since=f"{since:%Y-%m}",
        currency=terms.currency,
        term=terms.term,
        starts=_plain(terms.starts),
        ends=_plain(terms.ends),
        notice_days=_plain(terms.notice_days),
        renews={True: "yes", False: "no", None: ""}[terms.renews],
        allowance=_plain(terms.alerts.allowance),
        alert_price=_plain(terms.alerts.price),
        plan=terms.plan,
        priced_on=_plain(terms.priced_on),
        lines=tuple(_line_wish(line) for line in terms.lines),
    )


def of_list_price(plan: ListPrice, term: str, since: date, before: Wish | None) -> Wish:
    """A public plan; dates and notice stay as they were."""
    seats = plan.yearly if term == "year" else plan.monthly
    ratchet = plan.ratchet and term == "month"
    lines = [LineWish(plan.name, "full", price=_plain(seats), ratchet=ratchet, key="full")]
    if plan.packs:
        packs = ", ".join(f"{seats}: {price}" for seats, price in plan.packs)
        lines.append(LineWish("Stakeholders", "stakeholder", packs=packs, key="stakeholder"))
    kept = before or Wish(since="")
    return Wish(
        since=f"{since:%Y-%m}",
        currency=plan.currency,
        term=term,
        starts=kept.starts,
        ends=kept.ends,
        notice_days=kept.notice_days,
        renews=kept.renews,
        allowance=kept.allowance,
        alert_price=kept.alert_price,
        plan=plan.key,
        priced_on=plan.priced_on.isoformat(),
        lines=tuple(lines),
    )


def _line_wish(line: Line) -> LineWish:
    return LineWish(
        name=line.name,
        kind=line.kind,
        licenses=line.licenses,
        price=_plain(line.price),
        packs=", ".join(f"{pack.seats}: {pack.price}" for pack in line.packs),
        committed=_plain(line.committed),
        ratchet=line.ratchet,
        key=line.key,
    )


def _packs(text: str, name: str) -> tuple[Pack, ...]:
    """ "50: 150, 250: 700" or one of them in a line. Raises ValueError."""
    found = []
    for part in re.split(r"[;\n]|,(?=\s*\d+\s*[:=])", text):
        if not part.strip():
            continue
        seats, _, price = re.sub("[=]", ":", part).partition(":")
        size, cost = number(seats, f"{name}, pack"), amount(price, f"{name}, price of a pack")
        if not size or cost is None:
            raise ValueError(f"{name}: write packs as “50: 150”, seats and price a month.")
        found.append(Pack(size, cost))
    if len(found) > PACKS or len({pack.seats for pack in found}) < len(found):
        raise ValueError(f"{name}: name up to {PACKS} sizes of packs, each once.")
    return tuple(found)


def _with_keys(lines: list[Line], wishes: list[LineWish]) -> tuple[Line, ...]:
    """Keys stay those that a line had; a new one is called by its kind where that is free."""
    taken = {wish.key for wish in wishes if wish.key}
    found = []
    for line, wish in zip(lines, wishes, strict=True):
        key = wish.key
        if not key:
            free = (f"{line.kind}-{n}" if n > 1 else line.kind for n in range(1, ROWS + 2))
            key = next(each for each in free if each not in taken)
            taken.add(key)
        found.append(replace(line, key=key))
    return tuple(found)


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else str(value)
