"""The fields of the forms about money: what is typed in them, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from seatwise.pricing import CURRENCIES

Kind = Literal["text", "date", "month", "select"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field, as templates/cost_field.html shows it."""

    name: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    mode: str = ""  # which keyboard a phone shows: "decimal", "numeric"
    options: tuple[tuple[str, str], ...] = ()  # value and name, of a select
    required: bool = False
    longest: int = 40  # characters
    wide: bool = False  # takes the whole line
    form: str = ""  # what sets it apart from fields of the same name
    value: str = ""
    error: str = ""

    @property
    def id(self) -> str:
        return f"{self.form}-{self.name}"

    @property
    def described_by(self) -> str:
        told = ((self.hint, "hint"), (self.error, "error"))
        return " ".join(f"{self.id}-{what}" for text, what in told if text)


def filled(
    form: str, fields: Iterable[Field], values: Mapping[str, str], errors: Mapping[str, str]
) -> list[Field]:
    """The fields of a form with what is typed in them."""
    return [
        replace(
            each,
            form=form,
            value=values.get(each.name, each.value),
            error=errors.get(each.name, ""),
        )
        for each in fields
    ]


def same(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Options that are called what they are."""
    return tuple((name, name) for name in names)


CURRENCY = Field("currency", "Currency", "select", options=same(CURRENCIES))
REDUCTION = (
    Field("line", "Line", "select"),
    Field("seats", "Seats billed from then on", mode="numeric", required=True),
    Field("since", "From", "month", required=True),
    Field("note", "Note", hint="Who confirmed it, and when.", longest=1_000, wide=True),
)
BUDGET = (
    Field("amount", "A month", mode="decimal", hint="Empty: no budget from then on."),
    CURRENCY,
    Field("since", "From", "month", required=True),
)
INVOICE = (
    Field("number", "Number", required=True, longest=100),
    Field("starts", "From", "date", required=True),
    Field("ends", "To, included", "date", required=True),
    Field("amount", "Amount without tax", mode="decimal", required=True),
    Field("tax", "Tax", mode="decimal"),
    CURRENCY,
    Field("issued", "Issued", "date"),
    Field("note", "Note", longest=1_000, wide=True),
)
