"""What templates say about a sync: how it ended, how long it took, what it changed."""

from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from seatwise.models import SyncRun
from seatwise.models.sync_run import DEATHS, RunState
from seatwise.templatetags.seatwise import chip, number

register = template.Library()

TONES = {
    RunState.QUEUED: "info",
    RunState.RUNNING: "info",
    RunState.DONE: "ok",
    RunState.DONE_WITH_NOTES: "warn",
    RunState.RETRY_AT: "warn",
    RunState.ACTION_NEEDED: "bad",
    RunState.CANCELLED: "neutral",
    RunState.SUPERSEDED: "neutral",
}
# Where a file is no sync: it waits for somebody, or was never applied.
FILE_WORDS = {
    RunState.QUEUED: "A file waits for an admin",
    RunState.CANCELLED: "Discarded",
    RunState.SUPERSEDED: "Replaced",
}
READ = {"done", "limited"}  # states of a stage that was applied


@register.simple_tag
def run_chip(run: SyncRun) -> SafeString:
    """How a sync ended, or where it is, in a few words."""
    state = RunState(run.state)
    return chip(_words(run, state), TONES[state])


def _words(run: SyncRun, state: RunState) -> str:
    if run.connection.is_by_file and state in FILE_WORDS:
        return FILE_WORDS[state]
    if run.is_doubted and state == RunState.RETRY_AT:
        return "Unusual drop held"
    if state == RunState.RUNNING:
        return "Reading now"
    if state == RunState.CANCELLED and run.ended_by_id:
        return "Stopped"
    return str(state.label)


@register.simple_tag
def nobody(run: SyncRun) -> str:
    """Who can be behind a sync that names no user."""
    if run.connection.is_by_file:
        return "a user who is gone"
    return "the schedule, the command line, or a user who is gone"


@register.simple_tag
def to_the_second(value: datetime) -> SafeString:
    """As `exactly` says it, where minutes would not tell two moments apart."""
    return format_html(
        '<time datetime="{}" data-local="seconds">{} UTC</time>',
        value.isoformat(timespec="seconds"),
        f"{value:%Y-%m-%d %H:%M:%S}",
    )


@register.filter
def lost_workers(run: SyncRun) -> int:
    """How many of the attempts that are told ended together with their worker."""
    return sum(attempt["how"] in DEATHS for attempt in run.attempts)


@register.filter
def lasted(seconds: float | None) -> str:
    """ "1 min 12 s"; what is not known is said so."""
    if seconds is None:
        return "unknown"
    if seconds < 1:
        return "less than 1 s"
    whole = timedelta(seconds=int(seconds))
    minutes, rest = divmod(whole.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(whole.days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join([f"{count} {unit}" for count, unit in parts if count][:2])


@register.filter
def moved(run: SyncRun) -> str:
    """ "3 joined, 1 left"; "" where the members were not compared, so nobody knows."""
    if run.stages.get("members", {}).get("state") not in READ:
        return ""
    counts = run.counts
    if getattr(run, "is_first_look", False):
        listed = counts.get("listed") or counts.get("joined", 0)
        return f"first look: {number(listed)} listed"
    words = {
        "joined": "joined",
        "returned": "came back",
        "left": "left",
        "changed": "changed",
    }
    told = [f"{number(counts[key])} {said}" for key, said in words.items() if counts.get(key)]
    return ", ".join(told) or "nothing"


@register.simple_tag
def missing(run: SyncRun) -> int:
    """How many fewer an unusual drop has left."""
    return int(run.doubt["gone"])
