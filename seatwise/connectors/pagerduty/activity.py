"""Activity: who was seen when, from the best evidence down, each kind where it may be read.

1. Sign-ins, from analytics: all in a few requests. Whoever came in lately is settled.
2. Incidents, from analytics: who acknowledged and who resolved each, a thousand a request, up to a
   day ago. Only together with sign-ins, because of the first one's time only it is exact.
3. The log, newest first, until nothing older could be news of anybody who is not settled.
4. Configuration changes, and what each person signed in with, for whoever is still not seen.
"""

from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.errors import REFUSALS, VendorError
from seatwise.connectors.months import borders
from seatwise.connectors.pagerduty.actions import read_log, signal_of
from seatwise.connectors.pagerduty.activity_state import Remembered
from seatwise.connectors.pagerduty.analysed import Question, read_analysed
from seatwise.connectors.pagerduty.analytics import is_closed
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.changes import read_changes
from seatwise.connectors.pagerduty.facts import AUDIT, DELEGATIONS, SESSIONS, SIGN_INS
from seatwise.connectors.pagerduty.intervals import (
    Interval,
    length,
    merged,
    shortened,
    without,
)
from seatwise.connectors.pagerduty.presence import Presence, Waiting
from seatwise.connectors.pagerduty.signins import LATELY, read_sign_ins
from seatwise.connectors.pagerduty.unread import unreadable
from seatwise.connectors.pagerduty.visits import by_delegations, by_sessions, read_visits
from seatwise.connectors.records import Batch, Gap, SignalRecord

A_DAY = timedelta(days=1)
OVERLAP = timedelta(hours=1)  # of two readings: what was new may have come in late
A_BATCH = 1000  # lines of the log between two states
# So much of the log is read faster than incidents are asked for in its place; less where only
# those that changed since the last time have to be asked for.
MUCH_LOG, SOME_LOG = 2 * A_DAY, A_DAY / 4
OLD_INCIDENTS = timedelta(days=90)  # before the horizon; they may still change
LONGEST_QUESTION = timedelta(days=360)  # to analytics, which takes a year at most
MOST_SERVICES = 1000  # that usage tells; there may be more of them then
MOST_VISITS = 50  # requests a reading, one a person
ASKED_AGAIN = 7  # days after which a person's sign-ins are asked for again


async def read_activity(
    api: Api,
    plan: ReadPlan,
    presence: Presence,
    scopes: frozenset[str] = frozenset(),
    services: Collection[str] | None = None,
) -> AsyncGenerator[Batch, None]:
    """Batches of news of members, each with a state as soon as a part of the log was read.

    `services` are those of the incidents that usage met in this reading, None where it did not
    read them all. Raises VendorError, the log's where nothing at all may be read, and
    StateRefused for a plan whose state is damaged.
    """
    ladder = _Ladder(api, plan, presence, scopes, services, await api.has_key())
    for rung in (
        ladder.sign_ins,
        ladder.incidents,
        ladder.log,
        ladder.changes,
        ladder.visits,
        ladder.end,
    ):
        async with aclosing(rung()) as batches:
            async for batch in batches:
                yield batch


class _Ladder:
    def __init__(
        self,
        api: Api,
        plan: ReadPlan,
        presence: Presence,
        scopes: frozenset[str],
        services: Collection[str] | None,
        has_key: bool,
    ) -> None:
        self._api, self._presence, self._scopes, self._has_key = api, presence, scopes, has_key
        self._plan, self._now, self._horizon = plan, plan.now, plan.activity_since
        self._days = max(-(-(plan.now - plan.activity_since) // A_DAY), 0)
        self._kept = Remembered.opened(plan.known("activity"))
        was_read = self._kept.covered or self._kept.analysed
        self._awaited_before = self._kept.awaited if was_read else None  # None: everybody
        self._unsettled = set(presence.actors) if presence.is_listed else None
        self._lately = (plan.now - LATELY).timestamp()
        self._knows_sign_ins = self._read_any = False
        self._closed: dict[str, VendorError] = {}  # what may not be read, by its name
        self._gaps: list[Gap] = []
        self._services = services

    async def sign_ins(self) -> AsyncGenerator[Batch, None]:
        if not (self._scopes & SIGN_INS or self._has_key):
            return
        try:
            async with aclosing(read_sign_ins(self._api)) as batches:
                async for batch in batches:
                    signals = [r for r in batch.records if isinstance(r, SignalRecord)]
                    self._presence.note(signals, self._now)
                    if self._unsettled is not None:
                        self._unsettled -= self._lately_seen(signals)
                    self._read_any = True
                    yield batch
        except VendorError as error:
            if not is_closed(error):
                raise
            self._closed["Sign-ins"] = error
        else:
            self._knows_sign_ins = True

    async def incidents(self) -> AsyncGenerator[Batch, None]:
        question = self._question()
        if question is None:
            return
        count, newest = 0, None
        try:
            async with aclosing(read_analysed(self._api, question)) as pages:
                async for page in pages:
                    count, newest = count + page.incidents, newest or page.newest
                    news = self._presence.note(page.signals, self._now)
                    yield Batch("activity", tuple(news), count, unit="incidents")
        except VendorError as error:
            if not is_closed(error):
                raise
            return  # nothing is lost: the log is read in their place
        if newest is not None:
            self._remember_analysed(question, newest)

    async def log(self) -> AsyncGenerator[Batch, None]:
        if self._unsettled is not None and not self._unsettled:
            return
        known = self._known()
        try:
            for part in without((self._horizon, self._now), known):
                waiting = Waiting(self._presence, None)
                if _is_oldest(part, known):
                    waiting = Waiting(self._presence, self._still_awaited(self._unsettled))
                    if waiting.is_over(part[1]):
                        continue
                async with aclosing(self._part_of_log(part, waiting)) as batches:
                    async for batch in batches:
                        yield batch
        except REFUSALS as error:
            self._closed["Actions on incidents"] = error
        else:
            self._read_any = True

    async def changes(self) -> AsyncGenerator[Batch, None]:
        if AUDIT not in self._scopes and (self._knows_sign_ins or not self._has_key):
            return
        known = shortened(self._kept.audited, OVERLAP)
        try:
            for part in without((self._horizon, self._now), known):
                waiting = Waiting(self._presence, None)
                if _is_oldest(part, known):
                    waiting = Waiting(self._presence, self._still_awaited(self._not_seen_lately()))
                    if waiting.is_over(part[1]):
                        # From here on they are read: later changes may be somebody's only trace.
                        self._kept.audited = merged([*self._kept.audited, (part[1], part[1])])
                        continue
                async with aclosing(self._part_of_changes(part, waiting)) as batches:
                    async for batch in batches:
                        yield batch
        except VendorError as error:
            if not is_closed(error):
                raise
            if AUDIT in self._scopes:
                self._gaps.append(unreadable("Configuration changes", error))

    async def visits(self) -> AsyncGenerator[Batch, None]:
        asks = [
            (scope, ask)
            for scope, ask in ((DELEGATIONS, by_delegations), (SESSIONS, by_sessions))
            if scope in self._scopes
        ]
        if not asks or self._knows_sign_ins or not self._presence.is_listed:
            return
        members = self._to_look_for()
        for _scope, ask in asks:
            try:
                signals = await read_visits(self._api, ask, members)
            except VendorError as error:
                if not is_closed(error):
                    raise
                self._closed["What people signed in with"] = error
                continue
            self._closed.pop("What people signed in with", None)
            self._read_any = True
            news = self._presence.note(signals, self._now)
            self._put_off(members, _day(self._now.timestamp()) + ASKED_AGAIN)
            yield Batch("activity", tuple(news), len(members), unit="members", state=self._state())
            return

    async def end(self) -> AsyncGenerator[Batch, None]:
        """The last batch, or the log's refusal where there was nothing else either."""
        log = self._closed.pop("Actions on incidents", None)
        for what, error in self._closed.items():
            self._gaps.append(
                unreadable(what, error, but="" if log else "; actions on incidents are")
            )
        if log is not None and self._read_any:
            self._gaps.append(unreadable("Actions on incidents", log, but="; other evidence is"))
        elif log is not None:
            yield Batch("activity", gaps=tuple(self._gaps))
            raise log
        days, gaps = self._days, tuple(self._gaps)
        yield Batch("activity", (), days, days, "days", True, gaps, True, self._state())

    async def _part_of_log(self, part: Interval, waiting: Waiting) -> AsyncGenerator[Batch, None]:
        news: dict[str, SignalRecord] = {}
        lines = 0
        async with aclosing(read_log(self._api, *part)) as chunks:
            async for chunk in chunks:
                signals = [signal for row in chunk.rows if (signal := signal_of(row)) is not None]
                news |= {s.member_id: s for s in self._presence.note(signals, self._now)}
                lines += len(chunk.rows)
                reached = chunk.reached or part[1]
                if chunk.lacking:
                    self._gaps.append(_lacking(chunk.lacking))
                over = chunk.last or waiting.is_over(reached)
                if over or lines >= A_BATCH:
                    self._kept.covered = merged([*self._kept.covered, (reached, part[1])])
                    yield self._news(news.values(), reached)
                    news, lines = {}, 0
                if over:
                    return

    async def _part_of_changes(
        self, part: Interval, waiting: Waiting
    ) -> AsyncGenerator[Batch, None]:
        async with aclosing(read_changes(self._api, *part)) as pages:
            async for page in pages:
                self._read_any = True
                news = self._presence.note(page.signals, self._now)
                self._kept.audited = merged([*self._kept.audited, (page.reached, part[1])])
                yield self._news(news, page.reached)
                if waiting.is_over(page.reached):
                    return

    def _question(self) -> Question | None:
        """What to ask analytics of incidents; None where the log is as good or must do."""
        services = None if self._has_key else self._services
        is_many = services is not None and len(services) >= MOST_SERVICES
        if not self._knows_sign_ins or is_many or not (self._has_key or services):
            return None
        if self._unsettled is not None and not self._unsettled:
            return None
        before, known = self._kept.analysed, self._known()
        midnight = self._now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        left = length(without((min(self._horizon, midnight), midnight), known))
        if left <= (SOME_LOG if before else MUCH_LOG):
            return None
        earliest = midnight - LONGEST_QUESTION
        if before:
            since = max(self._horizon - OLD_INCIDENTS, earliest)
            return Question(since, midnight, before[1], services)
        if not known and Waiting(self._presence, self._unsettled).is_over(midnight - MUCH_LOG):
            return None  # the log will not be read for longer
        since = self._horizon if self._has_key else max(self._horizon, self._usage_since())
        return Question(max(since, earliest), midnight, None, services)

    def _remember_analysed(self, question: Question, newest: datetime) -> None:
        """Up to the newest incident, not up to midnight: who knows whether analytics is in time."""
        until = min(newest - OVERLAP, question.created_until)
        if self._kept.analysed is not None:
            since, before = self._kept.analysed
            self._kept.analysed = since, max(before, until)
        elif until > question.created_since:
            self._kept.analysed = question.created_since, until

    def _usage_since(self) -> datetime:
        if not self._plan.months:
            return self._now
        return borders(min(self._plan.months), self._plan.zone)[0]

    def _known(self) -> list[Interval]:
        """What need not be read of the log."""
        known = list(self._kept.covered)
        if self._knows_sign_ins and self._kept.analysed is not None:
            known.append(self._kept.analysed)
        return shortened(merged(known), OVERLAP)

    def _still_awaited(self, members: Collection[str] | None) -> list[str] | None:
        """Those of the members of whom an earlier reading did not learn either."""
        if members is None:
            return None
        before = self._awaited_before
        return [member for member in members if before is None or member in before]

    def _everybody(self) -> set[str]:
        return self._presence.actors | self._presence.onlookers

    def _not_seen_lately(self) -> list[str] | None:
        if not self._presence.is_listed:
            return None
        return [who for who in self._everybody() if self._presence.last(who) < self._lately]

    def _lately_seen(self, signals: Iterable[SignalRecord]) -> set[str]:
        end = self._now
        return {s.member_id for s in signals if end - LATELY <= s.at < end}

    def _to_look_for(self) -> list[str]:
        """Whom to ask for by name: those never seen nor asked for first, then the longest ago."""
        everybody, today = self._everybody(), _day(self._now.timestamp())
        self._kept.due = {who: day for who, day in self._kept.due.items() if who in everybody}
        self._put_off([who for who in everybody if self._presence.last(who)], 0)
        due = sorted((self._kept.due.get(who, 0), who) for who in everybody)
        return [who for day, who in due if day <= today][:MOST_VISITS]

    def _put_off(self, members: Iterable[str], until: int) -> None:
        """Nobody is asked for before that day, nor while they were seen lately."""
        for who in members:
            not_lately = _day(self._presence.last(who)) + LATELY.days
            self._kept.due[who] = max(self._kept.due.get(who, 0), until, not_lately)

    def _news(self, signals: Iterable[SignalRecord], reached: datetime) -> Batch:
        done = max((self._now - reached) // A_DAY, 0)
        records = tuple(signals)
        return Batch("activity", records, done, self._days, "days", state=self._state())

    def _state(self) -> dict[str, object]:
        oldest = min(self._known(), default=(self._now,))[0].timestamp()
        awaited = self._still_awaited(self._everybody() if self._presence.is_listed else None)
        self._kept.awaited = (
            None
            if awaited is None
            else frozenset(who for who in awaited if self._presence.last(who) < oldest)
        )
        return self._kept.as_part(self._horizon)


def _day(at: float) -> int:
    return int(at // A_DAY.total_seconds())


def _is_oldest(part: Interval, known: list[Interval]) -> bool:
    """Whether nothing that was read before is older."""
    return not known or part[1] <= min(known)[0]


def _lacking(count: int) -> Gap:
    return Gap(
        "account",
        f"{count:,} lines of the log are not known; the others were read.",
        "PagerDuty counts more lines of its log than it shows.",
        "Nothing to do: newer actions of the same people take their place.",
    )
