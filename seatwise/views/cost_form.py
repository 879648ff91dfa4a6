"""What people type about money: amounts, months, days, seats, and a contract as a form has it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from django.http import QueryDict

from seatwise.connectors.base import ListPrice
from seatwise.pricing import Alerts, Line, Pack, Terms
from seatwise.spending import MendField, plain

ROWS = 20  # lines of a contract that are read
SHOWN, FREE = 4, 2  # rows that a form has at least, and how many of them are free
PACKS = 6  # sizes of packs, of a line
LONGEST = 40  # characters of a number
LICENSES = 100
KINDS: Mapping[str, str] = {
    "full": "Full seats",
    "stakeholder": "Stakeholder seats",
    "other": "Other seats",
}
NAMES = ("since", "currency", "term", "starts", "ends", "notice_days", "renews", "allowance",
         "alert_price", "note", "plan", "priced_on")  # fmt: skip
AS_AMOUNT = "Write an amount as 41 or 41.50, without signs of thousands."
_AMOUNT = re.compile(r"-?\d{1,12}(?:[.,]\d{1,4})?", re.ASCII)
_LINE = re.compile(r"(\w+)-(\d+)")
T = TypeVar("T")


def amount(text: str) -> Decimal | None:
    """41, 41.00 or 41,00; None for nothing. Raises ValueError, with a sentence for the form."""
    written = text.strip().replace(" ", "")
    if not written:
        return None
    if len(written) > LONGEST or not _AMOUNT.fullmatch(written):
        raise ValueError(AS_AMOUNT)
    return Decimal(written.replace(",", "."))


def number(text: str) -> int | None:
    """A whole number; None for nothing. Raises ValueError."""
    written = text.strip()
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and len(written) <= 9):
        raise ValueError("Write a whole number.")
    return int(written)


def day(text: str) -> date | None:
    """2026-11-24; None for nothing. Raises ValueError."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("Write a day as 2026-11-24.") from None


def month(text: str) -> date:
    """2026-11, as its first day. Raises ValueError."""
    if not re.fullmatch(r"\d{4}-\d\d", text.strip(), re.ASCII):
        raise ValueError("Write a month as 2026-11.")
    try:
        return date.fromisoformat(f"{text.strip()}-01")
    except ValueError:
        raise ValueError("Write a month as 2026-11.") from None


class MendFields(Exception):
    """What was typed cannot be taken: `errors`, a sentence by each field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(f"{len(errors)} to mend")
        self.errors = errors


class Fields:
    """Reads what was typed, and keeps a sentence for each field that cannot be read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.errors: dict[str, str] = {}

    def read(self, name: str, how: Callable[[str], T]) -> T | None:
        try:
            return how(self.text(name))
        except ValueError as error:
            self.errors[name] = str(error)
            return None

    def needed(self, name: str, how: Callable[[str], T | None], otherwise: T) -> T:
        """The same, where nothing will not do; `otherwise` stands for what could not be read."""
        found = self.read(name, how)
        if found is None or found == "":
            self.errors.setdefault(name, "This is needed.")
            return otherwise
        return found

    def check(self) -> None:
        """Raises MendFields where something could not be read."""
        if self.errors:
            raise MendFields(self.errors)

    def text(self, name: str) -> str:
        return plain(self.values.get(name, ""))


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
        return not any((self.name, self.price, self.packs, self.committed, self.licenses))

    @property
    def values(self) -> dict[str, str]:
        told = ("name", "kind", "price", "packs", "committed")
        return {each: getattr(self, each) for each in told}


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
    lines: tuple[LineWish, ...] = field(default_factory=tuple)  # as the form's rows, some empty

    @property
    def values(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in NAMES}

    @property
    def rows(self) -> list[LineWish]:
        """The lines, and free ones to fill in."""
        filled = max((at + 1 for at, line in enumerate(self.lines) if not line.is_empty), default=0)
        shown = min(max(SHOWN, filled + FREE), ROWS)
        return [*self.lines[:filled], *[LineWish(kind="other")] * (shown - filled)]


def read(wish: Wish) -> tuple[Terms, date, dict[str, str]]:
    """What was filled in, and a sentence for each field that cannot be read: by `price-2` of the
    third row of the form. With an error nothing else of it may be used."""
    typed = Fields(wish.values)
    since = typed.read("since", month) or date.min
    if wish.term not in ("month", "year"):
        typed.errors["term"] = "Choose a term."
    if wish.renews not in ("yes", "no", ""):
        typed.errors["renews"] = "Choose what happens then."
    terms = Terms(
        currency=wish.currency,
        term="year" if wish.term == "year" else "month",
        lines=_lines(wish, typed.errors),
        starts=typed.read("starts", day),
        ends=typed.read("ends", day),
        notice_days=typed.read("notice_days", number),
        renews={"yes": True, "no": False}.get(wish.renews),
        alerts=Alerts(typed.read("allowance", number), typed.read("alert_price", amount)),
        plan=wish.plan[:60],
        priced_on=typed.read("priced_on", day) if wish.plan else None,
    )
    return terms, since, typed.errors


def by_row(wish: Wish, error: MendField) -> dict[str, str]:
    """What is wrong with a line, by the row of the form that it stands in."""
    found = _LINE.fullmatch(error.field)
    if not found:
        return {error.field: str(error)}
    filled = [at for at, line in enumerate(wish.lines) if not line.is_empty] or [0]
    return {f"{found[1]}-{filled[int(found[2])]}": str(error)}


def posted(form: QueryDict) -> Wish:
    """What somebody sent; nothing of it is trusted yet."""

    def text(name: str) -> str:
        return plain(form.get(name, ""))[:1_100]

    lines = tuple(
        LineWish(
            name=text(f"name-{at}"),
            kind=text(f"kind-{at}"),
            licenses=tuple(plain(each)[:200] for each in form.getlist(f"licenses-{at}")[:LICENSES]),
            price=text(f"price-{at}"),
            packs=text(f"packs-{at}"),
            committed=text(f"committed-{at}"),
            ratchet=form.get(f"ratchet-{at}") == "yes",
            key=text(f"key-{at}")[:60],
        )
        for at in range(ROWS)
    )
    return Wish(**{name: text(name) for name in NAMES}, lines=lines)


def of_terms(terms: Terms, since: date) -> Wish:
    """A contract that is there, to be changed from `since` on."""
    return Wish(
        since=f"{since:%Y-%m}",
        currency=terms.currency,
        term=terms.term,
        starts=_written(terms.starts),
        ends=_written(terms.ends),
        notice_days=_written(terms.notice_days),
        renews={True: "yes", False: "no", None: ""}[terms.renews],
        allowance=_written(terms.alerts.allowance),
        alert_price=_written(terms.alerts.price),
        plan=terms.plan,
        priced_on=_written(terms.priced_on),
        lines=tuple(_line_wish(line) for line in terms.lines),
    )


def of_list_price(plan: ListPrice, term: str, since: date, before: Wish | None) -> Wish:
    """A public plan; dates, notice and alerts stay as they were."""
    seats = plan.yearly if term == "year" else plan.monthly
    ratchet = plan.ratchet and term == "month"
    lines = [LineWish(plan.name, "full", price=_written(seats), ratchet=ratchet, key="full")]
    if plan.packs:
        packs = ", ".join(f"{seats}: {price}" for seats, price in plan.packs)
        lines.append(LineWish("Stakeholders", "stakeholder", packs=packs, key="stakeholder"))
    return replace(
        before or Wish(since=""),
        since=f"{since:%Y-%m}",
        currency=plan.currency,
        term=term,
        plan=plan.key,
        priced_on=plan.priced_on.isoformat(),
        lines=tuple(lines),
    )


def _line_wish(line: Line) -> LineWish:
    return LineWish(
        name=line.name,
        kind=line.kind,
        licenses=line.licenses,
        price=_written(line.price),
        packs=", ".join(f"{pack.seats}: {_written(pack.price)}" for pack in line.packs),
        committed=_written(line.committed),
        ratchet=line.ratchet,
        key=line.key,
    )


def _lines(wish: Wish, errors: dict[str, str]) -> tuple[Line, ...]:
    """Keys stay those that a line had; a new one is called by its kind where that is free."""
    filled = [(at, line) for at, line in enumerate(wish.lines) if not line.is_empty]
    taken = {line.key for _at, line in filled}
    found = []
    for at, line in filled:
        key = line.key or next(each for each in _keys(line.kind) if each not in taken)
        taken.add(key)
        typed = Fields({f"{name}-{at}": value for name, value in line.values.items()})
        found.append(
            Line(
                key=key,
                name=line.name,
                kind=line.kind,
                licenses=line.licenses,
                price=typed.read(f"price-{at}", amount),
                packs=typed.read(f"packs-{at}", _packs) or (),
                committed=typed.read(f"committed-{at}", number),
                ratchet=line.ratchet,
            )
        )
        errors |= typed.errors
    return tuple(found)


def _keys(kind: str) -> Iterator[str]:
    yield kind
    for number in range(2, ROWS + 2):
        yield f"{kind}-{number}"


def _packs(text: str) -> tuple[Pack, ...]:
    """ "50: 150, 250: 700", or one of them in a line. Raises ValueError."""
    found = []
    for part in re.split(r"[;\n]|,(?=\s*\d+\s*[:=])", text):
        if part.strip():
            seats, _, price = part.replace("=", ":").partition(":")
            size, cost = _pack(seats, price)
            found.append(Pack(size, cost))
    if len(found) > PACKS or len({pack.seats for pack in found}) < len(found):
        raise ValueError(f"Name up to {PACKS} sizes of packs, each once.")
    return tuple(found)


def _pack(seats: str, price: str) -> tuple[int, Decimal]:
    try:
        size, cost = number(seats), amount(price)
    except ValueError:
        size, cost = None, None
    if not size or cost is None:
        raise ValueError("Write packs as “50: 150”: seats, and the price of a month.")
    return size, cost


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if isinstance(value, date) else str(value)
