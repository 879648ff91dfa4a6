"""Savings and safety, as small functions from facts to findings. Pure.

    for outcome in rules.run(facts, thresholds): …

A rule answers with what it `Found`, with evidence that a person can check, or says why it `Spared`
somebody whom it looked at. No money is in it: what a finding is worth hangs on the contract and on
all the others, see `pricing.bank`. Whose activity nobody could read is never counted.
"""

from collections.abc import Iterator, Mapping

from seatwise.rules import access, contract, seats, usage
from seatwise.rules.facts import (
    Confidence,
    DutyFact,
    Evidence,
    Facts,
    Found,
    PersonFact,
    PoolFact,
    SeatFact,
    Spared,
    StrayDuty,
)
from seatwise.rules.rule import Category, Limit, Outcome, Rule, Thresholds

__all__ = [
    "RULES",
    "Category",
    "Confidence",
    "DutyFact",
    "Evidence",
    "Facts",
    "Found",
    "Limit",
    "Outcome",
    "PersonFact",
    "PoolFact",
    "Rule",
    "SeatFact",
    "Spared",
    "StrayDuty",
    "Thresholds",
    "run",
]

GONE = "Deleting somebody at the vendor cannot be undone; they can be invited again."

# In the order of their turn: the surest claim to a seat first.
RULES: Mapping[str, Rule] = {
    rule.key: rule
    for rule in (
        Rule(
            seats.LEFT,
            "Left the company",
            "Whoever left by the people file and still holds a seat.",
            "An admin of the service hands over what they own there and deletes them.",
            "saving",
            "certain",
            GONE,
            seats.left_company,
        ),
        Rule(
            seats.TWO,
            "Two seats for one person",
            "Seats whose addresses are one mailbox; the one that is used more is kept.",
            "An admin of the service asks the person and deletes the seat that is not needed.",
            "saving",
            "likely",
            GONE,
            seats.two_seats,
        ),
        Rule(
            seats.PENDING,
            "Invitation pending",
            "Invitations that nobody accepted. The vendor bills them, too.",
            "An admin of the service asks the person, or takes the invitation back.",
            "saving",
            "certain",
            "They can be invited again.",
            seats.pending_invitation,
            (Limit("days", "Days since the invitation", 14, 1, 365),),
        ),
        Rule(
            seats.IDLE,
            "Idle full seat",
            "Full seats of people who were not seen for 30 days, surer from 60 and 90 on, or never"
            " by the vendor’s own word.",
            "The service’s owner asks the person; an admin there deletes them, or makes them a"
            " stakeholder.",
            "saving",
            "likely",
            GONE,
            seats.idle_full_seat,
            (Limit("days", "Days without a sign", 30, 30, 365),),
        ),
        Rule(
            seats.TO_STAKEHOLDER,
            "A stakeholder’s seat would do",
            "Full seats of people who are on no schedule, in no escalation policy, and never act.",
            "An admin of the service changes their role. What moves into packs pays only from some"
            " number on, and only so many are counted.",
            "saving",
            "likely",
            "The role can be changed back at any time.",
            seats.to_stakeholder,
            (Limit("days", "Days for which the seat must have been held", 30, 1, 365),),
        ),
        Rule(
            contract.NOT_USED,
            "Seats bought and not used",
            "Paid seats that nobody holds: committed, in a pack, or kept up by a past high.",
            "The service’s owner asks the vendor’s renewals to lower the number; see the letter.",
            "saving",
            "certain",
            "Seats can be bought again.",
            contract.seats_not_used,
            (Limit("seats", "Seats held by nobody", 1, 1, 10_000, "seats"),),
        ),
        Rule(
            access.ADMINS,
            "Many owners and admins",
            "Accounts that more people own or administer than the work needs.",
            "An account owner takes the role from whoever does not need it.",
            "safety",
            "certain",
            "The role can be given back at any time.",
            access.many_admins,
            (
                Limit("count", "Owners and admins", 5, 1, 1_000, "people"),
                Limit("percent", "Their share of the members", 5, 1, 100, "%"),
            ),
        ),
        Rule(
            access.UNREACHABLE,
            "On call and out of reach",
            "People on call whom no phone, SMS or push contact reaches.",
            "The person adds a contact in their own profile at the vendor.",
            "safety",
            "certain",
            "Nothing is taken away.",
            access.unreachable_on_call,
        ),
        Rule(
            access.STRAY,
            "Deleted, and still on a schedule",
            "Schedules and policies that name somebody who is not a member any more.",
            "Whoever looks after the schedule puts somebody else in their place.",
            "safety",
            "certain",
            "Nothing is taken away.",
            access.deleted_on_schedule,
        ),
        Rule(
            contract.RUNNING_OUT,
            "Seats running out",
            "Licences of which few seats or none are left.",
            "The service’s owner gives seats back that are not needed before more are bought.",
            "planning",
            "certain",
            "Nothing is taken away.",
            contract.seats_running_out,
            (Limit("seats", "Seats left", 3, 0, 10_000, "seats"),),
        ),
        Rule(
            contract.TOO_LARGE,
            "A plan larger than its use",
            "Full seats with hardly an incident between them, over three whole months.",
            "The service’s owner compares the plans before the renewal.",
            "planning",
            "hint",
            "The plan can be changed back at the vendor’s conditions.",
            contract.plan_too_large,
            (
                Limit(
                    "percent", "Incidents a hundred full seats and month", 10, 1, 1_000, "incidents"
                ),
            ),
        ),
        Rule(
            usage.SHARE,
            "Much by SMS and phone",
            "Months in which a large share of the notifications went by channels that are charged.",
            "The service’s owner asks people to use push notifications first.",
            "planning",
            "certain",
            "Everybody can change their notification rules back.",
            usage.sms_phone_share,
            (Limit("percent", "Share by SMS and phone", 40, 1, 100, "%"),),
        ),
    )
}


def run(facts: Facts, thresholds: Mapping[str, Thresholds] | None = None) -> Iterator[Outcome]:
    """Every outcome of every rule, in the order of their turn.

    `thresholds`: {rule: {limit: value}}; what is not in it is as nobody set it.
    """
    for rule in RULES.values():
        yield from rule.find(facts, rule.thresholds((thresholds or {}).get(rule.key)))
