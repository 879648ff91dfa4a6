"""A service's charges as a file: what an invoice says, to the cent."""

import csv
import io
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from django.test import Client

from seatwise.models import AuditEvent, Service
from seatwise.pricing import Alerts
from tests.focus.test_rules import broken
from tests.pages import rows
from tests.spending.costs import (
    FULL,
    STAKEHOLDERS,
    account,
    contract,
    first_of,
    invoice,
    month_end,
    people,
    refreshed,
)

BEFORE, LAST, NOW = first_of(2), first_of(1), first_of(0)
ROOT = Path(__file__).parents[2]
VALIDATOR = ROOT / ".venv" / ".focus" / "bin" / "focus-validator"
# The two are each other's opposite, and each is asked of every row; with what is made of them.
CONTRADICTORY = {f"InvoiceId-C-{n}" for n in ("004-C", "005-C", "003-C", "000-O")}
# What it asks of who measures usage or publishes prices contradicts itself for taxes.
APPLICABLE = "ACCOUNT_NAMING_SUPPORTED,MULTIPLE_PRICING_CATEGORIES_SUPPORTED,UNIT_PRICING_SUPPORTED"


@pytest.fixture
def of(db: None) -> Service:
    service = Service.objects.create(
        key="pagerduty", name="PagerDuty", vendor="PagerDuty", category="Incident response"
    )
    there = account(service, BEFORE)
    people(there, 10, BEFORE)
    people(there, 7, BEFORE, role="read_only_user")
    rows.usage(there, BEFORE, billable_alerts=90)
    rows.usage(there, LAST, billable_alerts=130, incidents=12, alerts=400)
    contract(service, BEFORE, replace(FULL, price=Decimal("41.37")), STAKEHOLDERS,
             alerts=Alerts(100, Decimal("0.35")), plan="business")  # fmt: skip
    invoice(service, "INV-1", BEFORE, month_end(LAST), "1111.11", tax=Decimal("211.13"))
    invoice(service, "INV-2", LAST, LAST, "-20.00")
    return refreshed(service)


def told(client: Client, path: str = "/services/pagerduty/spend/focus/") -> list[dict[str, str]]:
    response = client.get(path)
    assert response.status_code == 200
    text = b"".join(response).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def billed(found: Sequence[dict[str, str]], number: str) -> Decimal:
    amounts = (Decimal(row["BilledCost"]) for row in found if row["InvoiceId"] == number)
    return sum(amounts, Decimal(0))


def test_what_was_billed_is_the_invoice_to_the_cent(as_viewer: Client, of: Service) -> None:
    found = told(as_viewer)
    assert billed(found, "INV-1") == Decimal("1111.11") + Decimal("211.13")
    assert billed(found, "INV-2") == Decimal("-20.00")
    kinds = {row["ChargeCategory"] for row in found if row["InvoiceId"] == "INV-1"}
    assert kinds == {"Usage", "Tax"}


def test_a_month_without_an_invoice_is_told_by_contract_and_provisional(
    as_viewer: Client, of: Service
) -> None:
    now = [row for row in told(as_viewer) if row["BillingPeriodStart"] == f"{NOW}T00:00:00Z"]
    assert [(row["SkuId"], row["BilledCost"]) for row in now] == [
        ("pagerduty-full", "413.70"),
        ("pagerduty-stakeholder", "150.00"),
    ]
    assert {(row["x_Source"], row["x_Provisional"]) for row in now} == {("contract", "true")}


def test_seats_and_usage_have_their_quantities(as_viewer: Client, of: Service) -> None:
    found = {
        row["SkuId"]: row
        for row in told(as_viewer)
        if row["BillingPeriodStart"] == f"{BEFORE}T00:00:00Z"
        or (row["BillingPeriodStart"] == f"{LAST}T00:00:00Z" and row["x_Source"] == "usage")
    }  # fmt: skip
    full = found["pagerduty-full"]
    assert (full["PricingQuantity"], full["ContractedUnitPrice"]) == ("10.0", "41.37")
    assert full["ListUnitPrice"] == "49.00"  # the plan's, on a monthly contract
    assert found["pagerduty-incidents"]["ConsumedQuantity"] == "12.0"
    assert found["pagerduty-incidents"]["BilledCost"] == "0.0"


def test_every_row_of_a_service_keeps_the_rules(as_viewer: Client, of: Service) -> None:
    found = told(as_viewer)
    assert found
    assert [fault for row in found for fault in broken(row)] == []


def test_all_services_are_in_one_file_and_who_took_it_is_on_the_trail(
    as_viewer: Client, of: Service
) -> None:
    rows.service("zoom", "Zoom")
    assert told(as_viewer, "/spend/focus/") == told(as_viewer)
    one, all_of_them = AuditEvent.objects.order_by("-pk")[:2]
    assert (one.service, all_of_them.service) == ("pagerduty", "")
    assert one.about == "charges (FOCUS)"


def test_a_parquet_file_has_the_same_rows(as_viewer: Client, of: Service) -> None:
    response = as_viewer.get("/services/pagerduty/spend/focus/?format=parquet")
    table = parquet.read_table(io.BytesIO(b"".join(response)))
    costs = [row["BilledCost"] for row in table.to_pylist()]
    assert costs == [Decimal(row["BilledCost"]) for row in told(as_viewer)]


def test_without_contract_and_invoice_nothing_is_told(as_viewer: Client, db: None) -> None:
    there = rows.connection(rows.service())
    rows.usage(there, LAST, incidents=12)
    assert told(as_viewer) == []


@pytest.mark.skipif(not VALIDATOR.exists(), reason="no Python of 3.12 or newer: rules restated")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_specifications_own_validator_finds_nothing_else(
    as_viewer: Client, of: Service, tmp_path: Path, kind: str
) -> None:
    response = as_viewer.get(f"/services/pagerduty/spend/focus/?format={kind}")
    file = tmp_path / f"charges.{kind}"
    file.write_bytes(b"".join(response))
    said = subprocess.run(
        [str(VALIDATOR), "--data-file", str(file), "--validate-version", "1.2.0.1",
         "--block-download", "--applicability-criteria", APPLICABLE],
        capture_output=True, text=True, check=False, cwd=site_packages(),
    )  # fmt: skip
    assert "Validation Results" in said.stdout, said.stderr[-2000:]
    failures = set(re.findall(r"^❌ (\S+): FAIL", said.stdout, re.MULTILINE))
    assert failures - CONTRADICTORY == set(), said.stdout[-4000:]


def site_packages() -> Path:
    """The validator reads its list of currencies from where its package lies."""
    [found] = VALIDATOR.resolve().parents[1].glob("lib/python3.*/site-packages")
    return found
