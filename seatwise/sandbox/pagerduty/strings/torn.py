"""Faults on the way: a request sent twice, an answer cut off, torn, late, endless or too large."""

import struct
import zlib
from typing import Final

from .strike import Answer, Strike

MINUTE: Final = 60.0
MIB: Final = 1024 * 1024
ENDLESS: Final = 512 * MIB
BOMB: Final = 256 * MIB
PIECE: Final = b"0" * 65_536
START, END = b'{"padding":"', b'"}'
GZIP_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
TRICKLE: Final = 0.05  # seconds between pieces, unless the fault says otherwise


async def slow(strike: Strike) -> None:
    """The right answer, late; the work is done at once."""
    good = await strike.good()
    await strike.pause()
    await strike.give(good)


async def twice(strike: Strike) -> None:
    """The second answer; the work is done once more than the client knows."""
    await strike.posted()
    first = Strike(strike.fault, strike.app, dict(strike.scope), strike.receive, strike.send)
    await first.good()  # in a scope of its own, because routing leaves its marks there
    await slow(strike)


async def truncate(strike: Strike) -> None:
    """Complete for HTTP, cut off for JSON."""
    good = await strike.good()
    good.body = good.body[: _cut(strike, good)]
    await strike.pause()
    await strike.give(good)


async def truncate_length(strike: Strike) -> None:
    """The length of the whole is promised; the connection is closed before it has come."""
    good = await _taken(strike)
    strike.wire.write(good.head(len(good.body)) + good.body[: _cut(strike, good)])
    await strike.wire.close()


async def truncate_close(strike: Strike) -> None:
    """No length is promised and the body ends with the connection, too early."""
    good = await _taken(strike)
    strike.wire.write(good.head(None) + good.body[: _cut(strike, good)])
    await strike.wire.close()


async def reset_body(strike: Strike) -> None:
    """A part of the answer arrives, then the connection is reset."""
    good = await _taken(strike)
    strike.wire.write(good.head(len(good.body)) + good.body[: _cut(strike, good)])
    await strike.wire.pause(TRICKLE)  # a reset throws away what has not been sent
    await strike.wire.reset()


async def reset(strike: Strike) -> None:
    """The connection is reset before a byte of the answer."""
    await _lost(strike)
    await strike.pause()
    await strike.wire.reset()


async def hang(strike: Strike) -> None:
    """Not a byte for a long time; then the connection is closed."""
    await _lost(strike)
    await strike.wire.pause(strike.fault.delay or MINUTE)
    await strike.wire.close()


async def trickle(strike: Strike) -> None:
    """The right answer, a few bytes at a time."""
    good, piece = await strike.good(), strike.fault.piece
    strike.wire.taken = True
    length = (b"content-length", b"%d" % len(good.body))
    await strike.start(good.status, [*good.without(b"content-length"), length])
    for start in range(0, len(good.body), piece):
        if not await strike.more(good.body[start : start + piece]):
            return
        await strike.wire.pause(strike.fault.delay or TRICKLE)
    await strike.end()


async def endless(strike: Strike) -> None:
    """A body that does not end before the client goes, or before so many bytes."""
    await _begin(strike, [])
    left = strike.fault.size or ENDLESS
    going = await strike.more(START)
    while going and left > 0:
        going = await strike.more(PIECE[:left])
        left -= len(PIECE)
    if going and await strike.more(END):
        await strike.end()


async def gzip_bomb(strike: Strike) -> None:
    """A body that unpacks to a thousand times its size."""
    await _begin(strike, [(b"content-encoding", b"gzip")])
    size, padding = strike.fault.size or BOMB, b"0" * MIB
    block, check = _deflated(padding), zlib.crc32(START)
    going = await strike.more(GZIP_HEAD + _deflated(START))
    left = size
    while going and left > 0:
        check = zlib.crc32(padding[:left], check)
        going = await strike.more(block if left >= MIB else _deflated(padding[:left]))
        left -= MIB
    whole = len(START) + size + len(END)
    trailer = struct.pack("<II", zlib.crc32(END, check), whole & 0xFFFFFFFF)
    if going and await strike.more(_deflated(END, last=True) + trailer):
        await strike.end()


def _cut(strike: Strike, good: Answer) -> int:
    """How many bytes of the body are sent; never all of them."""
    wanted = strike.fault.at_byte
    if wanted is None:
        wanted = int(len(good.body) * strike.fault.share)
    return max(0, min(wanted, len(good.body) - 1))


async def _taken(strike: Strike) -> Answer:
    good = await strike.good()
    await strike.pause()
    await strike.note(good.status)
    return good


async def _lost(strike: Strike) -> None:
    if strike.fault.perform:
        await strike.good()
    await strike.note(None)


async def _begin(strike: Strike, more: list[tuple[bytes, bytes]]) -> None:
    if strike.fault.perform:
        await strike.good()
    await strike.pause()
    strike.wire.taken = True
    await strike.start(200, [(b"content-type", b"application/json"), *more])


def _deflated(data: bytes, *, last: bool = False) -> bytes:
    """A stretch of a deflate stream that does not lean on what came before it."""
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(data) + packer.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)
