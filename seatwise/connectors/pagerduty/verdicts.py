"""What the answers to the checks' questions mean: a verdict, what is lost, and who can mend it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from seatwise.connectors.errors import (
    REFUSALS,
    AccessDenied,
    BrokenAnswer,
    NotOnThisPlan,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.pagerduty.permit import BY_PERMISSION, Permit, Withheld
from seatwise.connectors.pagerduty.person import ADMINS, MeDoc
from seatwise.connectors.pagerduty.probes import MembersDoc
from seatwise.connectors.pagerduty.usage.notifications import NOT_FOR_US
from seatwise.connectors.records import Account, Check, Gap

UNSURE = (TryAgainLater, BrokenAnswer)  # says nothing of what may be read
LATER = "An admin of Seatwise checks again later; the next sync tries it in any case."
VISITS = (facts.DELEGATIONS, facts.SESSIONS)  # the first that was granted is used
BUT = "actions on incidents are"
SCOPES = {scope.name: scope for scope in facts.SCOPES}


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of each question, or in place of one that was spared."""

    me: MeDoc | VendorError
    members: MembersDoc | VendorError
    licenses: int | VendorError
    abilities: frozenset[str] | VendorError
    incidents: VendorError | None  # None: it may be read; and so on
    notifications: VendorError | None
    log: VendorError | None  # None also where it was not asked
    sign_ins: VendorError | None
    changes: VendorError | None
    visits: VendorError | None
    duty: VendorError | None


class Verdicts:
    """The checks of one account."""

    def __init__(self, account: Account, permit: Permit, answers: Answers) -> None:
        self._account, self._permit, self._answers = account, permit, answers

    def told(self) -> Iterator[Check]:
        """Each check, the most important first."""
        yield self._of_account()
        yield self._of_person()
        yield self._of_scopes()
        yield self._of_members()
        yield self._of_licenses()
        yield self._of(
            "incidents",
            "Incidents and alerts",
            self._answers.incidents,
            "incidents.read",
            found="Incidents and the number of their alerts can be read.",
            lost=("usage", "Incidents and alerts cannot be read."),
        )
        yield from self._of_activity()
        yield self._of_notifications()
        yield self._of_sign_ins()
        if self._permit.concerns(facts.AUDIT):
            yield self._of(
                "changes",
                "Changes of the configuration",
                self._answers.changes,
                facts.AUDIT,
                found="Who changed the configuration can be read.",
                lost=("account", f"Configuration changes cannot be read; {BUT}."),
            )
        if self._permit.concerns(*VISITS):
            yield self._of_visits()
        if self._permit.concerns(*facts.DUTY):
            yield self._of_duty()
        yield from self._of_abilities()

    def _of_account(self) -> Check:
        key, name = "account", "Account and region"
        account = self._account
        where = f"{account.name or account.external_id}, region {account.region}"
        if account.external_id != account.name:
            return Check(key, name, "ok", f"{where}.")
        if "openid" not in self._permit.missing or self._is_of_nobody:
            return Check(key, name, "ok", f"{where}, known by its name.")
        error, scope = self._permit.withheld("openid"), SCOPES["openid"]
        found = f"{where}, known by its name. {error}"
        gap = Gap("account", scope.loses, str(error), error.remedy)
        return Check(key, name, "limited", found, error.remedy, gap)

    def _of_person(self) -> Check:
        key, name, me = "person", "Who authorized", self._answers.me
        if isinstance(me, UNSURE):
            return _unsure(key, name, me)
        if self._permit.is_key and isinstance(me, VendorError):
            found = "Nobody: the API key stands for the account, whoever comes or leaves."
            return Check(key, name, "ok", found)
        if self._is_of_nobody:
            found = "Nobody: the app acts for itself, and takes no seat."
            return Check(key, name, "ok", found)
        remedy = f"{ADMINS} authorizes: an admin of Seatwise presses Integrate again."
        if isinstance(me, VendorError):
            found = f"PagerDuty does not say who it was. {me}"
            return Check(key, name, "unknown", found, f"Should licences be missing: {remedy}")
        role = _role_of(me)
        found = f"{me.who or 'Somebody'}, {role or 'without a role that PagerDuty tells'}."
        if me.role in facts.ADMIN_ROLES:
            return Check(key, name, "ok", found)
        return Check(key, name, "limited" if role else "unknown", found, remedy)

    def _of_scopes(self) -> Check:
        key, name, permit = "scopes", "Permissions", self._permit
        if permit.is_classic:
            word = "write" if permit.classic_write else "read"
            found = f"A classic authorization ({word}): it opens what the person may read."
            if not permit.asked & facts.CLASSIC:
                found += " The app is registered so; single permissions cannot be left out."
            return Check(key, name, "ok", found)
        if permit.granted is None:
            what = "an API key" if permit.is_key else "this token"
            return Check(key, name, "ok", f"Nobody tells those of {what}, so each thing was tried.")
        missing = [s for s in permit.missing if not (s == "openid" and self._is_of_nobody)]
        if not missing:
            count = len(permit.granted & SCOPES.keys())
            told = f"All {count} permissions were granted." if count != 1 else "It was granted."
            return Check(key, name, "ok", told)
        if permit.is_other_app:
            found = (
                "This app is registered in PagerDuty with Scoped OAuth, which gives nothing to who"
                " asks for everything at once; it has to be asked permission by permission."
            )
            return Check(key, name, "limited", found, BY_PERMISSION)
        costs = " ".join(f"{scope}: {SCOPES[scope].loses}" for scope in missing)
        remedy = permit.to_add(" and ".join(missing))
        return Check(key, name, "limited", f"Not granted were {len(missing)}. {costs}", remedy)

    def _of_members(self) -> Check:
        members = self._answers.members
        count = 0 if isinstance(members, VendorError) else members.total or 0
        return self._of(
            "members",
            "Members",
            members,
            "users.read",
            found=f"PagerDuty counts {count:,}." if count else "They can be read.",
            lost=("members", "Members cannot be read."),
        )

    def _of_licenses(self) -> Check:
        licenses, me = self._answers.licenses, self._answers.me
        key, name, lost = "licenses", "Licences", "Licences cannot be read."
        refused = isinstance(licenses, AccessDenied) and not isinstance(licenses, Withheld)
        if refused and isinstance(me, MeDoc) and me.role and me.role not in facts.ADMIN_ROLES:
            why = (
                f"{me.name or 'Somebody'} authorized as {_role_of(me)}; PagerDuty shows licences to"
                " Account Owners and Global Admins only."
            )
            remedy = f"{ADMINS} authorizes: an admin of Seatwise presses Integrate again."
            return Check(key, name, "limited", why, remedy, Gap("licences", lost, why, remedy))
        return self._of(
            key,
            name,
            licenses,
            "licenses.read",
            found=f"{licenses} kind{'s' if licenses != 1 else ''} of licence.",
            lost=("licences", lost),
        )

    def _of_activity(self) -> Iterator[Check]:
        """Told apart only where it is known beforehand that nothing will tell it."""
        error = self._answers.incidents
        if isinstance(error, Withheld) and self._answers.sign_ins is not None:
            lost = ("activity", "Activity cannot be read.")
            yield self._of("activity", "Last seen", error, "incidents.read", found="", lost=lost)

    def _of_notifications(self) -> Check:
        key, name, error = "notifications", "Notifications", self._answers.notifications
        scope = "users:notifications.read"
        if isinstance(error, NOT_FOR_US) and self._answers.log is None:
            remedy = self._permit.remedy(error, scope)
            gap = Gap("account", facts.THE_LONG_WAY, str(error), remedy)
            return Check(key, name, "limited", str(error), remedy, gap)
        return self._of(
            key,
            name,
            error,
            scope,
            found="They can be counted by channel.",
            lost=("usage", "Notifications by channel and billable alerts cannot be read."),
        )

    def _of_sign_ins(self) -> Check:
        key, name, error = "sign_ins", "Last sign-ins", self._answers.sign_ins
        scope, permit = SCOPES[facts.ANALYTICS], self._permit
        if isinstance(error, Withheld) and scope.name not in permit.asked:
            how = "permission by permission" if permit.is_classic else "again"
            remedy = (
                f"If they are wanted, an admin of Seatwise integrates {how} and ticks {scope.name}."
            )
            found = f"{scope.name} was not asked for. {scope.loses}"
            return Check(key, name, "unknown", found, remedy)
        check = self._of(
            key,
            name,
            error,
            scope.name,
            found="They can be read, up to a day old.",
            lost=("account", f"Sign-ins cannot be read; {BUT}."),
        )
        # Where nobody granted it by name, actions on incidents stand in, and that is told there.
        tried = permit.granted is None and isinstance(error, AccessDenied | NotOnThisPlan)
        if check.gap and tried and not isinstance(error, Withheld):
            return replace(check, gap=replace(check.gap, minor=True))
        return check

    def _of_visits(self) -> Check:
        needless = self._answers.sign_ins is None
        return self._of(
            "visits",
            "Sign-ins, person by person",
            self._answers.visits,
            " or ".join(scope for scope in VISITS if self._permit.concerns(scope)),
            found="Not needed: analytics tells them all at once."
            if needless
            else "What each member signed in with can be read.",
            lost=("account", f"What people signed in with cannot be read; {BUT}."),
        )

    def _of_duty(self) -> Check:
        return self._of(
            "duty",
            "Who is on duty",
            self._answers.duty,
            " and ".join(sorted(facts.DUTY)),
            found="Schedules, escalation policies and on-calls can be read.",
            lost=("account", "Who is on duty cannot be read, so nobody is known to be off it."),
        )

    def _of_abilities(self) -> Iterator[Check]:
        abilities = self._answers.abilities
        gap, first = None, next(iter(facts.WANTED_ABILITIES))
        if isinstance(abilities, REFUSALS):
            remedy = f"{self._permit.remedy(abilities, 'abilities.read')} Nothing depends on it."
            what = "What the account's plan includes cannot be read."
            gap = Gap("account", what, str(abilities), remedy)
        for ability, (name, lacking) in facts.WANTED_ABILITIES.items():
            if isinstance(abilities, UNSURE):
                yield _unsure(ability, name, abilities)
            elif isinstance(abilities, VendorError):
                remedy = gap.remedy if gap else LATER
                once = gap if ability == first else None
                yield Check(ability, name, "unknown", str(abilities), remedy, once)
            elif ability in abilities:
                yield Check(ability, name, "ok", f"The plan includes {name.lower()}.")
            else:
                remedy = "Only a larger PagerDuty plan changes this; everything else is read."
                what = f"The plan does not include {name.lower()}."
                lost = Gap("account", what, lacking, remedy)
                yield Check(ability, name, "limited", lacking, remedy, lost)

    def _of(
        self,
        key: str,
        name: str,
        answer: object,
        scope: str,
        *,
        found: str,
        lost: tuple[str, str],  # the capability, and what cannot be read in a sentence
    ) -> Check:
        if not isinstance(answer, VendorError):
            return Check(key, name, "ok", found)
        if isinstance(answer, UNSURE):
            return _unsure(key, name, answer)
        remedy = self._permit.remedy(answer, scope)
        chosen = isinstance(answer, Withheld) and answer.chosen
        gap = Gap(*lost, str(answer), remedy, chosen=chosen)
        return Check(key, name, "limited", str(answer), remedy, gap)

    @property
    def _is_of_nobody(self) -> bool:
        """Whether it is a machine's: no person, and so no proof of one either."""
        granted = self._permit.granted
        refused = isinstance(self._answers.me, REFUSALS)
        return refused and granted is not None and "openid" not in granted


def _unsure(key: str, name: str, error: VendorError) -> Check:
    return Check(key, name, "unknown", f"PagerDuty did not say. {error}", LATER)


def _role_of(me: MeDoc) -> str:
    """The role's name as PagerDuty's own pages call it."""
    return facts.ROLES[me.role].name if me.role in facts.ROLES else me.role
