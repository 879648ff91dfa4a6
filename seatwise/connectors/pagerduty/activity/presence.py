"""Who may be seen in an account, and when each of them was last."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from seatwise.connectors.pagerduty.facts import ROLES
from seatwise.connectors.records import MemberRecord, Record, SignalRecord

ACTOR, ONLOOKER, SETTLED = 1, 2, 4
LISTED = ACTOR | ONLOOKER
BITS = 3  # of those marks


class Presence:
    """One time a member, the newest signal known; kept while an account is read, shared by stages.

    Whoever was only invited cannot have done anything. Stakeholders cannot act on incidents, but
    they sign in; everybody else is an actor. Whoever is settled need not be waited for.
    """

    def __init__(self) -> None:
        # Seconds since 1970, and below them the marks: all that grows with the account.
        self._known: dict[str, int] = {}
        self.is_listed = False  # whether those who are marked are everybody

    def enlist(self, records: Iterable[Record], *, complete: bool) -> None:
        """Takes in some members; with the last of a list, whether it is `complete`."""
        for record in records:
            if isinstance(record, MemberRecord) and not record.invited:
                role = ROLES.get(record.role)
                mark = ONLOOKER if role and role.seat == "stakeholder" else ACTOR
                who = record.external_id
                self._known[who] = self._known.get(who, 0) | mark
        self.is_listed = self.is_listed or complete

    def note(self, signals: Iterable[SignalRecord], before: datetime) -> list[SignalRecord]:
        """Those of the signals that are news: newer than all that was known of their member.

        One that is not `before` the end of what is read says nothing about that time.
        """
        news: dict[str, SignalRecord] = {}
        for signal in signals:
            at, known = int(signal.at.timestamp()), self._known.get(signal.member_id, 0)
            if signal.at < before and at > known >> BITS:
                self._known[signal.member_id] = at << BITS | known & ~(-1 << BITS)
                news[signal.member_id] = signal
        return list(news.values())

    def settle(self, members: Iterable[str]) -> None:
        """Nobody need wait for them."""
        for who in members:
            if who in self._known:
                self._known[who] |= SETTLED

    def last(self, member: str) -> int:
        """Seconds since 1970; 0 where nothing is known."""
        return self._known.get(member, 0) >> BITS

    def everybody(self) -> Iterator[str]:
        """All who were listed, and may do something."""
        return (who for who, known in self._known.items() if known & LISTED)

    def unsettled(self) -> Iterator[str]:
        """The actors who are not settled."""
        return (who for who, known in self._known.items() if known & (ACTOR | SETTLED) == ACTOR)

    def not_seen_since(self, at: float) -> Iterator[str]:
        """Those of everybody whose newest signal is older than these seconds since 1970."""
        return (who for who in self.everybody() if self.last(who) < at)


class Waiting:
    """Members of whom something older than what was read so far could still be news."""

    def __init__(self, presence: Presence, members: Iterable[str] | None) -> None:
        self._presence = presence
        self._members = None if members is None else list(members)

    def is_over(self, reached: datetime) -> bool:
        """Whether all of them were seen since then. Never where nobody knows who they are.

        Meant for moments that only go back: whoever was seen once is not looked at again.
        """
        if self._members is None:
            return False
        since = reached.timestamp()
        while self._members and self._presence.last(self._members[-1]) >= since:
            self._members.pop()
        return not self._members
