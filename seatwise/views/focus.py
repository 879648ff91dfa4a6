"""The charges of one service, or of all, in the columns of FOCUS 1.2: for programs of finance."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from tempfile import TemporaryFile

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from seatwise import audit, focus, history, spending
from seatwise.models import Service
from seatwise.models.audit_event import Action
from seatwise.views.shell import service_or_404

MONTHS = 12  # the present one included, where nobody says from when on
MOST_MONTHS = 120


@require_safe
def of_service(request: HttpRequest, key: str) -> HttpResponseBase:
    """One service's charges; see `_download`."""
    service = service_or_404(key)
    return _download(request, [service], service.key, service)


@require_safe
def of_all(request: HttpRequest) -> HttpResponseBase:
    """The charges of all services; see `_download`."""
    return _download(request, list(Service.objects.for_list()), "all-services", None)


def _download(
    request: HttpRequest, services: Sequence[Service], name: str, only: Service | None
) -> HttpResponseBase:
    """`from` and `to` are months, 2026-01; `format` is csv, where nothing is said, or parquet."""
    kind = request.GET.get("format", "csv")
    first, last = _months(request)
    if kind not in focus.FORMATS:
        raise BadRequest("The format is csv or parquet.")
    file = f"seatwise-focus-{name}-{first:%Y-%m}-{last:%Y-%m}.{kind}"
    if request.method == "HEAD":
        response: HttpResponseBase = HttpResponse()
    else:
        rows = _rows(services, first, last)
        response = StreamingHttpResponse(focus.as_csv(rows)) if kind == "csv" else _parquet(rows)
        audit.record(
            Action.EXPORTED,
            service=only.key if only else "",
            about="charges (FOCUS)",
            said=f"{first:%B %Y} to {last:%B %Y} as {kind.upper()}.",
            detail={"format": kind},
        )
    response["Content-Type"] = focus.FORMATS[kind]  # type: ignore[index]
    response["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


def _rows(services: Iterable[Service], first: date, last: date) -> Iterator[focus.Row]:
    for service in services:
        for charge in spending.charges(service, first, last):
            yield focus.row_of(charge)


def _parquet(rows: Iterable[focus.Row]) -> HttpResponseBase:
    """A temporary file, for a Parquet file's end tells where its parts are."""
    file = TemporaryFile(prefix="seatwise-export-")  # noqa: SIM115 (the response closes it)
    try:
        focus.as_parquet(rows, file)
        file.seek(0)
        return FileResponse(file)
    except BaseException:
        file.close()
        raise


def _months(request: HttpRequest) -> tuple[date, date]:
    """The first and the last month that is asked for. Raises BadRequest."""
    present = history.day_of(timezone.now(), settings.BILLING_ZONE).replace(day=1)
    last = _month(request.GET.get("to", "")) or present
    first = _month(request.GET.get("from", "")) or _before(last, MONTHS - 1)
    if not 0 <= _apart(first, last) < MOST_MONTHS:
        raise BadRequest(f"Ask for 1 to {MOST_MONTHS} months, the first one first.")
    return first, last


def _month(text: str) -> date | None:
    """A month as an address writes it, 2026-11. Raises BadRequest."""
    if not text:
        return None
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise BadRequest("Write a month as 2026-11.") from None
    if not 2000 <= found.year < 2200:
        raise BadRequest("Write a month as 2026-11.")
    return found


def _before(month: date, count: int) -> date:
    at = month.year * 12 + month.month - 1 - count
    return date(at // 12, at % 12 + 1, 1)


def _apart(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month
