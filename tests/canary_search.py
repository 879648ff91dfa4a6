"""Which secrets are in play, everything that was written, and whether one of them is in it."""

import base64
import html
import re
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

SHORTEST = 8  # characters; anything shorter is found by chance
MARK = b"_0XBPWQQ_"  # in every token of the simulated vendor, however it is written in an address
STEP, WIDE = 4, 8  # bytes: every how many a text is looked at, and how much of it
LONG = STEP + WIDE - 1  # from here on a shape cannot be missed so
# Each page has one, it differs each time, and it is no secret from whoever reads the page.
FORM_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')
ALIKE = bytes.maketrans(b"+/", b"-_")
MOST_TOLD = 20
PIECE = 16_000_000  # bytes of the spool that are looked at together


def shapes(secret: str) -> set[bytes]:
    """A secret as it is, in an address, in a page, in JSON, and within anything in base64."""
    plain = secret.encode()
    texts = {
        secret,
        urllib.parse.quote(secret),
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        html.escape(secret),
        html.escape(secret, quote=False),
    }
    return {text.encode() for text in texts} | set(_in_base64(plain))


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """What of it is certain to stand there, whatever stands before and behind it."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + plain)
        first = (before * 8 + 5) // 6
        last = (before + len(plain)) * 8 // 6
        sure = whole[first:last]
        if len(sure) >= SHORTEST:
            yield sure


def _alike(written: bytes) -> bytes:
    """Both alphabets of base64 in the same letters."""
    return written.translate(ALIKE)


@dataclass(frozen=True, slots=True)
class Writing:
    """One thing that was written: where, and which kinds of secrets are shown there on purpose."""

    place: str
    start: int
    length: int
    shown: frozenset[str]


def _on_disk() -> BinaryIO:
    return tempfile.TemporaryFile()  # closed at the end of the run


@dataclass
class Canaries:
    """The register of secrets, and the spool of what was written while they were in play."""

    secrets: dict[str, str] = field(default_factory=dict)  # and of which kind each is
    writings: list[Writing] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    spool: BinaryIO = field(default_factory=_on_disk)
    size: int = 0
    turn: threading.RLock = field(default_factory=threading.RLock)

    def secret(self, kind: str, value: str | None) -> None:
        """From now on this must be written nowhere, not as part of a longer word either."""
        if value and len(value) >= SHORTEST and MARK.decode() not in value:
            self.secrets[value] = kind

    def write(self, place: str, content: str | bytes, shown: frozenset[str] = frozenset()) -> None:
        """Keeps what was written until the end; `shown` are kinds that are meant to be there."""
        raw = content.encode(errors="replace") if isinstance(content, str) else content
        raw = FORM_TOKEN.sub(b"", raw)
        known = hash((raw, shown))
        with self.turn:  # threads write, too
            if not raw or known in self.seen:
                return
            self.seen.add(known)
            self.spool.seek(self.size)
            self.spool.write(raw)
            self.writings.append(Writing(place, self.size, len(raw), shown))
            self.size += len(raw)

    def found(self) -> list[str]:
        """Where secrets stand, in sentences that do not repeat them."""
        told = {_alike(MARK): "vendor's token"}
        told |= {_alike(shape): "vendor's token" for shape in _in_base64(MARK)}
        for value, kind in self.secrets.items():
            told |= dict.fromkeys(map(_alike, shapes(value)), kind)
        long = _Index({shape: kind for shape, kind in told.items() if len(shape) >= LONG})
        short = self._anywhere([each for each in told.items() if len(each[0]) < LONG])
        return list(dict.fromkeys(self._search(long, short)))

    def _search(self, long: "_Index", short: list[tuple[bytes, str]]) -> Iterator[str]:
        for writing in self.writings:
            self.spool.seek(writing.start)
            raw = _alike(self.spool.read(writing.length))
            kinds = {kind for shape, kind in short if shape in raw} | long.kinds_in(raw)
            for kind in sorted(kinds - writing.shown):
                yield f"a {kind} stands in: {writing.place}"

    def _anywhere(self, short: list[tuple[bytes, str]]) -> list[tuple[bytes, str]]:
        """Those that are in the spool at all: in large pieces, which is far quicker."""
        found: set[bytes] = set()
        for start in range(0, self.size, PIECE):
            self.spool.seek(start)
            raw = _alike(self.spool.read(PIECE + LONG))
            found |= {shape for shape, _ in short if shape not in found and shape in raw}
        return [(shape, kind) for shape, kind in short if shape in found]


class _Index:
    """Many shapes, each of them found wherever it stands, in the time that one of them would take.

    Of a text every STEP-th piece is looked up. A shape is known by its first STEP pieces, so
    wherever it begins, one of those is met.
    """

    def __init__(self, kinds: dict[bytes, str]) -> None:
        self.kinds = kinds
        self.pieces: dict[bytes, list[bytes]] = {}
        for shape in kinds:
            for start in range(STEP):
                self.pieces.setdefault(shape[start : start + WIDE], []).append(shape)

    def kinds_in(self, raw: bytes) -> set[str]:
        """The kinds of all shapes that stand in it."""
        met = {raw[start : start + WIDE] for start in range(0, len(raw), STEP)}
        shapes_met = {shape for piece in met & self.pieces.keys() for shape in self.pieces[piece]}
        return {self.kinds[shape] for shape in shapes_met if shape in raw}
