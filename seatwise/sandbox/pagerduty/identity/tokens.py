"""Bearer tokens that carry their own facts, sealed, so that none of them has to be remembered.

A million refreshes leave nothing behind, and still each of their tokens is recognised.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["u", "r"]  # u: opens the API; r: gets new tokens
FACTS: Final = struct.Struct(">QQQ")
MARK: Final = "+_0XBPWQQ_"
END: Final = "+/="  # whoever does not encode form values finds out here
PROOF: Final = 15  # bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """What a genuine token says."""

    kind: Kind
    grant: int
    serial: int
    until: float  # seconds on the register's clock; 0 where the register knows better


class Seal:
    """Makes tokens and recognises them; a token of another seal means nothing to it."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, kind: Kind, region: str, grant: int, serial: int, until: float = 0.0) -> str:
        """A new token with these facts in it, which nobody else can read or change."""
        facts = FACTS.pack(grant, serial, max(0, round(until * 1000)))
        proof = self._proof(kind, facts)
        body = base64.b64encode(proof + self._veil(proof, facts)).decode()
        return f"pd{region}{MARK}{kind}{body}{END}"

    def open(self, token: str) -> Opened | None:
        """What the token says, or None when it was not made here or is not whole."""
        body = token.partition(MARK)[2].removesuffix(END)
        kind: Kind = "r" if body[:1] == "r" else "u"
        try:
            sealed = base64.b64decode(body[1:], validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(sealed) != PROOF + FACTS.size or not token.endswith(END):
            return None
        proof, facts = sealed[:PROOF], self._veil(sealed[:PROOF], sealed[PROOF:])
        if not hmac.compare_digest(proof, self._proof(kind, facts)):
            return None
        grant, serial, until = FACTS.unpack(facts)
        return Opened(kind, grant, serial, until / 1000)

    def _proof(self, kind: Kind, facts: bytes) -> bytes:
        person = kind.encode()
        return hashlib.blake2b(facts, digest_size=PROOF, key=self._key, person=person).digest()

    def _veil(self, proof: bytes, facts: bytes) -> bytes:
        pad = hashlib.blake2b(proof, digest_size=FACTS.size, key=self._key, person=b"veil").digest()
        return bytes(a ^ b for a, b in zip(facts, pad, strict=True))
