"""Every endpoint tells the same story, for any seed, plan and time."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from seatwise.sandbox.options import PLANS, Options
from seatwise.sandbox.pagerduty.company.world import Company, World
from seatwise.sandbox.pagerduty.rest.answers import Answer, Call, Caller
from seatwise.sandbox.pagerduty.rest.endpoints import ENDPOINTS
from seatwise.sandbox.pagerduty.strings.controls import Controls
from seatwise.sandbox.pagerduty.strings.truth import truth
from tests.sandbox.conftest import NOW

Row = dict[str, Any]
ANSWERS: dict[tuple[str, str], Answer] = {
    (method, path): answer for method, path, answer, _ in ENDPOINTS
}
FAMILIES = ("log_entry", "contact_method", "notification_rule", "integration")  # of many words
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  # an example is two whole companies
CHANNELS = ("sms", "phone", "email", "push")
PARTS = ["schedule_layers", "overrides_subschedule", "final_schedule"]
OPTIONS = st.builds(
    lambda plan, users, **others: Options(
        plan=plan, users=min(users, 5) if plan == "free" else users, **others
    ),
    plan=st.sampled_from(PLANS),
    users=st.integers(1, 60),
    seed=st.integers(0, 10_000),
    months=st.integers(1, 3),
    incidents=st.integers(0, 250),
    now=st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
LARGE = Options(seed=3, users=60, months=3, incidents=250, now=NOW)


class Desk:
    """Answers questions about one account as its own key may ask them."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.midnight = company.now() // 86_400 * 86_400

    def ask(self, path: str, of: str = "", posted: Row | None = None, /, **params: Any) -> Row:
        """One answer; `of` is the id in the path."""
        answer = ANSWERS["GET" if posted is None else "POST", path]
        caller = Caller(self.company, "key", None, None)
        asked = QueryParams(urlencode(params, doseq=True))
        now = self.company.now()
        told = answer(Call(self.company, caller, asked, {"id": of}, Controls(), now, posted or {}))
        shown: Row = orjson.loads(told) if isinstance(told, bytes) else told or {}
        return shown

    def all(self, path: str, of: str = "", /, **params: Any) -> list[Row]:
        """Every row of a classic list."""
        rows: list[Row] = []
        while True:
            body = self.ask(path, of, **params, limit=100, offset=len(rows))
            rows += body[path.rpartition("/")[2]]
            if not body["more"]:
                return rows

    def batches(self, path: str, **posted: Any) -> list[Row]:
        """Every row of an analytics question."""
        rows: list[Row] = []
        while True:
            body = self.ask(path, "", posted)
            rows += body["data"]
            if not body["more"]:
                return rows
            posted["starting_after"] = body["last"]

    def records(self) -> list[Row]:
        """Every audit record there is."""
        rows: list[Row] = []
        for since, until in self.stretches(timedelta(days=31)):
            more: Row = {}
            while True:
                body = self.ask("/audit/records", since=since, until=until, **more, limit=100)
                rows += body["records"]
                if body["next_cursor"] is None:
                    break
                more["cursor"] = body["next_cursor"]
        return rows

    def stretches(self, length: timedelta) -> Iterator[tuple[str, str]]:
        """All of history up to the last midnight, in pieces."""
        at = datetime.fromtimestamp(self.company.start, UTC)
        last = datetime.fromtimestamp(self.midnight, UTC)
        while at < last:
            end = min(at + length, last)
            yield at.isoformat(), end.isoformat()
            at = end

    def months(self) -> Iterator[tuple[str, str]]:
        """The months (UTC) of history, the present one up to the last midnight."""
        at = datetime.fromtimestamp(self.company.start, UTC)
        last = datetime.fromtimestamp(self.midnight, UTC)
        while at < last:
            end = min((at + timedelta(days=31)).replace(day=1), last)
            yield at.isoformat(), end.isoformat()
            at = end


def desks(options: Options) -> list[Desk]:
    """All accounts of a world."""
    return [Desk(company) for company in World(options).companies.values()]


@settings(max_examples=6, deadline=None, phases=QUICK)
@given(OPTIONS)
@example(LARGE)
def test_the_totals_of_analytics_are_those_of_the_lists(options: Options) -> None:
    for desk in desks(options):
        for since, until in desk.months():
            listed = desk.ask("/incidents", since=since, until=until, total="true", limit=1)
            filters = {"created_at_start": since, "created_at_end": until}
            raw = desk.batches("/analytics/raw/incidents", filters=filters, limit=100)
            assert len({row["id"] for row in raw}) == len(raw) == listed["total"]
            for unit in (None, "day"):
                asked = {"filters": filters, "aggregate_unit": unit}
                for path in ("all", "services", "teams"):
                    data = desk.ask(f"/analytics/metrics/incidents/{path}", "", asked)["data"]
                    assert sum(row["total_incident_count"] for row in data) == len(raw)


@settings(max_examples=6, deadline=None, phases=QUICK)
@given(OPTIONS)
@example(LARGE)
def test_the_notifications_are_the_interruptions_of_analytics(options: Options) -> None:
    for desk in desks(options):
        sent: Counter[str] = Counter()
        interruptions = 0
        latest: dict[tuple[str, str], datetime] = {}
        for since, until in desk.months():
            window = {"since": since, "until": until}
            whole = desk.ask("/notifications", **window, total="true", limit=1)["total"]
            for channel in CHANNELS:
                asked = {"filter": f"{channel}_notification", "total": "true", "limit": 1}
                count = desk.ask("/notifications", **window, **asked)["total"]
                sent[channel] += count
                whole -= count
            assert whole == 0
            for entry in desk.all("/log_entries", **window)[::-1]:
                note = entry["channel"].get("notification", {"type": "email"})
                if note["type"] != "email":  # who is told again within a minute is not disturbed
                    whose = entry["incident"]["id"], entry["user"]["id"]
                    at = datetime.fromisoformat(entry["created_at"])
                    before = latest.get(whose)
                    interruptions += before is None or at - before > timedelta(minutes=1)
                    latest[whose] = at
        start = datetime.fromtimestamp(desk.company.start, UTC).isoformat()
        filters = {"created_at_start": start}
        raw = desk.batches("/analytics/raw/incidents", filters=filters)
        sums = desk.ask("/analytics/metrics/incidents/all", "", {"filters": filters})["data"]
        for told in (raw, sums):
            assert sum(row["total_notifications"] for row in told) == sum(sent.values())
            assert sum(row["total_interruptions"] for row in told) == interruptions
            parts = [f"{part}_hour_interruptions" for part in ("business", "off", "sleep")]
            prefix = "total_" if told is sums else ""
            assert interruptions == sum(row[prefix + part] for row in told for part in parts)


@settings(max_examples=5, deadline=None, phases=QUICK)
@given(OPTIONS)
@example(LARGE)
def test_whatever_is_mentioned_exists_or_was_deleted(options: Options) -> None:
    for desk in desks(options):
        lists = {
            "user": desk.all("/users"),
            "team": desk.all("/teams"),
            "service": desk.all("/services"),
            "schedule": desk.all("/schedules"),
            "escalation_policy": desk.all("/escalation_policies"),
            "incident": desk.all("/incidents", date_range="all"),
            "log_entry": desk.all("/log_entries"),
            "license": desk.ask("/licenses")["licenses"],
        }
        known = {kind: {row["id"] for row in rows} for kind, rows in lists.items()}
        assert all(len(known[kind]) == len(rows) for kind, rows in lists.items())
        known["integration"] = {i["id"] for row in lists["service"] for i in row["integrations"]}
        known["license"] |= {None}
        for kind in ("contact_method", "notification_rule"):
            path, asked = f"/users/{{id}}/{kind}s", {"urgency": "all"}
            own = [desk.ask(path, name, **asked) for name in sorted(known["user"])]
            lists[kind] = [row for body in own for row in body[f"{kind}s"]]
            known[kind] = {row["id"] for row in lists[kind]}
        known["user"] |= set(truth(desk.company)["deleted_users"])
        mentioned = set(mentions([lists, others(desk, lists)]))
        kinds = {kind for kind, _ in mentioned}
        assert {"user", "team", "escalation_policy", "license", "contact_method"} <= kinds
        lost = {(kind, name) for kind, name in mentioned if name not in known[kind]}
        assert not lost
        for row in desk.batches("/analytics/raw/incidents"):
            people = {row["resolved_by_user_id"], *row["assigned_user_ids"]} - {None}
            assert people | set(row["acknowledged_user_ids"]) <= known["user"]
            for kind in ("team", "service", "escalation_policy"):
                assert row[f"{kind}_id"] in known[kind]
        for row in desk.batches("/analytics/raw/users"):
            assert row["id"] in known["user"]
            assert row["team_id"] is None or row["team_id"] in known["team"]


def others(desk: Desk, lists: dict[str, list[Row]]) -> Iterator[Any]:
    """What the other endpoints answer."""
    now = desk.company.clock()
    window = {
        "since": (now - timedelta(days=40)).isoformat(),
        "until": (now + timedelta(days=40)).isoformat(),
    }
    yield desk.all("/license_allocations")
    yield desk.all("/oncalls", **window)
    yield desk.all("/schedules", **window, **{"include[]": PARTS})
    yield desk.records()
    for since, until in desk.months():
        yield desk.all("/notifications", since=since, until=until)
    for row in lists["schedule"][:3]:
        for path in ("users", "overrides"):
            yield desk.ask(f"/schedules/{{id}}/{path}", row["id"], **window)
    for row in lists["team"]:
        yield desk.all("/teams/{id}/members", row["id"])
    for row in lists["incident"][::20]:
        yield desk.all("/incidents/{id}/alerts", row["id"])
        yield desk.all("/incidents/{id}/log_entries", row["id"])


def mentions(told: Any) -> Iterator[tuple[str, str]]:
    """The kind and id of everything that is referred to anywhere in some answers.

    Whole things do not count, except for licences, which are always shown whole.
    """
    if isinstance(told, dict):
        full = str(told.get("type", ""))
        word = full.removesuffix("_reference")
        kind = next((kind for kind in FAMILIES if word.endswith(kind)), word)
        if "id" in told and (word != full or word == "license") and word != "api_key":
            yield kind, told["id"]
        for each in told.values():
            yield from mentions(each)
    elif not isinstance(told, str | bytes | int | float | None):
        for each in told:
            yield from mentions(each)
