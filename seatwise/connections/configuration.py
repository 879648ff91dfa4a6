"""The settings of each connector, read by what the connector itself declares."""

from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from seatwise.connectors.base import (
    Config,
    Connector,
    Setting,
    all_connectors,
    find,
    seconds_in,
)
from seatwise.settings import read, refuse, split_url


class NotConfigured(Exception):
    """The operator has not set what this connector needs."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"Seatwise is not registered there yet: {', '.join(missing)} not set.")
        self.remedy = "The operator of Seatwise sets them and starts Seatwise again."


def config(connector: Connector) -> Config:
    """The connector's settings by name; "" for what is not set: see `missing_settings`."""
    return {setting.name: _value(connector, setting) for setting in connector.settings}


def missing_settings(key: str, way: str | None = None) -> list[str]:
    """The environment names that must be set before anybody can be let in; [] when ready.

    For one way by its key; for None, for those ways on which a person consents at the vendor.
    """
    connector = find(key)
    if connector is None:
        return []
    ways = [each for each in connector.ways if way in (each.key, None)]
    if way is None:
        ways = [each for each in ways if each.kind == "consent"]
    needed = {name for each in ways for name in each.needs}
    return [
        _environment_name(connector, setting)
        for setting in connector.settings
        if setting.name in needed and not _value(connector, setting)
    ]


def check_settings() -> None:
    """Stops the start with one line when a connector's setting cannot be used."""
    for connector in all_connectors().values():
        for setting in connector.settings:
            value = _value(connector, setting)
            if setting.is_url and value:
                parts = split_url(value)
                loopback = parts and parts.hostname in {"localhost", "127.0.0.1", "::1"}
                allowed = {"http", "https"} if loopback else {"https"}
                if parts is None or parts.scheme not in allowed:
                    raise refuse(
                        _environment_name(connector, setting), "must be an https:// address."
                    )
            if setting.is_seconds:
                try:
                    seconds_in(value)
                except ValueError as wrong:
                    raise refuse(_environment_name(connector, setting), str(wrong)) from None


def callback_url(key: str) -> str:
    """The redirect address to register at the vendor: from settings only, never a request.

    One for each connector, so that an answer of one vendor cannot be taken for another's.
    """
    return f"{settings.BASE_URL}{reverse('callback', args=[key])}"


def consent_origins() -> list[str]:
    """The origins that a page's Authorize form may lead to."""
    origins = set()
    for connector in all_connectors().values():
        consents = [way for way in connector.ways if way.kind == "consent"]
        if any(not missing_settings(connector.key, way.key) for way in consents):
            parts = urlsplit(connector.oauth_app(config(connector)).authorize_url)
            origins.add(f"{parts.scheme}://{parts.netloc}")
    return sorted(origins)


def _environment_name(connector: Connector, setting: Setting) -> str:
    return f"SEATWISE_{connector.key.upper()}_{setting.name}"


def _value(connector: Connector, setting: Setting) -> str:
    return read(_environment_name(connector, setting), setting.default or "")
