"""Seals secrets so that a stolen database opens nothing, and a moved ciphertext neither.

AES-256-GCM. The place a secret lives in (table, row, field) is bound to the ciphertext as
associated data: copied to another row, it does not open. Keys form a ring: the first seals,
all of them open, so keys can be changed without stopping. A ciphertext tells in plain which
key sealed it, so whoever lacks that key can say so.
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
LONGEST = 1 << 20  # characters of a ciphertext; no secret of a vendor comes near


class CannotOpen(Exception):
    """The ciphertext was moved, altered, or sealed with a key that is not on the ring."""


class KeyMissing(CannotOpen):
    """It was sealed with a key that is not on the ring; with that key it would perhaps open."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"The secret was sealed with key {key_id}, which is not configured.")
        self.key_id = key_id


@dataclass(frozen=True, slots=True)
class Ring:
    """Keys by id, in order: the first seals, all open."""

    keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Ring":
        """Reads comma-separated base64 keys of 32 bytes. Raises ValueError in a sentence."""
        keys: dict[str, bytes] = {}
        for part in text.split(","):
            try:
                key = base64.urlsafe_b64decode(part.strip())
            except (binascii.Error, ValueError):
                raise ValueError("a key is not base64") from None
            if len(key) != 32:
                raise ValueError("a key must be 32 bytes in base64")
            if _key_id(key) in keys:
                raise ValueError(f"a key, {_key_id(key)}, is there twice")
            keys[_key_id(key)] = key
        return cls(tuple(keys.items()))

    @property
    def ids(self) -> tuple[str, ...]:
        """The keys' ids in their order. An id is no secret and tells nothing of its key."""
        return tuple(key_id for key_id, _key in self.keys)

    @property
    def first(self) -> str:
        """The id of the key that seals."""
        return self.keys[0][0]

    def seal(self, secret: str, place: str) -> str:
        """Ciphertext of `secret`, which opens only at `place` ("table:row:field")."""
        key_id, key = self.keys[0]
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, secret.encode(), _bound(key_id, place))
        return f"{VERSION}.{key_id}.{_encoded(nonce + sealed)}"

    def open(self, ciphertext: str, place: str) -> str:
        """The secret that was sealed at `place`. Raises CannotOpen, whatever it is given."""
        key_id = key_id_of(ciphertext)
        key = dict(self.keys).get(key_id)
        if key is None:
            raise KeyMissing(key_id)
        try:
            raw = _decoded(ciphertext.rpartition(".")[2])
            nonce, sealed = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
            return AESGCM(key).decrypt(nonce, sealed, _bound(key_id, place)).decode()
        except (InvalidTag, ValueError):
            raise CannotOpen("The secret was altered or moved from another row.") from None

    def reseal(self, ciphertext: str, place: str) -> str:
        """The same secret, sealed by the first key. Raises CannotOpen."""
        return self.seal(self.open(ciphertext, place), place)


def key_id_of(ciphertext: str) -> str:
    """Which key sealed it. Raises CannotOpen for what no key of ours has sealed."""
    parts = ciphertext.split(".") if len(ciphertext) <= LONGEST else []
    if len(parts) != 3 or parts[0] != VERSION or not _is_key_id(parts[1]):
        raise CannotOpen("What is stored is no sealed secret of ours: it was altered.")
    return parts[1]


def new_key() -> str:
    """A fresh random key in the form that `Ring.parse` reads."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"seatwise key id" + key).hexdigest()[:8]


def _is_key_id(text: str) -> bool:
    return len(text) == 8 and set(text) <= set("0123456789abcdef")


def _bound(key_id: str, place: str) -> bytes:
    return f"seatwise|{VERSION}|{key_id}|{place}".encode()


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _decoded(payload: str) -> bytes:
    """Strict, unlike base64 itself, which skips strangers and ignores the last bits."""
    raw = base64.urlsafe_b64decode(payload)
    if _encoded(raw) != payload:
        raise ValueError("not as we wrote it")
    return raw
