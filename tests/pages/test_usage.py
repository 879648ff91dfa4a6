"""The Usage page, asked for as a browser asks."""

import csv
import io
import json
import re
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from seatwise.connectors.base import find
from seatwise.connectors.months import last_months
from seatwise.models import Connection, UsagePoint
from tests.pages import rows

ADDRESS = "/services/pagerduty/usage/"


@pytest.fixture
def account(db: None) -> Connection:
    return rows.connection(rows.service())


def page(client: Client, query: str = "") -> str:
    response = client.get(f"{ADDRESS}?{query}")
    assert response.status_code == 200
    return response.content.decode()


def drawn(html: str) -> dict[str, Any]:
    """What the chart's script is given."""
    found = re.search(r'<script id="usage-data" type="application/json">(.*?)</script>', html)
    assert found
    data: dict[str, Any] = json.loads(found.group(1))
    return data


def test_this_month_is_provisional_and_last_month_stands_beside_it(
    as_viewer: Client, account: Connection
) -> None:
    rows.usage(account, rows.this_month(), final=False, incidents=318)
    rows.usage(account, rows.last_month(), incidents=1503)
    html = page(as_viewer)
    assert "318" in html
    assert f"so far this month · {rows.last_month():%B}, whole month: 1,503</p>" in html
    assert html.count(">provisional</span>") == 1


def test_a_closed_month_that_can_still_change_is_provisional_too(
    as_viewer: Client, account: Connection
) -> None:
    rows.usage(account, rows.last_month(), final=False, alerts=7)
    html = page(as_viewer, f"month={rows.last_month():%Y-%m}")
    assert html.count(">provisional</span>") == 1
    assert html.count(">can still change</span>") == 2  # in the table, and where it is opened
    assert (
        f"not known yet this month · {rows.last_month():%B}, whole month: 7, can\u00a0still" in html
    )
    opened = html[html.index('id="breakdown"') : html.index("usage-table")]
    assert "Something in it is still open" in opened
    assert "this month is not over; in an earlier one" in html
    assert [month["mark"] for month in drawn(html)["months"]] == ["can still change", "provisional"]


def test_a_month_says_its_sources_once_and_what_differs_from_it(
    as_viewer: Client, account: Connection
) -> None:
    rows.usage(account, rows.last_month(), final=False, incidents=7, alerts=8)
    rows.usage(account, rows.last_month(), final=True, notifications_sms=9)
    UsagePoint.objects.update(as_of=timezone.now())
    html = page(as_viewer, f"month={rows.last_month():%Y-%m}")
    opened = html[html.index('id="breakdown"') : html.index("usage-table")]
    assert opened.count("as of ") == 1
    assert opened.count("· final") == 1
    assert "Incidents, Alerts, SMS: GET /incidents, as of" in opened


def test_every_hatched_month_is_explained_and_a_final_one_is_not(
    as_viewer: Client, account: Connection
) -> None:
    rows.usage(account, rows.last_month(), final=True, alerts=7)
    assert "Hatched months can still change: this month is not over.</p>" in page(as_viewer)


def test_an_unknown_number_is_a_dash_with_its_reason_and_never_zero(
    as_viewer: Client, account: Connection
) -> None:
    gap = {
        "capability": "billable_alerts",
        "what": "Billable alerts cannot be read.",
        "why": "A permission is missing.",
        "remedy": "Ask an owner.",
    }
    account.sync_gaps = [gap]
    account.save()
    rows.usage(account, rows.this_month(), incidents=318)
    html = page(as_viewer)
    assert '<td class="num">0' not in html
    assert "unknown: Billable alerts cannot be read." in html
    assert "Ask an owner." in html
    lines = [line for line in drawn(html)["series"] if line["kind"] == "line"]
    assert [line["values"] for line in lines] == [[None]]


def test_a_month_in_between_that_was_not_read_keeps_its_row(
    as_viewer: Client, account: Connection
) -> None:
    rows.usage(account, last_months(rows.this_month(), 3)[-1], incidents=1)
    html = page(as_viewer)
    assert html.count('id="month-') == 3
    assert drawn(html)["series"][1]["values"] == [1, None, None]


@pytest.mark.parametrize(
    ("asked", "shown"), [("3", 3), ("6", 6), ("12", 12), ("24", 24), ("x", 12)]
)
def test_the_range_stands_in_the_address(
    as_viewer: Client, account: Connection, asked: str, shown: int
) -> None:
    for back in range(1, 31):
        rows.usage(account, last_months(rows.this_month(), back)[-1], incidents=back)
    assert page(as_viewer, f"months={asked}").count('id="month-') == shown


def test_the_chart_draws_the_headline_with_bars_first_and_the_estimate_as_a_line(
    as_viewer: Client, account: Connection
) -> None:
    rows.usage(account, rows.this_month(), alerts=3, incidents=2, billable_alerts=1)
    series = drawn(page(as_viewer))["series"]
    assert [line["name"] for line in series] == [
        "Alerts",
        "Incidents",
        "Billable alerts (estimate)",
    ]
    assert [line["kind"] for line in series] == ["bar", "bar", "line"]


def test_every_metric_has_its_definition_and_source_one_click_away(
    as_viewer: Client, account: Connection
) -> None:
    connector = find("pagerduty")
    assert connector
    split = {metric.key: 1 for metric in connector.metrics if metric.by_home}
    assert split
    rows.usage(account, rows.this_month(), final=False, incidents=1, **split)
    html = page(as_viewer)
    for metric in connector.metrics:
        assert f'popovertarget="definition-{metric.key}"' in html
        assert f'id="definition-{metric.key}"' in html
        assert escape(metric.definition) in html


def test_a_month_opens_with_every_metric_and_the_month_before(
    as_viewer: Client, account: Connection
) -> None:
    rows.usage(account, rows.last_month(), incidents=41, notifications_sms=7)
    rows.usage(account, last_months(rows.last_month(), 2)[-1], incidents=39)
    html = page(as_viewer, f"month={rows.last_month():%Y-%m}")
    breakdown = html[html.index('id="breakdown"') : html.index("usage-table")]
    assert "41" in breakdown
    assert "<span>SMS</span>" in breakdown
    assert f"{last_months(rows.last_month(), 2)[-1]:%B}: 39" in breakdown


def test_a_month_tells_what_went_out_by_which_channel(
    as_viewer: Client, account: Connection
) -> None:
    sent = dict(zip(("sms", "phone", "email", "push"), (25, 5, 50, 20), strict=True))
    month = rows.last_month()
    rows.usage(
        account, month, True, **{f"notifications_{name}": each for name, each in sent.items()}
    )
    html = page(as_viewer, f"month={month:%Y-%m}")
    channels = html[html.index("Notifications by channel") : html.index("usage-table")]
    assert re.findall(r"(\d+) %", channels) == ["25", "5", "50", "20"]


def test_of_channels_that_are_not_all_known_no_part_is_told(
    as_viewer: Client, account: Connection
) -> None:
    rows.usage(account, rows.last_month(), notifications_sms=25)
    html = page(as_viewer, f"month={rows.last_month():%Y-%m}")
    channels = html[html.index("Notifications by channel") : html.index("usage-table")]
    assert "25" in channels
    assert " %" not in channels
    assert channels.count("This month&#x27;s number was not read.") == 3


@pytest.mark.parametrize("query", ["month=9999-99", "month=%00", "months=-1", "month=2026-13"])
def test_a_bent_address_still_shows_the_page(
    as_viewer: Client, account: Connection, query: str
) -> None:
    rows.usage(account, rows.this_month(), incidents=1)
    assert 'id="breakdown"' not in page(as_viewer, query)


def test_the_file_holds_what_the_page_shows(as_viewer: Client, account: Connection) -> None:
    rows.usage(account, rows.this_month(), final=False, incidents=318)
    rows.usage(account, rows.last_month(), alerts=9)
    response = as_viewer.get(f"{ADDRESS}?format=csv")
    assert isinstance(response, StreamingHttpResponse)
    lines = list(csv.DictReader(io.StringIO(response.getvalue().decode(), newline="")))
    told = [(line["month"], line["metric"], line["value"], line["final"]) for line in lines]
    assert told == [
        (f"{rows.this_month():%Y-%m}", "incidents", "318", "false"),
        (f"{rows.last_month():%Y-%m}", "alerts", "9", "true"),
    ]


def test_a_metric_that_the_connector_dropped_is_still_shown(
    as_viewer: Client, account: Connection
) -> None:
    rows.usage(account, rows.this_month(), pigeons=12)
    assert "pigeons" in page(as_viewer)


def test_before_the_first_month_was_read_there_is_a_next_step(
    as_viewer: Client, account: Connection
) -> None:
    html = page(as_viewer)
    assert "Nothing was read yet" in html
    assert "<table" not in html


def test_the_page_asks_the_same_few_questions_for_two_years(
    as_viewer: Client, account: Connection, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for back in range(1, 25):
        rows.usage(account, last_months(rows.this_month(), back)[-1], incidents=1, alerts=2)
    with django_assert_max_num_queries(10):
        page(as_viewer, "months=24")
