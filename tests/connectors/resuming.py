"""What a connector promises that goes on with a list where an earlier attempt has left it."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from seatwise.connectors.base import Resumes, scopes_to_ask
from seatwise.connectors.http import FixedToken
from seatwise.connectors.records import Batch, LicenseRecord, Record, Stage
from seatwise.connectors.state import StateRefused
from tests.connectors.readings import Entrance, differences, kept, read

if TYPE_CHECKING:
    from tests.connectors.contract import AVendor

LISTS: tuple[Stage, ...] = ("members", "licences")
THE_REST: tuple[Stage, ...] = ("usage", "activity")


class ResumingContract:
    """A part of `ConnectorContract`; also by itself, for an account with longer lists."""

    def test_whoever_can_go_on_with_a_list_says_from_where_and_nobody_else(
        self, vendor: "AVendor"
    ) -> None:
        entrance = _entrance(vendor)
        got = read(entrance, vendor.plan(), LISTS)
        assert {b.place is not None for b in got.batches} == {_resumes(entrance)}

    def test_a_list_that_is_broken_off_after_any_batch_is_gone_on_with_by_another_reader(
        self, vendor: "AVendor"
    ) -> None:
        entrance = _entrance(vendor)
        whole = read(entrance, vendor.plan(), LISTS)
        wanted = kept(whole.batches)
        for end, batch in enumerate(whole.batches, start=1):
            if batch.place is None:
                continue
            before = whole.batches[:end]
            rest = read(entrance, vendor.plan(), LISTS, before)
            where = f"after batch {end}, from {batch.place}"
            assert rest.error is None, (rest.error, where)
            together = [*before, *rest.batches]
            assert not (wrong := differences(kept(together), wanted)), [*wrong, where]
            assert _ended(together) == _ended(whole.batches), where
            assert rest.requests < whole.requests, where
            assert max(_handed_over(before, rest.batches).values(), default=0) <= 1, where

    def test_what_another_reader_read_of_the_lists_serves_the_other_stages(
        self, vendor: "AVendor"
    ) -> None:
        entrance = _entrance(vendor)
        whole = read(entrance, vendor.plan())
        lists = [batch for batch in whole.batches if batch.stage in LISTS]
        if not _resumes(entrance):
            return
        rest = read(entrance, vendor.plan(), before=lists)
        assert rest.error is whole.error is None
        assert not {batch.stage for batch in rest.batches} & set(LISTS)
        assert differences(kept([*lists, *rest.batches]), kept(whole.batches)) == []
        assert rest.state() == whole.state()
        listed = read(entrance, vendor.plan(), LISTS)
        assert rest.requests == whole.requests - listed.requests

    def test_a_place_that_is_damaged_or_unknown_is_refused_before_anything_is_asked(
        self, vendor: "AVendor"
    ) -> None:
        entrance = _entrance(vendor)
        whole = read(entrance, vendor.plan(), LISTS)
        vendor.asked()
        for batch in whole.batches:
            for place in _damaged(json.loads(json.dumps(batch.place or {}))):
                reading = _resumed(entrance, batch, place)
                with pytest.raises(StateRefused, match=r"anew\.$"):
                    asyncio.run(reading)
        assert vendor.asked() == []


async def _resumed(entrance: Entrance, batch: Batch, place: Mapping[str, Any]) -> None:
    token = FixedToken(entrance.token)
    async with entrance.connector.reader(entrance.config, entrance.account, token) as reader:
        assert isinstance(reader, Resumes)
        reader.resume(batch.stage, place, batch.records, ended=batch.ended)


def _resumes(entrance: Entrance) -> bool:
    async def look() -> bool:
        token = FixedToken(entrance.token)
        opened = entrance.connector.reader(entrance.config, entrance.account, token)
        async with opened as reader:
            return isinstance(reader, Resumes)

    return asyncio.run(look())


def _entrance(vendor: "AVendor") -> Entrance:
    connector = vendor.enter(frozenset()).connector
    return vendor.enter(frozenset(scopes_to_ask(connector.scopes)))


def _ended(batches: list[Batch]) -> dict[Stage, tuple[bool, int]]:
    """Of each stage whether it was complete in the end, and how many were counted."""
    return {batch.stage: (batch.complete, batch.done) for batch in batches if batch.ended}


def _handed_over(before: list[Batch], rest: list[Batch]) -> Counter[Record]:
    """How often each person and each seat came; what licences there are comes in each attempt."""
    every = (record for batch in [*before, *rest] for record in batch.records)
    return Counter(record for record in every if not isinstance(record, LicenseRecord))


def _damaged(place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The place with one value after the other missing, of another kind, or a little larger."""
    for name, value in place.items():
        yield {key: other for key, other in place.items() if key != name}
        yield {**place, name: 17 if isinstance(value, str | list) else "x"}
        yield {**place, name: None if value is not None else 0}
        if isinstance(value, int):
            yield {**place, name: value + 1}
