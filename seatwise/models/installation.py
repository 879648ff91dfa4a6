"""This installation: which database it is, which keys seal its secrets, whether it may sync."""

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from django.db import connection, models
from django.db.models import Func, TextField

from seatwise.models.sealed import Sealed
from seatwise.vault import CannotOpen

ONLY = 1  # the one row there is
KNOWN_WORDS = "The keys of this installation open this."
DATABASE = "(SELECT oid::text FROM pg_database WHERE datname = current_database())"
TABLE = "'seatwise_installation'::regclass::oid::text"  # another one after every restore


class InstallationQuerySet(models.QuerySet["Installation"]):
    def with_here(self) -> Self:
        """With where the row was found, in the same query: see `Installation.here`."""
        return self.annotate(here_database=_told(DATABASE), here_table=_told(TABLE))


class Installation(Sealed):
    """One row. A copy of the database brings it along and is known by where it wakes up."""

    SEALED_AS = "installation"
    SEALED_FIELDS: ClassVar[tuple[str, ...]] = ("key_check",)

    id = models.SmallIntegerField(primary_key=True, default=ONLY)
    uid = models.UUIDField(default=uuid.uuid4)  # also on every connection, beside its tokens
    # Where it lives, which a copy cannot bring along: {"system", "database", "table",
    # "address"}; "" where it is not known.
    place = models.JSONField(default=dict)
    key_check = models.TextField(blank=True)  # known words, sealed: opened by the right keys only
    paused_at = models.DateTimeField(null=True)
    paused_why = models.TextField(blank=True)
    paused_signs = models.JSONField(default=list)  # what of `place` was another; [] by hand

    objects = InstallationQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=ONLY), name="one_installation")]

    def __str__(self) -> str:
        return f"installation {self.uid}"

    def here(self, address: str) -> dict[str, str]:
        """Where the row was found (`with_here`), in the shape of `place`, without the server."""
        asked: Any = self
        return {
            "database": asked.here_database,
            "table": asked.here_table,
            "address": address,
        }

    def moved(self, here: Mapping[str, str]) -> list[str]:
        """What of `place` is another now. What one of the two does not know tells nothing."""
        known = {name: told for name, told in here.items() if told and self.place.get(name)}
        return [name for name, told in known.items() if told != self.place[name]]

    def seal_key_check(self) -> None:
        """Binds this installation to the key that seals now. The row is not saved here."""
        self.seal("key_check", KNOWN_WORDS)

    def prove_keys(self) -> None:
        """Raises vault.CannotOpen when the keys are not those that secrets were sealed with."""
        if self.unseal("key_check") != KNOWN_WORDS:
            raise CannotOpen("No key was proved to be the right one yet.")


def _told(sql: str) -> Func:
    return Func(template=sql, output_field=TextField())


def database_server() -> str:
    """The server's own identifier; "" where a managed server keeps it to itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_function_privilege('pg_control_system()', 'execute')")
        if not cursor.fetchone()[0]:
            return ""
        cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
        return str(cursor.fetchone()[0])
