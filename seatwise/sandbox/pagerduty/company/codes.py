"""Chance that can be looked up, and ids that can be read back: what makes history computable.

Nothing of the simulated history is stored. Whoever knows an account's key and a place in its
history can work out what happened there, and an id says which place it is of.
"""

import base64
import hashlib
from struct import Struct
from typing import Final

DAY: Final = 86_400  # seconds
EVEN: Final = 1 << 32  # a draw is a whole number in [0, EVEN)
_PLACE: Final = Struct("<qq")
_WORDS: Final = Struct("<16I")
_WIDE: Final = (1 << 64) - 1
_FACTOR: Final = 0x9E3779B97F4A7C15  # odd, so that multiplying by it can be undone
_INVERSE: Final = pow(_FACTOR, -1, 1 << 64)
_N, _ORDINAL = 20, 8  # bits: things a day, parts of a thing
_DAYS: Final = 16
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # base 32: five bits a letter
_PAIRS: Final = tuple(a + b for a in _LETTERS for b in _LETTERS)


class Chance:
    """The dice of one account: the same place always shows the same faces."""

    def __init__(self, *place: object) -> None:
        self.key = _digest(place, 32)
        self._pad = int.from_bytes(_digest(("pad", *place), 8))

    def faces(self, place: int, n: int) -> bytes:
        """64 bytes of chance, to be opened with `words`."""
        return hashlib.blake2b(_PLACE.pack(place, n), digest_size=64, key=self.key).digest()

    def draws(self, place: int, n: int) -> tuple[int, ...]:
        """Sixteen even draws from [0, EVEN)."""
        return words(self.faces(place, n))

    def write(self, kind: str, sort: int, day: int, n: int, ordinal: int = 0) -> str:
        """The id of the n-th thing of that sort (0 to 15) on that day, or of a part of it."""
        number = (((sort << _DAYS | day) << _N | n) << _ORDINAL | ordinal) ^ self._pad
        number = number * _FACTOR & _WIDE
        number ^= number >> 32
        number = number * _FACTOR & _WIDE
        text = [_PAIRS[number >> shift & 1023] for shift in (54, 44, 34, 24, 14, 4)]
        return f"{kind}{''.join(text)}{_PAIRS[number << 6 & 1023][0]}"

    def read(self, text: str) -> tuple[int, int, int, int] | None:
        """The (sort, day, n, ordinal) that an id was written for; None for no id of this account.

        One in some tens of thousands of foreign ids passes: look whether the place exists.
        """
        if len(text) != 14:
            return None
        try:
            number = int.from_bytes(base64.b32decode(text[1:] + "==="))
        except ValueError:
            return None
        number = number * _INVERSE & _WIDE
        number ^= number >> 32
        number = (number * _INVERSE & _WIDE) ^ self._pad
        number, ordinal = divmod(number, 1 << _ORDINAL)
        number, n = divmod(number, 1 << _N)
        sort, day = divmod(number, 1 << _DAYS)
        # the last letter has bits to spare, so that several texts hold the same number
        known = sort < 16 and self.write(text[0], sort, day, n, ordinal) == text
        return (sort, day, n, ordinal) if known else None


def words(faces: bytes) -> tuple[int, ...]:
    """The sixteen even draws in 64 bytes of chance."""
    return _WORDS.unpack(faces)


def share(percent: float) -> int:
    """The bound below which so many percent of all draws lie."""
    return round(EVEN * percent / 100)


def identifier(*parts: object, length: int = 6, prefix: str = "P") -> str:
    """An id in the vendor's style that depends on nothing but its parts."""
    number, letters = int.from_bytes(_digest(parts, 16)), ""
    while len(letters) < length:
        number, rest = divmod(number, 36)
        letters += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[rest]
    return prefix + letters


def identifiers(count: int, *parts: object, length: int = 8) -> list[str]:
    """At most a dozen ids at once, for the little things that belong to one."""
    text = base64.b32encode(_digest(parts, 64)).decode()
    return ["P" + text[n * length : (n + 1) * length] for n in range(count)]


def _digest(parts: tuple[object, ...], size: int) -> bytes:
    return hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=size).digest()
