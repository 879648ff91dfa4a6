"""What a token is known to open before anything is asked, and who can open more."""

from dataclasses import dataclass

from seatwise.connectors.base import scopes_to_ask
from seatwise.connectors.errors import AccessDenied, VendorError
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.pagerduty.api import API_KEY
from seatwise.connectors.pagerduty.person import ADMINS
from seatwise.connectors.records import Account

USUAL = frozenset(scopes_to_ask(facts.SCOPES))
OPTIONAL = frozenset(scope.name for scope in facts.SCOPES if scope.optional)

BY_PERMISSION = (
    "An admin of Seatwise presses Integrate again and chooses OAuth, permission by permission."
)


class Withheld(AccessDenied):
    """Nobody needs to ask: the grant is known not to have the permission."""

    def __init__(self, sentence: str, *, remedy: str, chosen: bool = False) -> None:
        super().__init__(sentence, remedy=remedy)
        self.chosen = chosen  # it was not asked for


@dataclass(frozen=True, slots=True)
class Permit:
    """One token: of which kind it is, and which permissions were asked for and granted."""

    asked: frozenset[str]
    granted: frozenset[str] | None  # None: nobody tells, so it is tried
    is_key: bool = False
    is_classic: bool = False  # of a person, and opens what they may read
    classic_write: bool = False
    is_other_app: bool = False  # everything was asked for, of an app that knows single ones only

    @classmethod
    def of(cls, account: Account, token: str, asked: frozenset[str]) -> "Permit":
        granted = account.scopes
        if granted is None or not granted & facts.CLASSIC:
            other = granted is not None and bool(asked & facts.CLASSIC)
            asked = USUAL if asked & facts.CLASSIC else asked
            is_key = token.startswith(API_KEY)
            return cls(asked, granted, is_key=is_key, is_other_app=other)
        return cls(asked, None, is_classic=True, classic_write="write" in granted)

    @property
    def missing(self) -> tuple[str, ...]:
        """What was asked for and not granted, in the order of the ladder."""
        if self.granted is None:
            return ()
        lacking = self.asked - self.granted
        return tuple(scope.name for scope in facts.SCOPES if scope.name in lacking)

    def lacks(self, scope: str) -> bool:
        """Whether a question that needs this scope can be spared."""
        if self.granted is not None:
            return scope not in self.granted
        if scope == facts.ANALYTICS:
            return self.is_classic and not self.classic_write
        return scope in OPTIONAL  # of these only what was granted by name is read

    def concerns(self, *scopes: str) -> bool:
        """Whether somebody chose one of these, or it was granted."""
        return bool((self.asked | (self.granted or frozenset())) & set(scopes))

    def withheld(self, *scopes: str) -> Withheld:
        """In place of an answer: that these are not among what was granted."""
        names = " and ".join(scopes)
        was = f"The permission {names} was" if len(scopes) == 1 else f"The permissions {names} were"
        if self.asked.issuperset(scopes):
            return Withheld(f"{was} not granted.", remedy=self.to_add(names))
        return Withheld(
            f"{was} not asked for.",
            remedy=f"An admin of Seatwise presses Integrate again and ticks {names}.",
            chosen=True,
        )

    def to_add(self, names: str) -> str:
        """Who gives it permissions that were asked for, and how."""
        if self.is_other_app:
            return BY_PERMISSION
        return (
            f"{ADMINS} adds {names} to the app in PagerDuty, then an admin of Seatwise presses"
            " Integrate again."
        )

    def remedy(self, error: VendorError, scope: str) -> str:
        """Who can change what a question that needs this scope was answered with."""
        if isinstance(error, Withheld) or not isinstance(error, AccessDenied):
            return error.remedy
        if self.is_key:
            return f"{ADMINS} makes an API key that may read this; an admin of Seatwise enters it."
        if self.is_classic:
            return f"{ADMINS} authorizes: an admin of Seatwise presses Integrate again."
        return self.to_add(scope)
