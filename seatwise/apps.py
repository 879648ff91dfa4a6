from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

PATIENT = "SET idle_in_transaction_session_timeout = 0"
AS_BEFORE = "RESET idle_in_transaction_session_timeout"


class SeatwiseConfig(AppConfig):
    name = "seatwise"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        pre_migrate.connect(_be_patient, sender=self)
        post_migrate.connect(_be_as_before, sender=self)


def _be_patient(using: str, **_told: Any) -> None:
    """A migration may count and compare for long between two questions of one transaction."""
    with connections[using].cursor() as cursor:
        cursor.execute(PATIENT)


def _be_as_before(using: str, **_told: Any) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(AS_BEFORE)
