"""Faults of paging, also where pages follow a cursor or a row and not an offset."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from seatwise.sandbox import Server, listen
from seatwise.sandbox.pagerduty.strings.controls import Controls
from seatwise.sandbox.pagerduty.strings.routes import Templates
from seatwise.sandbox.pagerduty.strings.witness import Record, Witness

SIZE, COUNT = 3, 8


@pytest.fixture
def controls() -> Controls:
    return Controls()


@pytest.fixture
def http(controls: Controls) -> Iterator[httpx2.Client]:
    """Two lists of eight rows: one follows a cursor, the other the last row of a page."""

    async def by_cursor(request: Request) -> Response:
        cursor = request.query_params.get("cursor", "0")
        if not cursor.isdigit():
            return Response(status_code=400)
        start = int(cursor)
        if start == 429:
            return Response(status_code=429)
        return JSONResponse(_page(start) | {"next_cursor": _after(start)})

    async def by_row(request: Request) -> Response:
        start = int((await request.json()).get("starting_after", "-1")) + 1
        page = _page(start)
        last = page["data"][-1]["id"] if page["data"] else None
        return JSONResponse(page | {"last": last, "more": _after(start) is not None})

    app = Starlette(
        routes=[Route("/us/cursor", by_cursor), Route("/us/row", by_row, methods=["POST"])]
    )
    listener, listening = listen("127.0.0.1", 0), threading.Event()
    server = Server([(Witness(app, controls, Record(Templates([]))), listener)], listening.set)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert listening.wait(10)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            yield client
    finally:
        server.stop()
        thread.join(10)
        listener.close()


def _page(start: int) -> dict[str, Any]:
    return {"data": [{"id": str(number)} for number in range(start, min(start + SIZE, COUNT))]}


def _after(start: int) -> str | None:
    return str(start + SIZE) if start + SIZE < COUNT else None


def read(http: httpx2.Client, path: str, pages: int = 3) -> list[list[int]]:
    """The rows of so many pages, or fewer where they end."""
    found: list[list[int]] = []
    place: str | None = None
    for _ in range(pages):
        if path == "/us/cursor":
            told = http.get(path, params={"cursor": place} if place else {}).json()
            place = told["next_cursor"]
        else:
            posted: dict[str, Any] = {"filters": {}} | ({"starting_after": place} if place else {})
            told = http.post(path, json=posted).json()
            place = told["last"] if told["more"] else None
        found.append([int(row["id"]) for row in told["data"]])
        if place is None:
            break
    return found


BOTH = pytest.mark.parametrize("path", ["/us/cursor", "/us/row"])


@BOTH
def test_without_a_fault_every_row_comes_once(http: httpx2.Client, path: str) -> None:
    assert read(http, path, 9) == [[0, 1, 2], [3, 4, 5], [6, 7]]


@BOTH
def test_the_first_page_can_come_again_and_again(
    http: httpx2.Client, controls: Controls, path: str
) -> None:
    controls.script({"path": "*", "kind": "ignore_offset", "times": None})
    assert read(http, path) == [[0, 1, 2]] * 3


@BOTH
def test_the_last_row_can_come_again_on_the_next_page(
    http: httpx2.Client, controls: Controls, path: str
) -> None:
    controls.script({"path": "*", "kind": "repeat_row", "times": None})
    for _ in range(2):  # a second reading starts anew
        assert read(http, path, 9) == [[0, 1, 2], [2, 3, 4, 5], [5, 6, 7]]


@BOTH
def test_there_can_be_no_end(http: httpx2.Client, controls: Controls, path: str) -> None:
    controls.script({"path": "*", "kind": "more_forever", "times": None})
    assert read(http, path, 5) == [[0, 1, 2], [3, 4, 5], [6, 7], [6, 7], [6, 7]]


def test_a_list_without_an_end_still_says_when_it_is_asked_too_often(
    http: httpx2.Client, controls: Controls
) -> None:
    controls.script({"path": "*", "kind": "more_forever", "times": None})
    read(http, "/us/cursor", 4)
    assert http.get("/us/cursor", params={"cursor": "429"}).status_code == 429
