"""Which country a message went to: nothing else of a telephone number is ever kept."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator

LONGEST = 4  # digits of a country's code, with the area where a country has no code of its own
ABROAD = " abroad"  # after a channel, in the words that are counted
CALLED = ("sms", "phone")  # the channels that go to a telephone number


def code(address: object) -> str:
    """The first digits of an international number, "4915"; "" for any other address."""
    if not isinstance(address, str) or not address.strip().startswith("+"):
        return ""
    return re.sub(r"[^0-9]", "", address)[:LONGEST]


def words(channel: str, code: str, home: str) -> Iterator[str]:
    """What a message counts as: its channel, and that it went abroad when it did.

    It did when its number is international and begins with another code than `home`. A number
    that is not written internationally is one of the same country; with no `home` nobody asks.
    """
    yield channel
    if home and channel in CALLED and code and not code.startswith(home):
        yield channel + ABROAD


Code = Annotated[str, BeforeValidator(code)]
