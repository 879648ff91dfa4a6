"""The Savings tab: figures equal to the pure core's, filters, sums, files."""

import csv
import io
import re
from datetime import date
from decimal import Decimal

import pytest
from django.http import FileResponse, StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from seatwise import pricing, spending
from seatwise.models import Finding, Saving, Service
from tests.insights.wasteful import FULL, PRICE, Wasteful, contract, leave, wasteful
from tests.pages import rows

SAVINGS = "/services/pagerduty/savings/"


@pytest.fixture
def wastes(db: None) -> Wasteful:
    found = wasteful()
    contract(found.service)
    found.looked()
    return found


def html(client: Client, path: str = SAVINGS) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def figure(shown: str, name: str) -> str:
    found = re.search(rf'id="{name}">([^<]+)<', shown)
    assert found is not None, name
    return found[1].strip()


def today() -> date:
    return timezone.now().date()


def banked(wastes: Wasteful, *claims: pricing.Claim) -> pricing.Banked:
    """By the pure core alone."""
    service = Service.objects.for_table().get(pk=wastes.service.pk)
    terms = spending.terms_on(service, today())
    assert terms is not None
    position = spending.position(service, terms, today())
    assert position is not None
    return pricing.bank(terms, position, claims, today())


def names(shown: str) -> list[str]:
    return re.findall(
        r'<a class="strong" href="/services/pagerduty/savings/\d+/"><bdi>([^<]+)', shown
    )


def test_the_figures_are_the_pure_cores(as_viewer: Client, wastes: Wasteful) -> None:
    keys = [f"member:{each.pk}" for each in (wastes.invited, *wastes.idle)]
    expected = banked(wastes, pricing.Claim("all", "full", tuple(keys)))
    shown = html(as_viewer)
    assert figure(shown, "waste") == pricing.words(expected.waste, "USD")
    assert figure(shown, "realisable") == pricing.words(expected.realisable, "USD")
    assert expected.waste == 3 * PRICE
    assert expected.since is not None
    assert f"From {expected.since:%-d %B %Y} on" in shown
    assert expected.why in shown.replace("&#x27;", "'")


def test_whoever_is_unknown_is_in_no_figure(as_viewer: Client, wastes: Wasteful) -> None:
    before = figure(html(as_viewer), "waste")
    assert "Una Unknown" not in html(as_viewer)
    wastes.unknown.delete()
    wastes.looked()
    assert figure(html(as_viewer), "waste") == before


def test_without_a_contract_no_number_is_invented_and_the_way_is_told(
    as_admin: Client, db: None
) -> None:
    wasteful().looked()
    shown = html(as_admin)
    assert "No contract is written down" in shown
    assert 'id="waste"' not in shown
    assert "Ida Idle was not seen for" in shown


def test_nothing_found_says_what_was_looked_at(as_viewer: Client, db: None) -> None:
    service = rows.service()
    rows.member(rows.connection(service), "Busy", seen=1)
    Wasteful(service, service.connections.get(), [], *[None, None]).looked()  # type: ignore[arg-type]
    assert "Nothing was found" in html(as_viewer)
    assert "The rules looked at PagerDuty" in html(as_viewer)


def test_before_the_first_reading_the_next_step_is_told(as_viewer: Client, db: None) -> None:
    rows.service()
    assert "is not connected" in html(as_viewer)


def test_filters_live_in_the_address(as_viewer: Client, wastes: Wasteful) -> None:
    only = names(html(as_viewer, f"{SAVINGS}?rule=pending_invitation"))
    assert len(only) == 1
    assert "Inga Invited" in only[0]
    sure = names(html(as_viewer, f"{SAVINGS}?confidence=certain&rule=idle_full_seat"))
    assert [name for name in sure if "Ivo" in name] == []
    Finding.objects.of_rule("pending_invitation").update(state="exempted")
    assert not [name for name in names(html(as_viewer)) if "Inga" in name]
    assert [name for name in names(html(as_viewer, f"{SAVINGS}?state=exempted")) if "Inga" in name]
    nonsense = f"{SAVINGS}?rule=no&state=x&who=99999999999999999999&confidence=%00&place=zzz"
    assert len(names(html(as_viewer, nonsense))) == len(names(html(as_viewer)))
    assert "No finding matches" in html(as_viewer, f"{SAVINGS}?state=snoozed")


def test_pages_go_through_all_of_many_findings(as_viewer: Client, wastes: Wasteful) -> None:
    one = Finding.objects.of_rule("idle_full_seat").first()
    assert one is not None
    for number in range(120):
        one.pk, one.subject, one.text = None, f"member:x{number}", f"Number {number}"
        one.save()
    seen: list[str] = []
    path = SAVINGS
    while True:
        shown = html(as_viewer, path)
        seen += names(shown)
        onwards = re.search(r'rel="next" href="([^"]+)"', shown)
        if not onwards:
            break
        path = SAVINGS + onwards[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == Finding.objects.standing().count()


def test_the_sum_of_what_is_ticked_is_the_pure_cores(as_viewer: Client, wastes: Wasteful) -> None:
    ida = wastes.idle[0]
    ticked = Finding.objects.of(wastes.service).of_member(ida)
    assert ticked.count() == 2
    query = "&".join(f"pick={each.pk}" for each in ticked)
    expected = banked(wastes, pricing.Claim("x", "full", (f"member:{ida.pk}",)))
    shown = as_viewer.get(f"{SAVINGS}sum/?{query}", headers={"HX-Request": "true"})
    text = shown.content.decode()
    assert "<html" not in text
    assert figure(text, "sum-waste") == pricing.words(expected.waste, "USD") == "US$41"
    assert figure(text, "sum-realisable") == pricing.words(expected.realisable, "USD")
    assert "<html" in html(as_viewer, f"{SAVINGS}sum/?{query}")  # without JavaScript
    every = html(as_viewer, f"{SAVINGS}sum/?all=yes&rule=idle_full_seat")
    assert figure(every, "sum-waste") == "US$82"
    assert "Tick findings" in html(as_viewer, f"{SAVINGS}sum/")


def test_the_file_holds_what_is_filtered(as_viewer: Client, wastes: Wasteful) -> None:
    answer = as_viewer.get(f"{SAVINGS}?rule=idle_full_seat&format=csv")
    assert isinstance(answer, StreamingHttpResponse)
    lines = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert {line["name"] for line in lines} == {"Ida Idle", "Ivo Idle"}
    assert sum(Decimal(line["waste"]) for line in lines) == 2 * PRICE
    sheet = as_viewer.get(f"{SAVINGS}?format=xlsx")
    assert isinstance(sheet, FileResponse)
    assert sheet.getvalue()[:2] == b"PK"


def test_what_is_booked_counts_from_its_day_on(as_viewer: Client, wastes: Wasteful) -> None:
    given = {"line": "full", "seats": 1, "currency": "USD", "booked_at": timezone.now()}
    service = wastes.service
    Saving.objects.create(service=service, monthly=PRICE, since=today(), said="x", **given)
    ahead = date(today().year + 1, 1, 1)
    Saving.objects.create(service=service, monthly=2 * PRICE, since=ahead, said="x", **given)
    shown = html(as_viewer)
    assert figure(shown, "booked") == "US$41"
    assert f"US$82 more from 1 January {ahead.year} on" in shown


def test_seats_that_are_gone_and_still_billed_stay_in_the_waste(
    as_viewer: Client, wastes: Wasteful
) -> None:
    before = figure(html(as_viewer), "waste")
    leave(wastes.idle)
    wastes.looked()
    shown = html(as_viewer)
    assert figure(shown, "waste") == before
    assert "2 of 10 paid seats of Full seats are held by nobody" in shown
    assert FULL.ratchet


def test_every_rule_says_whom_it_spared_and_why(as_viewer: Client, wastes: Wasteful) -> None:
    shown = html(as_viewer)
    assert "Who was looked at and not flagged" in shown
    assert "nobody can tell when they were last seen" in shown
    told = html(as_viewer, f"{SAVINGS}why-not/?q=una")
    assert "Una Unknown" in told
    assert "Nobody can tell when they were last seen" in told
    assert "Which one?" in html(as_viewer, f"{SAVINGS}why-not/?q=idle")
    assert "Nobody of that name" in html(as_viewer, f"{SAVINGS}why-not/?q=zzz")
    found = html(as_viewer, f"{SAVINGS}why-not/?member={wastes.idle[0].pk}")
    assert "Found" in found


def test_a_members_page_shows_what_stands(as_viewer: Client, wastes: Wasteful) -> None:
    shown = html(as_viewer, f"/services/pagerduty/members/{wastes.idle[0].pk}/")
    assert "was not seen for 100 days" in shown
    quiet = html(as_viewer, f"/services/pagerduty/members/{wastes.unknown.pk}/")
    assert "/savings/" in quiet
    assert "What the rules found" not in quiet


def test_the_overview_says_what_can_be_saved(as_viewer: Client, wastes: Wasteful) -> None:
    shown = html(as_viewer, "/services/pagerduty/")
    assert "US$123 a month can be saved." in shown
    assert 'href="/services/pagerduty/savings/"' in shown
