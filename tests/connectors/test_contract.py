"""PagerDuty keeps the contract of connectors."""

import asyncio
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.records import Account
from tests.connectors.accounts import authorize, connector, plan_for
from tests.connectors.contract import AVendor, ConnectorContract
from tests.connectors.readings import Entrance, read
from tests.connectors.resuming import LISTS, ResumingContract
from tests.sandboxes import Running, running

NOW = datetime(2025, 11, 20, 9, 30, tzinfo=UTC)
ACCOUNT: Mapping[str, Any] = {
    "seed": 5,
    "users": 30,
    "months": 2,
    "accounts": 1,
    "rate_limit": 1_000_000,
}
HORIZON = timedelta(days=50)


class PagerDutyVendor(AVendor):
    """A small account of the simulated PagerDuty."""

    def __init__(self, sandbox: Running, now: datetime, incidents: int) -> None:
        self.sandbox, self.now, self.incidents = sandbox, now, incidents
        self._entrances: dict[frozenset[str], Entrance] = {}
        self._account: Account | None = None  # the same, whoever asks

    def enter(self, scopes: frozenset[str]) -> Entrance:
        if scopes not in self._entrances:
            self._entrances[scopes] = asyncio.run(self._enter(scopes))
        return self._entrances[scopes]

    async def _enter(self, scopes: frozenset[str]) -> Entrance:
        pagerduty, settings = connector(), self.sandbox.settings
        email = self.sandbox.someone("owner")
        # A grant is never of nothing: at the least one may know who somebody is.
        grant = await authorize(self.sandbox, email, scopes=sorted(scopes | {"openid"}))
        assert grant.scopes == scopes | {"openid"}
        if self._account is None:
            self._account = await pagerduty.identify(settings, grant)
        secrets = {grant.access_token, grant.refresh_token, grant.id_token} - {None}
        return Entrance(
            pagerduty,
            settings,
            replace(self._account, scopes=grant.scopes),
            grant.access_token,
            frozenset(map(str, secrets)),
        )

    def plan(self, state: Mapping[str, object] | None = None) -> ReadPlan:
        return replace(plan_for(self.now, 2, self.now - HORIZON), state=state or {}, home_code="49")

    @contextmanager
    def later(self) -> Iterator[AVendor]:
        tomorrow = self.now + timedelta(days=1)
        with running(**ACCOUNT, incidents=self.incidents, now=tomorrow) as sandbox:
            yield PagerDutyVendor(sandbox, tomorrow, self.incidents)

    def members(self) -> set[str]:
        return {member["id"] for member in self.sandbox.truth()["members"]}

    def asked(self) -> list[str]:
        made = [each["method"] for each in self.sandbox.requests("/us/*")]
        self.sandbox.forget_requests()
        return made

    def secrets(self) -> frozenset[str]:
        told = {self.sandbox.settings["CLIENT_SECRET"], self.sandbox.api_key()}
        for notification in self.rows("/us/notifications", "notifications"):
            if notification["type"] in ("sms_notification", "phone_notification"):
                told.add(notification["address"])
        assert len(told) > 2
        return frozenset(told)

    def pointing(self, url: str) -> Generator[None, None, None]:
        for fault in (
            {"path": "*", "status": 307, "headers": {"Location": url}},
            {"path": "/users", "status": 302, "headers": {"Location": url}},
            {"path": "/incidents", "status": 301, "headers": {"Location": url}},
            {"path": "/licenses", "kind": "json", "body": {"next": url, "html_url": url}},
        ):
            self.sandbox.fault(**fault, region="us", times=None)
            try:
                yield
            finally:
                self.sandbox.clear_faults()

    def rows(self, path: str, key: str) -> Sequence[dict[str, Any]]:
        since, until = self.now - timedelta(days=60), self.now
        answer = self.sandbox.http.get(
            path,
            params={"limit": "100", "since": since.isoformat(), "until": until.isoformat()},
            headers={"Authorization": f"Token token={self.sandbox.api_key()}"},
        )
        found: Sequence[dict[str, Any]] = answer.raise_for_status().json()[key]
        return found


@contextmanager
def account(incidents: int, **other: Any) -> Iterator[PagerDutyVendor]:
    with running(**{**ACCOUNT, **other}, incidents=incidents, now=NOW) as sandbox:
        yield PagerDutyVendor(sandbox, NOW, incidents)


class TestPagerDuty(ConnectorContract):
    @pytest.fixture(scope="class")
    @classmethod
    def vendor(cls) -> Iterator[AVendor]:
        with account(incidents=160) as made:
            yield made

    def test_months_and_activity_leave_a_state(self, vendor: AVendor) -> None:
        scopes = frozenset(scope.name for scope in connector().scopes)
        got = read(vendor.enter(scopes), vendor.plan())
        stages = {batch.stage for batch in got.batches if batch.state is not None}
        assert stages == {"usage", "activity"}

    def test_a_list_in_which_somebody_is_lacking_is_not_taken_up_as_if_it_were_whole(
        self, vendor: PagerDutyVendor
    ) -> None:
        users = vendor.rows("/us/users", "users")
        body = {"users": users, "limit": 100, "offset": 0, "more": False, "total": len(users) + 1}
        scopes = frozenset(scope.name for scope in connector().scopes)
        vendor.sandbox.fault(path="/users", times=None, kind="json", body=body)
        try:
            whole = read(vendor.enter(scopes), vendor.plan())
            lists = [batch for batch in whole.batches if batch.stage in LISTS]
            assert {batch.stage for batch in lists if batch.complete} == {"licences"}
            rest = read(vendor.enter(scopes), vendor.plan(), before=lists)
            listed = read(vendor.enter(scopes), vendor.plan(), LISTS)
        finally:
            vendor.sandbox.clear_faults()
        assert rest.requests == whole.requests - listed.requests
        assert rest.state() == whole.state()


class TestLongerLists(ResumingContract):
    """Of several pages each, so that they can be broken off in the middle."""

    @pytest.fixture(scope="class")
    @classmethod
    def vendor(cls) -> Iterator[AVendor]:
        with account(incidents=20, users=330) as made:
            yield made
