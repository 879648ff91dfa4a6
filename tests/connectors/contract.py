"""What every connector promises, as a suite of tests: inherit `ConnectorContract` and it runs.

Whoever writes a connector gives a fixture `vendor`: a running account of their vendor, small,
with its clock stopped. Everything else is asked of the connector through its contract alone.
"""

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import partial
from itertools import chain, combinations
from random import Random

import pytest

from seatwise.connectors.base import ReadPlan, readable, scopes_to_ask
from seatwise.connectors.errors import VendorError
from seatwise.connectors.http import hosts_of
from seatwise.connectors.records import (
    AbsenceRecord,
    Batch,
    LicenseRecord,
    MemberRecord,
    Record,
    SeatRecord,
    SignalRecord,
)
from seatwise.connectors.state import VERSION, StateRefused
from tests.connectors.entering import EnteringContract
from tests.connectors.faultserver import fault_server
from tests.connectors.readings import (
    Entrance,
    Kept,
    Reading,
    damaged,
    differences,
    kept,
    lately,
    read,
)
from tests.connectors.resuming import ResumingContract

MOST_SUBSETS = 64


class AVendor(ABC):
    """An account of a vendor that runs on this machine, with its clock stopped."""

    @abstractmethod
    def enter(self, scopes: frozenset[str]) -> Entrance:
        """A grant of exactly these scopes, given by whoever may give most."""

    @abstractmethod
    def plan(self, state: Mapping[str, object] | None = None) -> ReadPlan:
        """All the account's months and as much activity, up to where its clock stands."""

    @abstractmethod
    def later(self) -> AbstractContextManager["AVendor"]:
        """The same account when a day has passed there."""

    @abstractmethod
    def members(self) -> set[str]:
        """The ids of everybody who is really there."""

    @abstractmethod
    def asked(self) -> list[str]:
        """The method of each request since the last call, those of granting left out."""

    @abstractmethod
    def secrets(self) -> frozenset[str]:
        """What the vendor shows and nobody may keep: keys, client secrets, phone numbers."""

    @abstractmethod
    def pointing(self, url: str) -> Generator[None, None, None]:
        """Lets the vendor's answers point to that address, in one way after the other."""


@dataclass(frozen=True)
class Tried:
    """What a grant of some scopes brought."""

    entrance: Entrance
    promised: frozenset[str]
    reading: Reading
    methods: list[str]
    told: str  # everything that was said: records, gaps, log, error


class ConnectorContract(EnteringContract, ResumingContract):
    """The tests. A subclass has a fixture `vendor`, of class scope, that gives an `AVendor`."""

    @pytest.fixture(scope="class")
    @classmethod
    def tried(cls, vendor: AVendor) -> dict[frozenset[str], Tried]:
        """One reading with each subset of the scopes that the manifest names."""
        return {scopes: cls._try(vendor, scopes) for scopes in _subsets(vendor)}

    def test_two_readings_of_an_account_that_stands_still_are_equal(self, vendor: AVendor) -> None:
        for scopes in (_all_scopes(vendor), _usual_scopes(vendor)):
            first, second = (read(vendor.enter(scopes), vendor.plan()) for _ in range(2))
            assert first.error is second.error is None
            assert differences(kept(second.batches), kept(first.batches)) == []
            assert first.gaps() == second.gaps()
            assert first.state() == second.state()

    def test_everybody_is_read_once(self, vendor: AVendor) -> None:
        got = read(vendor.enter(_usual_scopes(vendor)), vendor.plan())
        found = [member.external_id for member in got.of(MemberRecord)]
        assert sorted(found) == sorted(vendor.members())

    def test_a_reading_goes_on_from_every_state_that_another_left(self, vendor: AVendor) -> None:
        entrance = vendor.enter(_usual_scopes(vendor))
        whole = read(entrance, vendor.plan())
        wanted = kept(whole.batches)
        assert whole.error is None
        for end, batch in enumerate(whole.batches, start=1):
            if batch.state is None:
                continue
            state = json.loads(json.dumps(batch.state))
            rest = read(entrance, vendor.plan(state))
            assert rest.error is None, (rest.error, _place(end, batch))
            got = kept([*whole.batches[:end], *rest.batches])
            assert not (wrong := differences(got, wanted)), [*wrong, _place(end, batch)]
            assert rest.gaps() == whole.gaps(), (rest.gaps(), whole.gaps(), _place(end, batch))

    def test_with_every_scope_too_a_reading_goes_on_from_every_state(self, vendor: AVendor) -> None:
        """Where several sources tell who was there, how late they say it was may differ a little:
        what may not is who came in lately, who did not, and of whom nothing is known."""
        entrance = vendor.enter(_all_scopes(vendor))
        plan = vendor.plan()
        whole = read(entrance, plan)
        assert whole.error is None
        wanted = kept(whole.batches)
        for end, batch in enumerate(whole.batches, start=1):
            if batch.state is None:
                continue
            rest = read(entrance, vendor.plan(json.loads(json.dumps(batch.state))))
            assert rest.error is None, (rest.error, _place(end, batch))
            got = kept([*whole.batches[:end], *rest.batches])
            wrong = differences(got, wanted, seen=partial(lately, plan=plan))
            assert not wrong, [*wrong, _place(end, batch)]

    def test_a_state_outlives_the_day_and_saves_requests(self, vendor: AVendor) -> None:
        scopes = _usual_scopes(vendor)
        first = read(vendor.enter(scopes), vendor.plan())
        state = json.loads(json.dumps(first.state()))
        with vendor.later() as tomorrow:
            entrance = tomorrow.enter(scopes)
            whole = read(entrance, tomorrow.plan())
            rest = read(entrance, tomorrow.plan(state))
        assert whole.error is rest.error is None
        wanted, got = kept(whole.batches), kept([*first.batches, *rest.batches])
        since = tomorrow.plan().activity_since
        got.usage = {at: row for at, row in got.usage.items() if at in wanted.usage}
        wrong = differences(got, wanted, seen=partial(Kept.seen_since, since=since))
        assert not wrong, wrong
        assert not state or rest.requests < whole.requests

    @pytest.mark.parametrize(
        "state",
        [
            {"version": VERSION + 1, "stages": {}},
            {"version": VERSION - 1, "stages": {}},
            {"version": "1", "stages": {}},
            {"stages": {"usage": {}}},
            {"version": VERSION},
            {"version": VERSION, "stages": ["usage"]},
            {"version": VERSION, "stages": {"usage": [1]}},
            {"version": VERSION, "stages": None},
            {"something": "else"},
        ],
    )
    def test_a_state_of_another_version_or_none_is_refused_before_anything_is_asked(
        self, vendor: AVendor, state: dict[str, object]
    ) -> None:
        entrance = vendor.enter(_usual_scopes(vendor))
        vendor.asked()
        got = read(entrance, vendor.plan(state))
        assert isinstance(got.error, StateRefused)
        assert got.batches == []
        assert vendor.asked() == []
        assert str(got.error).endswith(".")
        assert "anew" in str(got.error)

    def test_what_is_wrong_inside_a_state_spoils_no_number(self, vendor: AVendor) -> None:
        entrance = vendor.enter(_usual_scopes(vendor))
        whole = read(entrance, vendor.plan())
        wanted = kept(whole.batches)
        for where, state in damaged(whole.state()):
            got = read(entrance, vendor.plan(state))
            if not isinstance(got.error, StateRefused):
                assert got.error is None, (got.error, where)
                wrong = differences(kept([*whole.batches, *got.batches]), wanted)
                assert not wrong, [*wrong, where]

    def test_a_grant_opens_what_the_manifest_promises(
        self, vendor: AVendor, tried: dict[frozenset[str], Tried]
    ) -> None:
        wrong = [
            f"{' '.join(sorted(scopes)) or 'nothing'}: {lie}"
            for scopes, one in tried.items()
            for lie in _lies(one, vendor)
        ]
        assert not wrong, "\n".join(wrong)
        kinds = {one.promised for one in tried.values()}
        assert len(kinds) > 2, "the subsets open nothing different"

    def test_without_the_members_a_sentence_says_so(
        self, tried: dict[frozenset[str], Tried]
    ) -> None:
        without = [one for one in tried.values() if "members" not in one.promised]
        assert without
        for one in without:
            assert isinstance(one.reading.error, VendorError)
            assert str(one.reading.error).endswith(".")
            ways = one.entrance.connector.reads["members"]
            said = f"{one.reading.error} {one.reading.error.remedy}"
            assert any(scope in said for way in ways for scope in way), said

    def test_nothing_is_sent_but_questions_until_writing_is_granted(
        self, tried: dict[frozenset[str], Tried]
    ) -> None:
        others = {
            (scopes, method)
            for scopes, one in tried.items()
            for method in one.methods
            if method != "GET" and not any("write" in scope for scope in scopes)
        }
        assert not others, others
        assert any(one.methods for one in tried.values())

    @pytest.mark.fault(45)
    def test_only_declared_hosts_are_talked_to(
        self, vendor: AVendor, tried: dict[frozenset[str], Tried]
    ) -> None:
        with fault_server() as stranger:
            stranger.script["/elsewhere"] = [b""]
            with closing(vendor.pointing(f"{stranger.url}/elsewhere")) as pointing:
                pointed = [self._try(vendor, _all_scopes(vendor)) for _ in pointing]
            assert stranger.requests == []
        assert pointed
        for one in (*tried.values(), *pointed):
            declared = one.entrance.hosts | hosts_of(one.entrance.account.api_url)
            assert one.reading.places <= declared
        assert any(one.reading.places for one in tried.values())

    def test_no_secret_is_in_anything_that_is_told(
        self, vendor: AVendor, tried: dict[frozenset[str], Tried]
    ) -> None:
        common = vendor.secrets()
        assert common
        for one in tried.values():
            told = [secret for secret in common | one.entrance.secrets if secret in one.told]
            assert not told, told

    @staticmethod
    def _try(vendor: AVendor, scopes: frozenset[str]) -> Tried:
        entrance = vendor.enter(scopes)
        vendor.asked()
        with _listening() as lines:
            reading = read(entrance, vendor.plan())
        said = [f"{reading.error!r} {reading.error} {getattr(reading.error, 'remedy', '')}"]
        told = "\n".join(map(repr, reading.batches)) + "\n".join([*said, *lines])
        promised = readable(entrance.connector, scopes)
        return Tried(entrance, promised, reading, vendor.asked(), told)


class _listening(logging.Handler):  # noqa: N801 - used as a block
    """Every line of every log that an operator could turn on, ours down to the last."""

    LEVELS = {"": logging.INFO, "seatwise": logging.DEBUG}

    def __enter__(self) -> list[str]:
        self.lines: list[str] = []
        self.before = {name: logging.getLogger(name).level for name in self.LEVELS}
        logging.getLogger().addHandler(self)
        for name, level in self.LEVELS.items():
            logging.getLogger(name).setLevel(level)
        return self.lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {vars(record)}")

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        for name, level in self.before.items():
            logging.getLogger(name).setLevel(level)


def _all_scopes(vendor: AVendor) -> frozenset[str]:
    return frozenset(scope.name for scope in vendor.enter(frozenset()).connector.scopes)


def _usual_scopes(vendor: AVendor) -> frozenset[str]:
    return frozenset(scopes_to_ask(vendor.enter(frozenset()).connector.scopes))


def _subsets(vendor: AVendor) -> list[frozenset[str]]:
    """All of them, or, of many scopes, those that tell most: few, nearly all, and some between."""
    connector = vendor.enter(frozenset()).connector
    asked = frozenset(scope.name for scope in connector.scopes)
    named = sorted(asked & set(chain.from_iterable(chain(*connector.reads.values()))))
    every = [frozenset(some) for n in range(len(named) + 1) for some in combinations(named, n)]
    if len(every) <= MOST_SUBSETS:
        return every
    edges = [some for some in every if len(some) <= 1 or len(some) >= len(named) - 1]
    between = [some for some in every if some not in edges]
    return [*edges, *Random(len(every)).sample(between, MOST_SUBSETS - len(edges))]


def _lies(one: Tried, vendor: AVendor) -> Iterator[str]:
    """Where the reading and the manifest contradict each other."""
    reading, promised = one.reading, one.promised
    if "members" not in promised:
        if reading.of(MemberRecord):
            yield "members came, though nobody promised them"
        return
    if reading.error is not None:
        yield f"it failed: {reading.error!r}"
        return
    metrics = {metric.key for metric in one.entrance.connector.metrics}
    gaps = {gap.capability for gap in reading.gaps()}
    came = _what_came(reading, vendor)
    for what in one.entrance.connector.reads:
        named = what in gaps or (what in metrics and "usage" in gaps)
        if what in promised and what not in came:
            yield f"{what} was promised and did not come"
        if what in promised and what in gaps:
            yield f"{what} was promised and is named as a gap"
        if what not in promised and what in came:
            yield f"{what} came, though nobody promised it"
        if what not in promised and not named:
            yield f"{what} did not come, and no gap says so"
    if metrics <= promised and "usage" in gaps:
        yield "all metrics were promised, and usage is named as a gap"


def _what_came(reading: Reading, vendor: AVendor) -> set[str]:
    whole: Mapping[str, Sequence[Record]] = {
        "members": reading.of(MemberRecord),
        "licences": reading.of(SeatRecord) if reading.of(LicenseRecord) else [],
        "activity": [*reading.of(SignalRecord), *reading.of(AbsenceRecord)],
    }
    months = set(vendor.plan().months)
    usage = kept(reading.batches).usage
    metrics = {metric for _month, metric in usage}
    return {what for what, records in whole.items() if records} | {
        metric
        for metric in metrics
        if {month for month, other in usage if other == metric} == months
    }


def _place(end: int, batch: Batch) -> str:
    return f"after batch {end}, of {batch.stage}, with {json.dumps(batch.state)[:2000]}"
