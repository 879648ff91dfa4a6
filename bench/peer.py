"""PagerDuty's own client reading an account in the plain way, as a program of its own.

    python -m bench.peer ADDRESS SINCE UNTIL

The API key is in the environment. Prints a line of JSON after each list: its name, its rows and
the time. Lists without a time are read by `iter_all`; incidents and their log by `iter_history`,
which halves a span until fewer than 10,000 rows are in it. It does not take notifications, so
these are read week by week. The log comes last.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from pagerduty import RestApiV2Client

from bench.apart import SECRET
from tests.clients import own_client

LOG: Final = "log_entries"
WEEK: Final = timedelta(days=7)


def main() -> None:
    address, *moments = sys.argv[1:]
    since, until = map(datetime.fromisoformat, moments)
    with own_client(address, os.environ[SECRET]) as client:
        _tell("licenses", iter(client.rget("/licenses")))
        _tell("users", client.iter_all("users"))
        _tell("license_allocations", client.iter_all("license_allocations"))
        _tell("incidents", client.iter_history("incidents", since, until))
        _tell("notifications", _by_weeks(client, since, until))
        _tell(LOG, client.iter_history(LOG, since, until))


def _by_weeks(client: RestApiV2Client, since: datetime, until: datetime) -> Iterator[Any]:
    while since < until:
        end = min(since + WEEK, until)
        window = {"since": since.isoformat(), "until": end.isoformat()}
        yield from client.iter_all("notifications", params=window)
        since = end


def _tell(name: str, rows: Iterator[Any]) -> None:
    count = sum(1 for _row in rows)
    print(json.dumps({"name": name, "rows": count, "at": time.time()}), flush=True)


if __name__ == "__main__":
    main()
