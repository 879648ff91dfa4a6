"""When people sign in, on the website or with the mobile app.

Whoever works on incidents signs in once a week while at work; others look in now and then, or
never. Times are seconds since 1970.
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from .account import Account
from .codes import DAY, EVEN, share
from .people import Person

WEEK: Final = 7 * DAY
SESSION: Final = 30 * DAY  # how long a sign-in lasts
FARTHEST: Final = 80  # weeks that are searched for a sign-in
NEVER, BY_PHONE = share(25), share(30)


class Visit(NamedTuple):
    """A sign-in."""

    at: int
    kind: Literal["web", "mobile"]


def visits(account: Account, person: Person, until: int) -> Iterator[Visit]:
    """When somebody signed in before that moment, newest first, as far back as is remembered."""
    place = -1000 - int.from_bytes(person.id.encode()[-7:])
    habit = account.chance.draws(place, -1)[0]
    if person.invited or (not person.acts and habit < NEVER):
        return
    last = (until - 1) // WEEK
    for week in range(last, max(person.joined_at // WEEK, last - FARTHEST) - 1, -1):
        draws = account.chance.draws(place, week)
        at = week * WEEK + draws[0] * WEEK // EVEN
        if not person.joined_at <= at < until:
            continue
        comes = person.presence.covers(at) if person.acts else draws[1] < habit
        if comes:
            yield Visit(at, "mobile" if draws[2] < BY_PHONE else "web")


def last_visit(account: Account, person: Person, now: int) -> Visit | None:
    """The newest sign-in that has happened by now, if there ever was one."""
    return next(visits(account, person, now + 1), None)


def signed_in(account: Account, person: Person, at: int) -> bool:
    """Whether somebody has a session at that moment."""
    last = last_visit(account, person, at)
    return last is not None and last.at > at - SESSION
