"""Sign-in sessions of which a stolen database opens none: the key is stored only as its hash."""

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

LONGEST = 40  # characters that the table holds; 160 bits of the hash


class SessionStore(db.SessionStore):
    """Django's own, in the database, that looks sessions up by the hash of what the cookie says."""

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        stored = self.model.objects.filter(
            session_key=_hashed(self.session_key or ""), expire_date__gt=timezone.now()
        ).first()
        if stored is None:
            self._session_key = None  # as Django does: a key that is not there is never adopted
        return stored

    def exists(self, session_key: str) -> bool:
        return super().exists(_hashed(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = _hashed(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(_hashed(key))


def _hashed(session_key: str) -> str:
    return hashlib.sha256(f"seatwise session {session_key}".encode()).hexdigest()[:LONGEST]
