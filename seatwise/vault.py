"""Seals secrets so that a stolen database opens nothing, and a moved ciphertext neither.

AES-256-GCM. The place a secret lives in (table, row, field) is bound to the ciphertext as
associated data: copied to another row, it does not open. Keys form a ring: the first seals,
all of them open, so keys can be changed without stopping.
"""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = "v1"
NONCE_BYTES = 12


class CannotOpen(Exception):
    """The ciphertext was moved, altered, or sealed with a key that is not on the ring."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Keys by id, in order: the first seals, all open."""

    keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Ring":
        """Reads comma-separated base64 keys of 32 bytes. Raises ValueError in a sentence."""
        keys: list[tuple[str, bytes]] = []
        for part in text.split(","):
            try:
                key = base64.urlsafe_b64decode(part.strip())
            except (binascii.Error, ValueError):
                raise ValueError("a key is not base64") from None
            if len(key) != 32:
                raise ValueError("a key must be 32 bytes in base64")
            keys.append((_key_id(key), key))
        return cls(tuple(keys))

    def seal(self, secret: str, place: str) -> str:
        """Ciphertext of `secret`, which opens only at `place` ("table:row:field")."""
        key_id, key = self.keys[0]
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, secret.encode(), _bound(key_id, place))
        return f"{VERSION}.{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, ciphertext: str, place: str) -> str:
        """The secret that was sealed at `place`. Raises CannotOpen."""
        version, _, rest = ciphertext.partition(".")
        key_id, _, payload = rest.partition(".")
        key = dict(self.keys).get(key_id)
        if version != VERSION or key is None:
            raise CannotOpen("The secret was sealed with a key that is not configured.")
        try:
            raw = base64.urlsafe_b64decode(payload)
            nonce, sealed = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
            return AESGCM(key).decrypt(nonce, sealed, _bound(key_id, place)).decode()
        except (InvalidTag, ValueError):
            raise CannotOpen("The secret was altered or moved from another row.") from None


def new_key() -> str:
    """A fresh random key in the form that `Ring.parse` reads."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"seatwise key id" + key).hexdigest()[:8]


def _bound(key_id: str, place: str) -> bytes:
    return f"seatwise|{VERSION}|{key_id}|{place}".encode()
