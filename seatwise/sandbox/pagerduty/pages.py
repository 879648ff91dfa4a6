"""What people see of the sandbox: plain HTML pages, plainly not the real vendor's."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from .grants import Client
from .people import Account, Person

ROLE_NAMES: Final = {
    "owner": "Account Owner",
    "admin": "Global Admin",
    "user": "Manager",
    "limited_user": "Responder",
    "observer": "Observer",
    "restricted_access": "Restricted Access",
    "read_only_user": "Stakeholder",
    "read_only_limited_user": "Limited Stakeholder",
}
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
REGIONS: Final = {"us": "US service region", "eu": "EU service region"}


def sign_in(
    number: str, client: Client, people: Iterable[tuple[Person, str]], unknown: str = ""
) -> Response:
    """Asks who it is. `unknown` is an address that nobody here has."""
    buttons = "".join(
        f'<li><button class="row" name="email" value="{escape(person.email)}">'
        f"<span><b>{escape(person.name)}</b><small>{escape(person.email)}</small></span>"
        f'<span class="chip">{ROLE_NAMES[person.role]} · {escape(where)}</span>'
        "</button></li>"
        for person, where in people
    )
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
        f'{_hidden(number)}<ul class="rows">{buttons}</ul></form>',
        422 if unknown else 200,
    )


def accounts(number: str, client: Client, email: str, known: Iterable[Account]) -> Response:
    """Asks which account the app may look into."""
    buttons = "".join(
        f'<li><button class="row" name="account" value="{escape(account.subdomain)}">'
        f"<span><b>{escape(account.subdomain)}</b><small>{escape(account.name)}</small></span>"
        f'<span class="chip">{REGIONS[account.region]}</span></button></li>'
        for account in known
    )
    return _page(
        "Choose an account",
        f"<p>Which account may <b>{escape(client.name)}</b> connect to?</p>"
        '<form method="post" action="/identity/accounts">'
        f'{_hidden(number)}<ul class="rows">{buttons}</ul></form>{_whoami(number, email)}',
    )


def consent(
    number: str, client: Client, account: Account, person: Person, asked: frozenset[str]
) -> Response:
    """Lists in words what the app asks for, with the buttons Authorize and Deny."""
    items = "".join(
        f"<li>{escape(words)} <code>{escape(scope)}</code></li>"
        for scope, words in client.scopes.items()
        if scope in asked
    )
    nothing = "<li>Who you are and which account this is <code>openid</code></li>"
    return _page(
        "Review the permissions",
        f"<p><b>{escape(client.name)}</b> would like to do this in <b>{account.subdomain}</b> "
        f"({REGIONS[account.region]}), as {ROLE_NAMES[person.role]}:</p>"
        f'<ul class="scopes">{items or nothing}</ul>'
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
