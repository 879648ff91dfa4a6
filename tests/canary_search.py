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
WORD = re.compile(rb"[A-Za-z0-9_-]{16,}")
# Each page has one, it differs each time, and it is no secret from whoever reads the page.
FORM_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')
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
            yield sure.translate(bytes.maketrans(b"+/", b"-_"))


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

    plain: dict[str, str] = field(default_factory=dict)  # few: looked for in every shape
    words: dict[bytes, str] = field(default_factory=dict)  # many: random words
    writings: list[Writing] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    spool: BinaryIO = field(default_factory=_on_disk)
    size: int = 0
    turn: threading.RLock = field(default_factory=threading.RLock)

    def secret(self, kind: str, value: str | None, *, within: bool = False) -> None:
        """From now on this must be written nowhere; `within`: not as part of a longer word either.

        Random words of their own are quick to look for, however many there are.
        """
        if not value or len(value) < SHORTEST or MARK.decode() in value:
            return
        if WORD.fullmatch(value.encode()) and len(value) >= 20 and not within:
            self.words[value.encode()] = kind
        else:
            self.plain[value] = kind

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
        plain = [(shape, kind) for value, kind in self.plain.items() for shape in shapes(value)]
        marks = {MARK, *(shape for shape in _in_base64(MARK) if len(shape) >= SHORTEST)}
        plain += [(mark, "vendor's token") for mark in marks]
        # A random word in base64 stands at the start of a word, or it was put in with others.
        words = dict(self.words)
        words |= {base64.b64encode(word)[:16]: f"{kind} in base64" for word, kind in words.items()}
        return list(dict.fromkeys(self._search(plain, words)))

    def _search(self, plain: list[tuple[bytes, str]], words: dict[bytes, str]) -> Iterator[str]:
        plain = self._anywhere(plain)
        for writing in self.writings:
            self.spool.seek(writing.start)
            raw = self.spool.read(writing.length)
            kinds = {kind for shape, kind in plain if shape in raw}
            for match in WORD.finditer(raw):
                kind = words.get(match[0]) or words.get(match[0][:16])
                if kind:
                    kinds.add(kind)
            for kind in sorted(kinds - writing.shown):
                yield f"a {kind} stands in: {writing.place}"

    def _anywhere(self, plain: list[tuple[bytes, str]]) -> list[tuple[bytes, str]]:
        """Those that are in the spool at all: in large pieces, which is far quicker."""
        overlap = max(len(shape) for shape, _ in plain)
        found: set[bytes] = set()
        for start in range(0, self.size, PIECE):
            self.spool.seek(start)
            raw = self.spool.read(PIECE + overlap)
            found |= {shape for shape, _ in plain if shape not in found and shape in raw}
        return [(shape, kind) for shape, kind in plain if shape in found]
