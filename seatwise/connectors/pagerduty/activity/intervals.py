"""Stretches of time that were read: what was not is what they leave open.

An interval is half-open, from its first moment until before its second. One of no length says
where reading began.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

Interval = tuple[datetime, datetime]


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in as few intervals as possible, oldest first."""
    found: list[Interval] = []
    for since, until in sorted(intervals):
        if found and since <= found[-1][1]:
            found[-1] = found[-1][0], max(until, found[-1][1])
        else:
            found.append((since, until))
    return found


def shortened(intervals: Iterable[Interval], by: timedelta) -> list[Interval]:
    """Each without its newest part, for what was new then may have come in late."""
    return [(since, max(until - by, since)) for since, until in intervals]


def without(whole: Interval, known: Iterable[Interval]) -> list[Interval]:
    """What is left of an interval when others are taken away, newest first."""
    left: list[Interval] = []
    start, end = whole
    for since, until in merged(known):
        if since >= end:
            break
        if until < start:
            continue
        if since > start:
            left.append((start, since))
        start = max(start, until)
    if start < end:
        left.append((start, end))
    return left[::-1]


def length(intervals: Iterable[Interval]) -> timedelta:
    """How much time they are together; they must not overlap."""
    return sum((until - since for since, until in intervals), timedelta())
