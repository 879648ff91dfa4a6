"""Activity: who was seen when, from the best evidence down, each kind where it may be read.

1. Sign-ins, from analytics: all in a few requests. Whoever came in lately is settled.
2. Incidents, from analytics: who acknowledged and who resolved each, a thousand a request, up to a
   day ago. Only together with sign-ins, because of the first one's time only it is exact.
3. The log, newest first, until nothing older could be news of anybody who is not settled. Where
   incidents are known up to the last midnight, as far as a few pages reach: analytics tell the
   rest tomorrow.
4. Configuration changes, and what each person signed in with, for whoever is still not seen.
"""

from collections.abc import AsyncGenerator, Collection, Iterable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from itertools import islice

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.errors import (
    REFUSALS,
    AccessDenied,
    BrokenAnswer,
    NotOnThisPlan,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.months import borders
from seatwise.connectors.pagerduty.activity.actions import Allowance, read_log, signal_of
from seatwise.connectors.pagerduty.activity.analysed import Question, read_analysed
from seatwise.connectors.pagerduty.activity.changes import read_changes
from seatwise.connectors.pagerduty.activity.intervals import (
    Interval,
    length,
    merged,
    shortened,
    without,
)
from seatwise.connectors.pagerduty.activity.presence import Presence, Waiting
from seatwise.connectors.pagerduty.activity.signins import LATELY, read_sign_ins
from seatwise.connectors.pagerduty.activity.state import MOST_AWAITED, Remembered
from seatwise.connectors.pagerduty.activity.unread import cut_off, lacking, unreadable
from seatwise.connectors.pagerduty.activity.visits import by_delegations, by_sessions, read_visits
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.facts import AUDIT, DELEGATIONS, SESSIONS, SIGN_INS
from seatwise.connectors.pagerduty.usage.counted import OVERLAP
from seatwise.connectors.pagerduty.usage.incidents import MOST_SERVICES
from seatwise.connectors.records import Batch, Gap, SignalRecord

A_DAY = timedelta(days=1)
A_BATCH = 1000  # lines of the log between two states
# So much of the log is read faster than incidents of three months are asked for in its place; less
# where only those that changed since the last time have to be asked for.
MUCH_LOG, SOME_LOG = 3 * A_DAY, A_DAY / 4
PAGES_OF_TODAY = 3  # of the log, where analytics will tell tomorrow what they do not reach
OLD_INCIDENTS = timedelta(days=90)  # so old, and somebody may still answer them
LONGEST_QUESTION = timedelta(days=360)  # to analytics, which takes a year at most
MOST_VISITS = 50  # requests a reading, one a person
ASKED_AGAIN = 7  # days after which a person's sign-ins are asked for again
MISSING = (*REFUSALS, BrokenAnswer, TryAgainLater)  # and the ladder goes on without that kind
ANSWERS, CHANGES = "Answers to incidents in analytics", "Configuration changes"
VISITS = "What people signed in with"


async def read_activity(
    api: Api,
    plan: ReadPlan,
    presence: Presence,
    scopes: frozenset[str] | None = None,
    services: Collection[str] | None = None,
) -> AsyncGenerator[Batch, None]:
    """Batches of news of members, each with a state as soon as a part of the log was read.

    No `scopes` mean that nobody knows them, as of every API key: what may be read is tried.
    `services` are those of the incidents that usage met in this reading, None where it did not
    read them all. Raises VendorError, a refusal of the log only where nothing else may be read,
    and StateRefused for a plan whose state is damaged.
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
        scopes: frozenset[str] | None,
        services: Collection[str] | None,
        has_key: bool,
    ) -> None:
        self._api, self._presence, self._has_key = api, presence, has_key
        self._scopes = scopes or frozenset[str]()
        self._plan, self._now, self._horizon = plan, plan.now, plan.activity_since
        self._days = max(-(-(plan.now - plan.activity_since) // A_DAY), 0)
        self._kept = Remembered.opened(plan.known("activity"))
        was_read = self._kept.covered or self._kept.analysed
        self._awaited_before = self._kept.awaited if was_read else None  # None: everybody
        self._tries = has_key or scopes is None  # for nobody knows what may be read
        # Of what is older than the horizon nothing is shown, so it settles nothing.
        self._lately = max(plan.now - LATELY, plan.activity_since)
        self._midnight = plan.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._knows_sign_ins = self._read_any = False
        self._closed: dict[str, VendorError] = {}  # what may not be read, by its name
        self._gaps: list[Gap] = []
        self._cut: datetime | None = None  # where the allowance for the newest log ended
        self._services = services

    async def sign_ins(self) -> AsyncGenerator[Batch, None]:
        if not (self._scopes & SIGN_INS or self._tries):
            return
        try:
            async with aclosing(read_sign_ins(self._api)) as batches:
                async for batch in batches:
                    signals = [r for r in batch.records if isinstance(r, SignalRecord)]
                    self._presence.note(signals, self._now)
                    self._presence.settle(
                        s.member_id for s in signals if self._lately <= s.at < self._now
                    )
                    self._read_any = True
                    yield batch
        except MISSING as error:
            self._closed["Sign-ins"] = error
        else:
            self._knows_sign_ins = True

    async def incidents(self) -> AsyncGenerator[Batch, None]:
        if self._kept.analysed and not self._knows_sign_ins:
            self._awaited_before = None  # the log is read in their place, for everybody
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
        except MISSING as error:
            if not isinstance(error, REFUSALS):
                self._closed[ANSWERS] = error
            return  # nothing is lost: the log is read in their place
        if newest is not None:
            self._remember_analysed(question, newest)

    async def log(self) -> AsyncGenerator[Batch, None]:
        if self._is_settled():
            return
        known, today = self._known(), self._allowance_of_today()
        try:
            for part in without((self._horizon, self._now), known):
                waiting = Waiting(self._presence, None)
                if _is_oldest(part, known):
                    waiting = Waiting(self._presence, self._awaited(self._presence.unsettled()))
                    if waiting.is_over(part[1]):
                        continue
                allowance = today if self._is_after_analysed(part) else None
                async with aclosing(self._part_of_log(part, waiting, allowance)) as batches:
                    async for batch in batches:
                        yield batch
        except REFUSALS as error:
            self._closed["Actions on incidents"] = error
        else:
            self._read_any = True

    async def changes(self) -> AsyncGenerator[Batch, None]:
        if AUDIT not in self._scopes and (self._knows_sign_ins or not self._tries):
            return
        known, before = shortened(self._kept.audited, OVERLAP), self._awaited_before
        if not known:
            self._awaited_before = None  # it was about the log only
        try:
            for part in without((self._horizon, self._now), known):
                waiting = Waiting(self._presence, None)
                if _is_oldest(part, known):
                    quiet = self._presence.not_seen_since(self._lately.timestamp())
                    waiting = Waiting(self._presence, self._awaited(quiet))
                    if waiting.is_over(part[1]):
                        # From here on they are read: later changes may be somebody's only trace.
                        self._kept.audited = merged([*self._kept.audited, (part[1], part[1])])
                        continue
                async with aclosing(self._part_of_changes(part, waiting)) as batches:
                    async for batch in batches:
                        yield batch
        except MISSING as error:
            self._closed[CHANGES] = error
        if CHANGES not in self._closed or not self._kept.audited:
            self._awaited_before = before

    async def visits(self) -> AsyncGenerator[Batch, None]:
        asks = [
            ask
            for scope, ask in ((DELEGATIONS, by_delegations), (SESSIONS, by_sessions))
            if scope in self._scopes
        ]
        if not asks or self._knows_sign_ins or not self._presence.is_listed:
            return
        members, next_week = self._to_look_for(), _day(self._now.timestamp()) + ASKED_AGAIN
        for ask in asks:
            try:
                signals = await read_visits(self._api, ask, members)
            except MISSING as error:
                self._closed[VISITS] = error
                if isinstance(error, REFUSALS):  # who knows whether of everybody
                    self._put_off(members[:1], next_week)
                continue
            self._closed.pop(VISITS, None)
            self._read_any = True
            news = self._presence.note(signals, self._now)
            self._put_off(members, next_week)
            yield Batch("activity", tuple(news), len(members), unit="members", state=self._state())
            return

    async def end(self) -> AsyncGenerator[Batch, None]:
        """The last batch, or the log's refusal where there was nothing else either."""
        log = self._closed.pop("Actions on incidents", None)
        for what, error in self._closed.items():
            # Nobody granted it, and nobody chose it: there is nothing to say but how it was read.
            untold = what == CHANGES or isinstance(error, AccessDenied | NotOnThisPlan)
            minor = log is None and (what == ANSWERS or (self._tries and untold))
            but = "" if log else "; actions on incidents are"
            self._gaps.append(unreadable(what, error, but=but, minor=minor))
        if log is not None and self._read_any:
            self._gaps.append(unreadable("Actions on incidents", log, but="; other evidence is"))
        elif log is not None:
            yield Batch("activity", gaps=tuple(self._gaps))
            raise log
        if self._cut is not None:
            self._gaps.append(cut_off(self._cut, self._midnight))
        days, gaps = self._days, tuple(self._gaps)
        yield Batch("activity", (), days, days, "days", True, gaps, True, self._state())

    async def _part_of_log(
        self, part: Interval, waiting: Waiting, allowance: Allowance | None
    ) -> AsyncGenerator[Batch, None]:
        news: dict[str, SignalRecord] = {}
        lines, reached = 0, part[1]
        async with aclosing(read_log(self._api, *part, allowance)) as chunks:
            async for chunk in chunks:
                signals = [signal for row in chunk.rows if (signal := signal_of(row)) is not None]
                news |= {s.member_id: s for s in self._presence.note(signals, self._now)}
                lines += len(chunk.rows)
                reached = chunk.reached or reached
                if chunk.lacking:
                    self._gaps.append(lacking(chunk.lacking))
                over = chunk.last or waiting.is_over(reached)
                if over or lines >= A_BATCH:
                    yield self._news_of_log(news, reached, part)
                    news, lines = {}, 0
                if over:
                    return
        self._cut = self._cut or reached  # the allowance ended it
        if lines:
            yield self._news_of_log(news, reached, part)

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
        if self._is_settled():
            return None
        before, known, midnight = self._kept.analysed, self._known(), self._midnight
        left = length(without((min(self._horizon, midnight), midnight), known))
        if left <= (SOME_LOG if before else MUCH_LOG):
            return None
        since = max(self._horizon - OLD_INCIDENTS, midnight - LONGEST_QUESTION)
        if before:
            return Question(since, midnight, before[1], services)
        if not known and self._presence.is_listed:
            waiting = Waiting(self._presence, self._presence.unsettled())
            if waiting.is_over(midnight - MUCH_LOG):
                return None  # the log will not be read for longer
        return Question(since, midnight, None, services)

    def _remember_analysed(self, question: Question, newest: datetime) -> None:
        """Up to the newest incident, not up to midnight: who knows whether analytics is in time.

        Only from then on are the services known that the question named.
        """
        until = min(newest - OVERLAP, question.created_until)
        since = question.created_since
        if question.services is not None:
            since = max(since, self._usage_since())
        if self._kept.analysed is not None:
            since, before = self._kept.analysed
            self._kept.analysed = since, max(before, until)
        elif until > since:
            self._kept.analysed = since, until

    def _allowance_of_today(self) -> Allowance | None:
        """For what is newer than analytics, where they are in time; None: it is read to its end."""
        analysed = self._kept.analysed
        if not self._knows_sign_ins or analysed is None or analysed[1] <= self._midnight - A_DAY:
            return None
        return Allowance(PAGES_OF_TODAY)

    def _is_after_analysed(self, part: Interval) -> bool:
        return self._kept.analysed is not None and part[0] >= self._kept.analysed[0]

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

    def _is_settled(self) -> bool:
        return self._presence.is_listed and next(self._presence.unsettled(), None) is None

    def _awaited(self, members: Iterable[str]) -> Iterator[str] | None:
        """Those of the members of whom an earlier reading did not learn either."""
        if not self._presence.is_listed:
            return None
        before = self._awaited_before
        return (member for member in members if before is None or member in before)

    def _to_look_for(self) -> list[str]:
        """Whom to ask for by name: those never seen nor asked for first, then the longest ago."""
        presence, today, due = self._presence, _day(self._now.timestamp()), self._kept.due
        self._kept.due = {who: due[who] for who in presence.everybody() if who in due}
        self._put_off((who for who in presence.everybody() if presence.last(who)), 0)
        due = self._kept.due
        ripe = ((due.get(who, 0), who) for who in presence.everybody() if due.get(who, 0) <= today)
        return [who for _day_due, who in nsmallest(MOST_VISITS, ripe)]

    def _put_off(self, members: Iterable[str], until: int) -> None:
        """Nobody is asked for before that day, nor while they were seen lately."""
        for who in members:
            not_lately = _day(self._presence.last(who)) + (self._now - self._lately) // A_DAY
            self._kept.due[who] = max(self._kept.due.get(who, 0), until, not_lately)

    def _news_of_log(
        self, news: dict[str, SignalRecord], reached: datetime, part: Interval
    ) -> Batch:
        self._kept.covered = merged([*self._kept.covered, (reached, part[1])])
        return self._news(news.values(), reached)

    def _news(self, signals: Iterable[SignalRecord], reached: datetime) -> Batch:
        done = max((self._now - reached) // A_DAY, 0)
        records = tuple(signals)
        return Batch("activity", records, done, self._days, "days", state=self._state())

    def _state(self) -> dict[str, object] | None:
        """None while not everybody is listed: nobody keeps the evidence of the others."""
        if not self._presence.is_listed:
            return None
        oldest = min(self._known(), default=(self._now,))[0]
        if self._kept.audited:  # who was quiet is awaited there, however far the log was read
            oldest = max(oldest, min(self._lately, min(self._kept.audited)[0]))
        awaited = self._awaited(self._presence.not_seen_since(oldest.timestamp()))
        some = None if awaited is None else frozenset(islice(awaited, MOST_AWAITED + 1))
        self._kept.awaited = None if some is None or len(some) > MOST_AWAITED else some
        return self._kept.as_part(self._horizon)


def _day(at: float) -> int:
    return int(at // A_DAY.total_seconds())


def _is_oldest(part: Interval, known: list[Interval]) -> bool:
    """Whether nothing that was read before is older."""
    return not known or part[1] <= min(known)[0]
