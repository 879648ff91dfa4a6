"""docs/alerts.md is true: its five lines check a signature, and its tables are the code's."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from seatwise import alerts
from seatwise.alerts import deliveries, units
from seatwise.models import User
from tests.alerts.receiving import Receiver
from tests.alerts.watched import webhook

PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")


def told_to_check() -> Callable[[str, dict[str, str], bytes], bool]:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    space: dict[str, Any] = {}
    exec(code[1], space)
    found: Callable[[str, dict[str, str], bytes], bool] = space["is_ours"]
    return found


def test_the_lines_that_one_is_told_to_check_a_signature_with_do_so(
    hook: Receiver, admin: User
) -> None:
    channel = webhook(hook.url, admin)
    alerts.try_channel(channel, timezone.now())
    alerts.send_due(lambda: timezone.now() + timedelta(minutes=1))
    (got,) = hook.got
    is_ours, secret, headers = told_to_check(), channel.unseal("secret"), dict(got.headers)
    assert is_ours(secret, headers, got.body)
    assert not is_ours(secret, headers, got.body + b" ")
    assert not is_ours(secret, headers | {"webhook-id": "msg_other"}, got.body)
    assert not is_ours(secret, headers | {"webhook-timestamp": "1"}, got.body)
    assert not is_ours("whsec_" + "A" * 44, headers, got.body)


def test_every_unit_and_every_wait_is_told() -> None:
    told = set(re.findall(r"^\| [^|]+ \| `(\w+)` \|", PAGE, re.MULTILINE))
    assert told == {unit.key for unit in units.OF_ALL}
    waits = re.search(r"the next one follows in \|(.*)\| given up", PAGE)
    assert waits is not None
    lengths = {"min": 1, "h": 60}
    minutes = [
        int(number) * lengths[unit] for number, unit in re.findall(r"(\d+) (min|h)", waits[1])
    ]
    assert [timedelta(minutes=each) for each in minutes] == list(deliveries.BACK_OFF)
