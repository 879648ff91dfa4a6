"""What a running sandbox says about itself, and what a product must be told to use it."""

from .company.world import World
from .identity.examples import Examples
from .identity.grants import CLASSIC, SCOPED


def settings(base_url: str) -> dict[str, str]:
    """What a product must be told to use the sandbox at that address, with the scoped client."""
    return {
        "CLIENT_ID": SCOPED.id,
        "CLIENT_SECRET": SCOPED.secret,
        "IDENTITY_URL": f"{base_url}/identity",
        "API_URL": f"{base_url}/us",
        "API_URL_EU": f"{base_url}/eu",
    }


def announcement(base_url: str, world: World, examples: Examples) -> list[str]:
    """Lines that say where everything is and as whom one can sign in, at most 8 an account."""
    accounts = [company.account for company in world.companies.values()]
    places = settings(base_url)
    return [
        f"PagerDuty sandbox: {base_url}",
        f"Identity: {places['IDENTITY_URL']}",
        f"REST US: {places['API_URL']}",
        f"REST EU: {places['API_URL_EU']}",
        f"Scoped OAuth client: {SCOPED.id}",
        f"Scoped OAuth secret: {SCOPED.secret}",
        f"Classic OAuth client: {CLASSIC.id}",
        f"Classic OAuth secret: {CLASSIC.secret}",
        f"API key: {accounts[0].api_key}",
        *(f"API key of {one.subdomain} ({one.region}): {one.api_key}" for one in accounts),
        *(
            f"Sign in to {company.account.subdomain} as {person.email} ({person.role})"
            for company in examples.companies
            for person in examples.of(company)
        ),
        *_further(world, examples),
    ]


def _further(world: World, examples: Examples) -> list[str]:
    """One line for the accounts whose people are not listed, if somebody belongs to all."""
    companies = list(world.companies.values())
    rest = companies[len(examples.companies) :]
    for person in examples.of(companies[0]) if rest else ():
        if all(company.member(person.email) for company in rest):
            return [f"Sign in to {len(rest)} more accounts as {person.email} ({person.role})"]
    return []
