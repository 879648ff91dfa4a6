"""The specification's rules for columns, restated: what FOCUS 1.2 wants of every row.

Its own validator decides, too, where it is at hand; see test_validator.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pyarrow.parquet as parquet
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from seatwise import focus
from seatwise.focus import Category, Charge, Period
from seatwise.focus.charges import Source
from seatwise.pricing import CURRENCIES

# https://focus.finops.org: present in every data set.
MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency",
    "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass",
    "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
}  # fmt: skip
NEVER_NULL = MANDATORY - {"ChargeClass", "PricingQuantity", "PricingUnit"} | {
    "ChargeFrequency", "ServiceSubcategory",
}  # fmt: skip
OF_A_PRICE = ("PricingQuantity", "PricingCategory", "SkuId", "SkuPriceId", "ContractedUnitPrice",
              "ListUnitPrice")  # fmt: skip
CATEGORIES = {"Usage", "Purchase", "Tax", "Credit", "Adjustment"}
FREQUENCIES = {"One-Time", "Recurring", "Usage-Based"}
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
AMOUNTS = st.decimals(0, 100_000, places=2)
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    starts = draw(DAYS)
    month = Period(starts.replace(day=1), (starts.replace(day=1) + timedelta(31)).replace(day=1))
    kind: Category = draw(st.sampled_from(get_args(Category)))
    is_priced = kind == "Usage"
    source: Source = draw(st.sampled_from(["invoice", "contract"]))
    billed = draw(AMOUNTS)
    return Charge(
        service=draw(st.sampled_from(["zoom", "acme"])), name=draw(TEXT), vendor=draw(TEXT),
        category=draw(st.sampled_from(["", "Incident response", "Finance"])),
        account=draw(TEXT), account_name=draw(TEXT), month=month,
        period=Period(starts, month.ends), kind=kind, line="full", what=draw(TEXT),
        billed=-billed if kind == "Credit" else billed,
        currency=draw(st.sampled_from(["USD", "EUR"])), source=source,
        invoice=draw(TEXT) if source == "invoice" else "",
        quantity=Decimal(draw(st.integers(0, 999))) if is_priced else None, unit="Seats",
        consumed=draw(st.none() | AMOUNTS), is_recurring=draw(st.booleans()),
        unit_price=draw(st.none() | AMOUNTS), list_price=draw(st.none() | AMOUNTS),
        provisional=draw(st.booleans()),
    )  # fmt: skip


def broken(row: dict[str, Any]) -> list[str]:
    """The rules that a row of a file breaks; nulls are "" there."""
    return [*_of_words(row), *_of_nulls(row), *_of_prices(row), *_of_time(row)]


def _of_words(row: dict[str, Any]) -> Iterator[str]:
    kind = row["ChargeCategory"]
    if kind not in CATEGORIES:
        yield "an unknown category"
    if row["ChargeClass"] not in ("", "Correction"):
        yield "an unknown class"
    if row["ChargeFrequency"] not in FREQUENCIES:
        yield "an unknown frequency"
    if kind == "Purchase":
        yield "a purchase, whose effective cost would have to be 0"
    if (row["x_Source"] == "invoice") != (row["InvoiceId"] != ""):
        yield "an invoice without a number"
    if row["BillingCurrency"] not in CURRENCIES:
        yield "no currency"


def _of_nulls(row: dict[str, Any]) -> Iterator[str]:
    kind = row["ChargeCategory"]
    yield from (f"{name} is null" for name in NEVER_NULL if row[name] == "")
    for name in OF_A_PRICE:
        if kind in ("Usage", "Purchase") and row[name] == "":
            yield f"{name} is null of a {kind}"
        if kind == "Tax" and row[name] != "":
            yield f"{name} is not null of a tax"
    if (row["PricingUnit"] == "") != (row["PricingQuantity"] == ""):
        yield "a unit without a quantity"
    if (row["ConsumedUnit"] == "") != (row["ConsumedQuantity"] == ""):
        yield "a consumed unit without a quantity"
    if (kind == "Usage") != (row["ConsumedQuantity"] != ""):
        yield "consumed of what is not used"


def _of_prices(row: dict[str, Any]) -> Iterator[str]:
    for price, cost in (("ContractedUnitPrice", "ContractedCost"), ("ListUnitPrice", "ListCost")):
        if row[price] != "":
            if Decimal(row[price]) < 0:
                yield f"{price} below 0"
            if Decimal(row[price]) * Decimal(row["PricingQuantity"]) != Decimal(row[cost]):
                yield f"{price} times quantity is not {cost}"
    if row["ChargeCategory"] in ("Tax", "Credit") and row["ContractedCost"] != row["BilledCost"]:
        yield "an unpriced charge is not what was billed"


def _of_time(row: dict[str, Any]) -> Iterator[str]:
    moments = [row[name] for name in ("BillingPeriodStart", "ChargePeriodStart",
                                      "ChargePeriodEnd", "BillingPeriodEnd")]  # fmt: skip
    if moments != sorted(moments) or not all(m.endswith("T00:00:00Z") for m in moments):
        yield f"periods {moments}"


@given(st.lists(charges(), max_size=5))
def test_every_row_keeps_the_rules(made: list[Charge]) -> None:
    text = "".join(focus.as_csv(map(focus.row_of, made)))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(made)
    assert set(csv.DictReader(io.StringIO(text)).fieldnames or []) >= MANDATORY
    assert [fault for row in rows for fault in broken(row)] == []
    assert [Decimal(row["BilledCost"]) for row in rows] == [each.billed for each in made]


@given(st.lists(charges(), max_size=5))
def test_a_parquet_file_says_the_same_as_the_rows(made: list[Charge]) -> None:
    file = io.BytesIO()
    rows = [focus.row_of(each) for each in made]
    assert focus.as_parquet(rows, file) == len(made)
    file.seek(0)
    table = parquet.read_table(file)
    assert table.column_names == list(focus.COLUMNS)
    assert table.schema.metadata[b"FocusVersion"] == b"1.2"
    for row, read in zip(rows, table.to_pylist(), strict=True):
        assert dict(row) == read


def test_our_own_columns_say_so() -> None:
    own = [name for name in focus.COLUMNS if not name[0].isupper()]
    assert own == [name for name in own if name.startswith("x_")] != []


def test_categories_are_of_the_catalogue_and_of_the_specification() -> None:
    from seatwise import catalogue
    from seatwise.focus.categories import CATEGORIES as PLACED

    assert set(PLACED) == set(catalogue.categories())
    assert focus.category_of("nobody knows") == ("Other", "Other (Other)")


def test_a_formula_in_a_name_stays_text() -> None:
    charge = Charge(
        "zoom", "=1+1", "=1+1", "", "a", "b", Period(date(2026, 1, 1), date(2026, 2, 1)),
        Period(date(2026, 1, 1), date(2026, 2, 1)), "Tax", "tax", "@x", Decimal(-1), "USD",
        "invoice", "-1",
    )  # fmt: skip
    [row] = csv.DictReader(io.StringIO("".join(focus.as_csv([focus.row_of(charge)]))))
    assert (row["ServiceName"], row["InvoiceId"]) == ("'=1+1", "'-1")
    assert row["BilledCost"] == "-1.0"  # a number is one, also below 0


def test_a_moment_is_of_utc() -> None:
    row = focus.row_of(
        Charge(
            "zoom", "Zoom", "Zoom", "", "a", "b", Period(date(2026, 1, 1), date(2026, 2, 1)),
            Period(date(2026, 1, 5), date(2026, 2, 1)), "Tax", "tax", "x", Decimal(1), "USD",
            "invoice", "1",
        )
    )  # fmt: skip
    assert row["ChargePeriodStart"] == datetime(2026, 1, 5, tzinfo=UTC)


def test_a_month_that_is_none_is_refused(as_viewer: Client) -> None:
    for query in ("from=2026-13", "to=x", "from=2026-05&to=2026-04", "format=pdf", "from=1999-01"):
        assert as_viewer.get(f"/spend/focus/?{query}").status_code == 400, query
