"""Usage alerts: what is watched of a service, who is told, and that it arrives.

A number that is unknown never fires an alert and never ends one. Months are those of
settings.BILLING_ZONE.
"""

from seatwise.alerts.channels import add_channel, new_secret, remove_channel
from seatwise.alerts.deliveries import again, forget_old, send_due, try_alert, try_channel
from seatwise.alerts.digest import send_digests
from seatwise.alerts.mail import missing as missing_mail
from seatwise.alerts.making import Wish, delete, save, switch
from seatwise.alerts.units import Unit, Units, in_words, unit_of, units_of
from seatwise.alerts.watching import Recipients, admin_addresses, recipients, watch

__all__ = [
    "Recipients",
    "Unit",
    "Units",
    "Wish",
    "add_channel",
    "admin_addresses",
    "again",
    "delete",
    "forget_old",
    "in_words",
    "missing_mail",
    "new_secret",
    "recipients",
    "remove_channel",
    "save",
    "send_digests",
    "send_due",
    "switch",
    "try_alert",
    "try_channel",
    "unit_of",
    "units_of",
    "watch",
]
