"""The ways to let Seatwise read a PagerDuty account, the recommended one first."""

from datetime import timedelta

from seatwise.connectors.base import Way

_APP = ("CLIENT_ID", "CLIENT_SECRET")

WAYS = (
    Way(
        "scoped",
        "consent",
        "OAuth, permission by permission",
        "Use this if the app was registered with Scoped OAuth, in the very account that is read;"
        " otherwise use the next one. An Account Owner or Global Admin allows exactly what is"
        " ticked, and nothing that changes anything in PagerDuty. After a year somebody has to"
        " authorize again.",
        needs=_APP,
        idle=timedelta(days=30),
        lasts=timedelta(days=365),
    ),
    Way(
        "classic",
        "consent",
        "OAuth, everything that the person may read",
        "For an app that was registered with Classic User OAuth; any account may be chosen. It"
        " reads what the person who authorizes may read, so an Account Owner or Global Admin"
        " should; single permissions cannot be left out. After three years somebody has to"
        " authorize again.",
        scope="read",
        needs=_APP,
        idle=timedelta(days=210),
        lasts=timedelta(days=3 * 365),
    ),
    Way(
        "key",
        "key",
        "API key",
        "For a start without registering an app. An Account Owner or Global Admin makes the key in"
        " PagerDuty, read-only where that is offered; it works until somebody deletes it there."
        " It opens more than Seatwise reads, so the ways above are the safer ones.",
        removal="In PagerDuty, keys are deleted under Integrations, API Access Keys, and a person's"
        " own in that person's profile, under User Settings. Until then whoever has it gets in.",
    ),
    Way(
        "machine",
        "machine",
        "A private app of the account",
        "For an account that has an app of its own with Scoped OAuth: the app signs in by its"
        " client id and secret and reads what is ticked. It acts for nobody, so it takes no seat"
        " and does not end when a person leaves.",
        removal="In PagerDuty, under Integrations, App Registration, delete the app or give it"
        " another client secret, because whoever has the present one still gets in.",
    ),
)
