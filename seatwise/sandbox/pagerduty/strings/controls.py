"""Everything about the sandbox's behaviour that a script can change while it runs."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal

from ...options import Options
from .. import scopes
from ..company.account import kinds
from ..company.crew import ROLES
from ..company.licenses import KNOWN
from .faults import Fault, parse
from .values import Parse, each_one_of, number, one_of, or_null, whole, words, yes_or_no

ISSUERS: Final = ("none", "own", "other")
ID_TOKENS: Final = (
    "good",
    "missing",
    "unsigned",
    "forged",
    "public_key",
    "expired",
    "early",
    "other_issuer",
    "other_audience",
    "other_party",
)
LISTS: Final = ("all", "half", "nobody")
SCOPES: Final = frozenset({*scopes.SCOPES, *scopes.CLASSIC_SCOPES})
YEARS: Final = 10 * 366 * 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that can be set: what it does, and what makes a value of it.

    `parse` raises ValueError with the end of a sentence that begins with the control's name.
    """

    meaning: str
    parse: Parse
    of: str | None = None  # what its words must be the names of


class Controls:
    """How the sandbox behaves just now. `clear()` goes back to how it was started."""

    faults: list[Fault]
    withhold_scopes: set[str]
    revoke_scopes: set[str]
    lack_ability: set[str]
    code_ttl: float | None
    token_ttl: int | None
    refresh_ttl: float | None
    rate_limit: int
    daily_limit: int | None
    latency_ms: int
    rotation: bool
    reuse_detection: bool
    rotation_grace: float
    clock_skew: float
    churn: float
    lists: Literal["all", "half", "nobody"]
    demote: dict[str, str]
    remove: set[str]
    suspended: set[str]
    iss: Literal["none", "own", "other"]
    id_token: str
    read_only_keys: bool

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self.cleared = 0  # how often; whoever counts requests begins anew then
        accounts = kinds(self._options.users, 0, self._options.accounts)
        self._names: dict[str, Collection[str]] = {
            "scopes": SCOPES,
            "abilities": KNOWN,
            "accounts": [account.subdomain for account in accounts],
        }
        self.clear()

    def clear(self) -> None:
        """Back to a good day."""
        self.cleared += 1
        self.faults = []
        self.withhold_scopes, self.revoke_scopes, self.lack_ability = set(), set(), set()
        self.code_ttl = self.token_ttl = self.refresh_ttl = None
        self.rate_limit, self.daily_limit = self._options.rate_limit, None
        self.latency_ms = self._options.latency_ms
        self.rotation = self.reuse_detection = True
        self.rotation_grace = self.clock_skew = self.churn = 0.0
        self.lists = "all"
        self.demote, self.remove, self.suspended = {}, set(), set()
        self.iss, self.id_token, self.read_only_keys = "none", "good", False

    def script(self, posted: Any) -> None:
        """Takes one fault or object of controls, or a list of them: all of it or nothing.

        Whatever has a `path` is a fault, and is added; a control takes the place of what it was.
        Raises ValueError with a plain sentence on anything it does not understand.
        """
        faults: list[Fault] = []
        values: dict[str, Any] = {}
        for wanted in posted if isinstance(posted, list) else [posted]:
            if not isinstance(wanted, dict):
                raise ValueError("a fault or an object of controls was expected")
            if "path" in wanted:
                faults.append(parse(wanted))
                continue
            for name, value in wanted.items():
                values[name] = self._parsed(name, value)
        self.faults += faults
        for name, value in values.items():
            setattr(self, name, value)

    def describe(self) -> dict[str, Any]:
        """What is set now, and every fault with the number of times it has struck."""
        shown = {name: getattr(self, name) for name in CONTROLS}
        return {
            "controls": {
                name: sorted(value) if isinstance(value, set) else value
                for name, value in shown.items()
            },
            "faults": [fault.describe() for fault in self.faults],
        }

    def _parsed(self, name: str, value: Any) -> Any:
        if name not in CONTROLS:
            raise ValueError(f"there is no control {name!r}; a fault needs a path")
        control = CONTROLS[name]
        try:
            parsed = control.parse(value)
        except ValueError as wrong:
            raise ValueError(f"{name} {wrong}") from None
        if control.of and (strange := sorted(parsed.difference(self._names[control.of]))):
            there = ", ".join(sorted(self._names[control.of]))
            raise ValueError(f"{name} names {strange[0]!r}; the {control.of} are {there}")
        return parsed


def _roles(value: Any) -> dict[str, str]:
    return {_named(each): role for each, role in each_one_of(tuple(ROLES))(value).items()}


def _people(value: Any) -> set[str]:
    return {_named(each) for each in words(value)}


def _named(text: str) -> str:
    """An id as it is; an e-mail address in small letters, as the accounts keep them."""
    return text.casefold() if "@" in text else text


CONTROLS: Final[dict[str, Control]] = {
    "withhold_scopes": Control("scopes that are missing in grants from now on", words, "scopes"),
    "revoke_scopes": Control("scopes that are missing in existing tokens as well", words, "scopes"),
    "lack_ability": Control("abilities that the accounts do not have", words, "abilities"),
    "code_ttl": Control(
        "seconds that an authorization code lives; null: as documented", or_null(number(0, YEARS))
    ),
    "token_ttl": Control(
        "seconds that an access token lives; null: as documented", or_null(whole(0, YEARS))
    ),
    "refresh_ttl": Control(
        "seconds that a refresh token lives; null: as documented", or_null(number(0, YEARS))
    ),
    "rate_limit": Control("requests a minute for each caller", whole(1, 10_000_000)),
    "daily_limit": Control(
        "analytics requests a day for each account; null: no limit",
        or_null(whole(0, 10_000_000)),
    ),
    "latency_ms": Control("milliseconds before every answer", whole(0, 60_000)),
    "rotation": Control("whether a refresh brings a new refresh token", yes_or_no),
    "reuse_detection": Control(
        "whether a dead refresh token that comes back ends the whole grant", yes_or_no
    ),
    "rotation_grace": Control(
        "seconds during which the previous refresh token still works", number(0, YEARS)
    ),
    "clock_skew": Control("seconds by which the vendor's clock is ahead", number(-YEARS, YEARS)),
    "churn": Control(
        "people who join, leave or change role, for each page of users read", number(0, 1_000)
    ),
    "lists": Control(
        "whom the lists of users and licences show: all, half or nobody", one_of(LISTS)
    ),
    "demote": Control("roles that count from now on, by user id or e-mail address", _roles),
    "remove": Control("user ids or e-mail addresses of people who were removed", _people),
    "suspended": Control("subdomains of accounts that are suspended", words, "accounts"),
    "iss": Control(
        "the issuer that goes back beside a code: none, own, or another's", one_of(ISSUERS)
    ),
    "id_token": Control(
        f"what is wrong with ID tokens: {', '.join(ID_TOKENS[:-1])} or {ID_TOKENS[-1]}",
        one_of(ID_TOKENS),
    ),
    "read_only_keys": Control("whether API keys may not POST, analytics included", yes_or_no),
}
