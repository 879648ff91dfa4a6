"""The nouns: one file each, with the questions one can ask of it on its queryset."""

from seatwise.models.alert import Alert, Channel, Delivery
from seatwise.models.audit_event import AuditEvent
from seatwise.models.authorization import Authorization
from seatwise.models.connection import Connection
from seatwise.models.contract import Contract, Reduction
from seatwise.models.cost import Cost
from seatwise.models.duty import Duty
from seatwise.models.finding import Finding, FindingEvent, RuleLook, Saving, Threshold
from seatwise.models.installation import Installation
from seatwise.models.invoice import Budget, Invoice
from seatwise.models.license_pool import LicensePool
from seatwise.models.member import Member
from seatwise.models.member_event import MemberEvent
from seatwise.models.notice import Notice
from seatwise.models.person import PeopleUpload, Person
from seatwise.models.revocation import Revocation
from seatwise.models.service import Service
from seatwise.models.signal import Signal
from seatwise.models.staged import StagedRecord
from seatwise.models.sync_run import SyncRun
from seatwise.models.upload import Upload
from seatwise.models.usage_point import UsagePoint
from seatwise.models.user import User

__all__ = [
    "Alert",
    "AuditEvent",
    "Authorization",
    "Budget",
    "Channel",
    "Connection",
    "Contract",
    "Cost",
    "Delivery",
    "Duty",
    "Finding",
    "FindingEvent",
    "Installation",
    "Invoice",
    "LicensePool",
    "Member",
    "MemberEvent",
    "Notice",
    "PeopleUpload",
    "Person",
    "Reduction",
    "Revocation",
    "RuleLook",
    "Saving",
    "Service",
    "Signal",
    "StagedRecord",
    "SyncRun",
    "Threshold",
    "Upload",
    "UsagePoint",
    "User",
]
