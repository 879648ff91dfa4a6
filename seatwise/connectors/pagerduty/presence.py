"""Who may be seen in an account, and when each of them was last."""

from collections.abc import Iterable
from datetime import datetime

from seatwise.connectors.pagerduty.facts import ROLES
from seatwise.connectors.records import Batch, MemberRecord, SignalRecord


class Presence:
    """One time a member, the newest signal known; kept while an account is read, shared by stages.

    Whoever was only invited cannot have done anything. Stakeholders cannot act on incidents, but
    they sign in; everybody else is an actor.
    """

    def __init__(self) -> None:
        self.newest: dict[str, int] = {}  # seconds since 1970; nobody who is not in it was seen
        self.actors: set[str] = set()
        self.onlookers: set[str] = set()
        self.is_listed = False  # whether those two are everybody

    def enlist(self, batch: Batch) -> None:
        """Takes in a batch of members."""
        for record in batch.records:
            if isinstance(record, MemberRecord) and not record.invited:
                role = ROLES.get(record.role)
                kind = self.onlookers if role and role.seat == "stakeholder" else self.actors
                kind.add(record.external_id)
        self.is_listed = self.is_listed or batch.complete

    def note(self, signals: Iterable[SignalRecord], before: datetime) -> list[SignalRecord]:
        """Those of the signals that are news: newer than all that was known of their member.

        One that is not `before` the end of what is read says nothing about that time.
        """
        news: dict[str, SignalRecord] = {}
        for signal in signals:
            at = int(signal.at.timestamp())
            if signal.at < before and at > self.newest.get(signal.member_id, 0):
                self.newest[signal.member_id] = at
                news[signal.member_id] = signal
        return list(news.values())

    def last(self, member: str) -> int:
        """Seconds since 1970; 0 where nothing is known."""
        return self.newest.get(member, 0)


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
