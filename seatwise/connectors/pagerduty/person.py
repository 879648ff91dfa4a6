"""The person behind a grant, where there is one, and whom to ask for what only few may do."""

from seatwise.connectors.errors import REFUSALS
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.fields import Doc, Email, Link, Name, Word

ADMINS = "An Account Owner or Global Admin of the PagerDuty account"
LONGEST_WHO = 300  # characters


class MeDoc(Doc):
    """The authorizing person. The answer also holds secret calendar addresses: never add them."""

    name: Name = ""
    email: Email = ""
    role: Word = ""
    html_url: Link = ""

    @property
    def who(self) -> str:
        """Name and e-mail, the e-mail alone where both are too long; "" of nobody."""
        both = f"{self.name} <{self.email}>" if self.name and self.email else self.name
        both = both or self.email
        return both if len(both) <= LONGEST_WHO else (self.email or self.name)[:LONGEST_WHO]


class MeAnswerDoc(Doc):
    user: MeDoc


async def read_me(api: Api) -> MeDoc:
    """Whoever the token acts for. Raises VendorError, a refusal where it acts for nobody."""
    return (await api.get("/users/me", MeAnswerDoc)).user


async def find_me(api: Api) -> MeDoc:
    """As `read_me`, but an empty one where nobody stands behind the token."""
    try:
        return await read_me(api)
    except REFUSALS:  # an API key or a machine's grant
        return MeDoc()
