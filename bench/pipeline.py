"""The same facts read by a parallel pipeline of dlt, as a program of its own.

    python -m bench.pipeline ADDRESS SINCE UNTIL [log_entries]

The API key is in the environment. dlt's `rest_api_source` reads every list page by page with its
offset paginator, eight lists at once; what has a time is split into spans that stay below the
vendor's cap of 10,000 rows. Only extracted, into local files: nothing is normalised or loaded,
for that is no part of reading. Prints the rows of each list as JSON.
"""

import json
import os
import sys
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from bench.apart import SECRET
from bench.peer import LOG

WORKERS: Final = 8  # as many requests at once as Seatwise makes
SPANS: Final = {
    "incidents": timedelta(days=7),
    "notifications": timedelta(days=7),
    LOG: timedelta(days=3),
}
PAGES: Final = {
    "type": "offset",
    "limit": 100,
    "total_path": None,
    "has_more_path": "more",
}


def main() -> None:
    address, since, until, *further = sys.argv[1:]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
    import dlt
    from dlt.sources.rest_api import rest_api_source

    lists = _lists(datetime.fromisoformat(since), datetime.fromisoformat(until), set(further))
    client = {
        "base_url": f"{address}/us/",
        "auth": {
            "type": "api_key",
            "name": "Authorization",
            "api_key": f"Token token={os.environ[SECRET]}",
            "location": "header",
        },
    }
    wanted = {"client": client, "resources": lists}
    source = rest_api_source(wanted, name="bench", parallelized=True)
    with tempfile.TemporaryDirectory(prefix="seatwise-bench-") as place:
        pipeline = dlt.pipeline("bench", pipelines_dir=place)
        pipeline.extract(source, workers=WORKERS, max_parallel_items=2 * WORKERS)
        counts = pipeline.last_trace.last_extract_info.metrics
    rows: Counter[str] = Counter()
    for step in (metrics for loads in counts.values() for metrics in loads):
        rows.update({name: told.items_count for name, told in step["table_metrics"].items()})
    print(json.dumps(rows))


def _lists(since: datetime, until: datetime, further: set[str]) -> list[dict[str, Any]]:
    lists = [_list("licenses", "single_page"), _list("users", PAGES)]
    lists.append(_list("license_allocations", PAGES))
    for name, span in SPANS.items():
        if name == LOG and LOG not in further:
            continue
        start = since
        while start < until:
            end = min(start + span, until)
            window = {"since": start.isoformat(), "until": end.isoformat()}
            lists.append(_list(name, PAGES, **window))
            start = end
    return lists


def _list(name: str, pages: Any, **params: str) -> dict[str, Any]:
    return {
        "name": f"{name} {params['since']}" if params else name,
        "table_name": name,
        "endpoint": {"path": name, "params": params, "data_selector": name, "paginator": pages},
    }


if __name__ == "__main__":
    main()
