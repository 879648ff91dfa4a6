"""Field types for documents from outside: a strange value costs the field, never the row.

Each is as long as the column in `models/` that its value may end up in. Words and names are cut
to it; what would be wrong when cut, an address or an id, is left out.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict

# PostgreSQL stores neither NUL nor half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LARGEST = 2**31 - 1
_PAGE = re.compile(
    r"https://(?:[a-z0-9-]+\.)*pagerduty\.com(?::443)?(?:[/?#][^\s\\]*)?", re.IGNORECASE
)


def text(most: int) -> Callable[[object], str]:
    """A validator that makes of anything a storable string of at most `most` characters."""

    def read(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return ""
        found = str(value)
        if not found.isascii() or "\x00" in found:  # nearly all of them need no second look
            found = _UNSTORABLE.sub("", found)
        return found[:most]

    return read


def uncut(most: int) -> Callable[[object], str]:
    """A validator that makes of anything a storable string, or "" where it is too long."""

    def read(value: object) -> str:
        found = text(most + 1)(value)
        return found if len(found) <= most else ""

    return read


def identifier(value: object) -> str:
    """An id, without which a row means nothing: raises ValueError where there is none."""
    found = uncut(100)(value)
    if not found:
        raise ValueError("no id")
    return found


def moment(value: object) -> datetime | None:
    """An aware time in UTC; None where it is unreadable, without a zone or out of this world."""
    return _moment(value, None)


def moment_utc(value: object) -> datetime | None:
    """As `moment`, where times that name no zone are documented to be in UTC."""
    return _moment(value, UTC)


def _moment(value: object, zone: tzinfo | None) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        found = found.replace(tzinfo=found.tzinfo or zone)
        if found.tzinfo is None:
            return None
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if 1970 <= found.year < 2200 else None


def count(value: object) -> int | None:
    """A whole number from zero up; None where it is anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _LARGEST else None


def link(value: object) -> str:
    """A page on pagerduty.com over https, else nothing: it ends up in a page of ours."""
    address = uncut(500)(value)
    return address if _PAGE.fullmatch(address) else ""


def subdomain(address: str) -> str:
    """The account's subdomain in the address of one of its pages; "" where there is none."""
    host = urlsplit(address).hostname or ""
    return host.split(".")[0] if host.endswith(".pagerduty.com") else ""


def _mapping(value: object) -> object:
    return value if isinstance(value, dict | BaseModel) else None


def _mappings(value: object) -> object:
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict | BaseModel)]


Id = Annotated[str, BeforeValidator(identifier)]
IdOrNone = Annotated[str, BeforeValidator(uncut(100))]  # "" where there is none
Name = Annotated[str, BeforeValidator(text(500))]
Title = Annotated[str, BeforeValidator(text(300))]
Label = Annotated[str, BeforeValidator(text(200))]
Email = Annotated[str, BeforeValidator(uncut(320))]
Word = Annotated[str, BeforeValidator(text(100))]
Moment = Annotated[datetime | None, BeforeValidator(moment)]
Count = Annotated[int | None, BeforeValidator(count)]
Flag = Annotated[bool, BeforeValidator(lambda value: value is True or value == "true")]
Link = Annotated[str, BeforeValidator(link)]
Perhaps = BeforeValidator(_mapping)  # in Annotated[SomeDoc | None, Perhaps]
Several = BeforeValidator(_mappings)  # in Annotated[list[SomeDoc], Several]


class Doc(BaseModel):
    """A document of PagerDuty's: only the fields we use, all others are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ReferenceDoc(Doc):
    """A pointer to something else, for example `{"id": "PX", "type": "user_reference"}`."""

    id: IdOrNone = ""
    type: Word = ""

    @property
    def user_id(self) -> str:
        """The id when this points to a person, else ""."""
        return self.id if self.type in ("user_reference", "user") else ""
