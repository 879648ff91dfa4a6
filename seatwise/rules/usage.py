"""What a service is used for, and what of it costs more than it need."""

from collections.abc import Iterator

from seatwise.rules.facts import Evidence, Facts, Found, Spared
from seatwise.rules.rule import Outcome, Thresholds

SHARE = "sms_phone_share"
CHARGED = ("notifications_sms", "notifications_phone")
FREE = ("notifications_email", "notifications_push")
FEW = 100  # notifications of a month, under which a share says nothing


def sms_phone_share(facts: Facts, limits: Thresholds) -> Iterator[Outcome]:
    """Of the newest month that is over: SMS and calls beyond an allowance are charged."""
    month = max(facts.final, default=None)
    if month is None:
        yield Spared(SHARE, "usage", "no month is known to its end")
        return
    numbers = facts.usage[month]
    if any(key not in numbers for key in (*CHARGED, *FREE)):
        yield Spared(SHARE, "usage", "not every channel could be read")
        return
    charged = sum(numbers[key] for key in CHARGED)
    everything = charged + sum(numbers[key] for key in FREE)
    if everything < FEW:
        yield Spared(SHARE, "usage", f"fewer than {FEW} notifications in the month")
        return
    percent = 100 * charged / everything
    if percent <= limits["percent"]:
        yield Spared(SHARE, "usage", f"{limits['percent']} % or fewer by SMS and phone")
        return
    said = f"{month:%B %Y}, final"
    yield Found(
        rule=SHARE,
        subject="usage",
        text=f"{percent:.0f} % of the notifications of {month:%B %Y} went by SMS and phone, which"
        " are charged beyond the plan’s allowance. Push notifications are not.",
        evidence=(
            Evidence("SMS", f"{numbers[CHARGED[0]]:,}", said),
            Evidence("Phone", f"{numbers[CHARGED[1]]:,}", said),
            Evidence("All channels", f"{everything:,}", said),
        ),
        confidence="certain",
        reversible=True,
    )
