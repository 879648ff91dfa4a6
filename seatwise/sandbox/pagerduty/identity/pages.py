"""What people see of the sandbox: plain HTML pages, plainly not the real vendor's."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ..company.account import Account
from ..company.people import Person
from .examples import role_name
from .grants import Client

HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
REGIONS: Final = {"us": "US service region", "eu": "EU service region"}


@dataclass(frozen=True, slots=True)
class Offer:
    """People of an account one may be, each with the number of further accounts they have."""

    account: Account
    people: tuple[tuple[Person, int], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """An account to choose. `person` is who one is there, None for a stranger."""

    account: Account
    person: Person | None
    suspended: bool


def sign_in(number: str, client: Client, offers: Sequence[Offer], unknown: str = "") -> Response:
    """Asks who it is. `unknown` is an address that nobody here has."""
    groups = "".join(_group(offer) for offer in offers)
    wrong = ""
    if unknown:
        wrong = (
            '<p class="wrong" role="alert" id="wrong">Nobody here has the address '
            f"<bdi>{escape(unknown)}</bdi>. Take one from the list below.</p>"
        )
    described = ' aria-describedby="wrong" aria-invalid="true"' if unknown else ""
    return _page(
        "Sign in",
        f"<p><b>{escape(client.name)}</b> asks for access. Who are you? There are no passwords "
        "in the sandbox.</p>"
        f'{wrong}<form method="post" action="/identity/sign-in" class="inline">{_hidden(number)}'
        '<label for="email">E-mail address</label><div>'
        '<input id="email" name="email" type="email" autocomplete="off" required '
        f'value="{escape(unknown)}"{described}><button class="main">Sign in</button></div></form>'
        '<h2>Or be one of these people</h2><form method="post" action="/identity/sign-in">'
        f"{_hidden(number)}{groups}</form>",
        422 if unknown else 200,
    )


def accounts(number: str, client: Client, email: str, choices: Sequence[Choice]) -> Response:
    """Asks which account the app may look into: one's own first, then those of other people."""
    own = "".join(_account(choice) for choice in choices if choice.person)
    others = [choice for choice in choices if not choice.person]
    listed = f'<ul class="rows">{own}</ul>' if own else ""
    if others:
        words = f"{len(others)} account{'s' if len(others) > 1 else ''} you do not belong to"
        listed += _folded(words, "".join(map(_account, others)))
    return _page(
        "Choose an account",
        f"<p>Which account may <b>{escape(client.name)}</b> connect to?</p>"
        f'<form method="post" action="/identity/accounts">{_hidden(number)}{listed}</form>'
        f"{_whoami(number, email)}",
    )


def consent(
    number: str, client: Client, account: Account, person: Person, asked: frozenset[str]
) -> Response:
    """Lists in words what the app asks for, with the buttons Authorize and Deny."""
    known = {"openid": "Who you are and which account this is", **client.scopes}
    shown = asked & known.keys() or {"openid"}  # every consent tells at least that
    items = "".join(
        f"<li>{escape(words)} <code>{escape(scope)}</code></li>"
        for scope, words in known.items()
        if scope in shown
    )
    return _page(
        "Review the permissions",
        f"<p><b>{escape(client.name)}</b> would like to do this in <b>{account.subdomain}</b> "
        f"({REGIONS[account.region]}), as {escape(role_name(person.role))}:</p>"
        f'<ul class="scopes">{items}</ul>'
        '<form method="post" action="/identity/consent" class="decide">'
        f'{_hidden(number)}<button name="decision" value="deny">Deny</button>'
        '<button class="main" name="decision" value="authorize">Authorize</button></form>'
        f"{_whoami(number, person.email)}",
    )


def failure(title: str, text: str, status: int = 400) -> Response:
    """Says what is wrong, without sending anybody anywhere."""
    return _page(title, f'<p role="alert">{escape(text)}</p>', status)


async def stylesheet(_request: Request) -> Response:
    """The look of the pages."""
    text = files(__package__).joinpath("pages.css").read_text("utf-8")
    return Response(text, media_type="text/css")


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} – PagerDuty sandbox</title>"
        '<link rel="stylesheet" href="/identity/pages.css"></head><body>'
        '<header><span class="mark" aria-hidden="true"></span>PagerDuty sandbox'
        "<small>a simulation, not the real service</small></header>"
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>",
        status,
        HEADERS,
    )


def _hidden(number: str) -> str:
    return f'<input type="hidden" name="request" value="{escape(number)}">'


def _whoami(number: str, email: str) -> str:
    return (
        f'<p class="who">Signed in as {escape(email)}. '
        f'<a href="/identity/sign-in?request={escape(number)}">Sign in as somebody else</a></p>'
    )


def _group(offer: Offer) -> str:
    if not offer.people:
        return ""
    account = offer.account
    rows = "".join(
        f'<li><button class="row" name="email" value="{escape(person.email)}">'
        f"<span><b>{escape(person.name)}</b><small>{escape(person.email)}</small>"
        f'{_further(others)}</span><span class="chip">{escape(role_name(person.role))}</span>'
        "</button></li>"
        for person, others in offer.people
    )
    heading = f"{escape(account.subdomain)} <small>{REGIONS[account.region]}</small>"
    return f'<h3>{heading}</h3><ul class="rows">{rows}</ul>'


def _further(others: int) -> str:
    if not others:
        return ""
    return f"<small>and in {others} more account{'s' if others > 1 else ''}</small>"


def _account(choice: Choice) -> str:
    account, role = choice.account, ""
    if choice.person:
        role = f" · {escape(role_name(choice.person.role))}"
    chip = REGIONS[account.region] + (" · suspended" if choice.suspended else "")
    return (
        f'<li><button class="row" name="account" value="{escape(account.subdomain)}">'
        f"<span><b>{escape(account.subdomain)}</b>"
        f"<small>{escape(account.name)}{role}</small></span>"
        f'<span class="chip">{chip}</span></button></li>'
    )


def _folded(words: str, rows: str) -> str:
    summary = f"<summary>{escape(words)}</summary>"
    return f'<details>{summary}<ul class="rows">{rows}</ul></details>'
