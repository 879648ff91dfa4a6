"""An alert from its form to the receiver it is signed for, and its pages for every eye."""

import pytest
from playwright.sync_api import expect

from tests.alerts.receiving import receiver
from tests.journey.conftest import SERVICE, Visitor
from tests.journey.eyes import at, is_for_every_eye
from tests.tasks.jobs import until

pytestmark = pytest.mark.browser


def test_an_alert_goes_from_its_form_to_a_receiver_that_can_trust_it(admin: Visitor) -> None:
    page = at(admin, f"{SERVICE}/alerts/")
    expect(page.get_by_role("heading", name="No alert watches PagerDuty yet")).to_be_visible()
    is_for_every_eye(admin, "alerts-none")

    with receiver() as hook:
        page = at(admin, "/channels/")
        is_for_every_eye(admin, "channels-none")
        page.get_by_label("Kind").select_option("Webhook")
        page.get_by_label("Name").fill("Ops bus")
        page.get_by_label("Address").fill(hook.url)
        admin.press("Add the channel")
        secret = page.locator("#channel-secret").inner_text()
        expect(page.locator("main")).not_to_contain_text("canary-path")
        is_for_every_eye(admin, "channels")

        page = at(admin, f"{SERVICE}/alerts/")
        admin.press("Add an alert")
        is_for_every_eye(admin, "alerts-form")
        page.get_by_label("What is watched").select_option("metric:incidents")
        page.get_by_label("Limit").fill("many")
        admin.press("Add the alert")
        expect(page.get_by_role("alert")).to_contain_text("Write the limit as a number")
        admin.picture("alerts-form-refused")
        page.get_by_label("Limit").fill("1")
        page.get_by_label("Ops bus").check()
        admin.press("Add the alert")
        expect(page.get_by_role("status").first).to_be_visible()
        expect(page.get_by_role("cell", name="Firing")).to_be_visible()
        until("the message arrived", lambda: hook.got)
        until("both were tried", lambda: _outcomes(admin) == ["Given up", "Sent"])
        assert hook.got[0].is_signed_with(secret)
        assert hook.got[0].data["type"] == "alert.firing"

        for name, unit, limit in (("Seats left", "seats_left", "5"), ("Trouble", "trouble", "")):
            page = at(admin, f"{SERVICE}/alerts/add/?unit={unit}")
            page.get_by_label("Limit").fill(limit)
            admin.press("Add the alert")
            expect(page.locator("tbody th", has_text=name).first).to_be_visible()
        is_for_every_eye(admin, "alerts")
        page = at(admin, f"{SERVICE}/members/")
        expect(page.locator(".tabs .dot")).to_be_visible()
        admin.picture("alerts-dot")

        page = at(admin, f"{SERVICE}/alerts/")
        page.get_by_role("switch").first.click()
        expect(page.get_by_role("switch", checked=False)).to_have_count(1)
        expect(page.locator(".tabs .dot")).to_have_count(0)
        page.get_by_role("link", name="Delete").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        admin.picture("alerts-delete")
        admin.press("Delete the alert")
        expect(page.get_by_role("switch")).to_have_count(2)


def _outcomes(visitor: Visitor) -> list[str]:
    visitor.page.reload()
    return sorted(visitor.page.locator(".alerts-sent tbody .chip").all_inner_texts())
