"""For the operator's Prometheus: figures about this installation, behind a token."""

import hmac
import threading

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from seatwise import metrics

PATIENCE = "5s"  # with each question

_turn = threading.Lock()  # the figures of a large installation cost something, and asking is free


@login_not_required
@require_safe
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Prometheus' text; 404 while no token is set, 401 without it, 503 where it must wait."""
    if not settings.METRICS_TOKEN:
        return HttpResponse("not found\n", status=404, content_type="text/plain")
    if not _knows_the_token(request):
        headers = {"WWW-Authenticate": 'Bearer realm="Seatwise metrics"'}
        return HttpResponse(
            "a token is needed\n", status=401, content_type="text/plain", headers=headers
        )
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    if not _turn.acquire(blocking=False):
        return _not_now("Another scrape is under way; one is answered at a time.")
    try:
        with transaction.atomic():
            _hurry()
            text = encode(metrics.Figures(timezone.now()))
    except Error:
        return _not_now("The database did not answer in time.")
    finally:
        _turn.release()
    return HttpResponse(text, content_type=content_type)


page.before_first_run = True  # type: ignore[attr-defined]


def _hurry() -> None:
    """Neither a long question nor a table that somebody holds keeps the scrape for longer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', %(limit)s, true),"
            " set_config('lock_timeout', %(limit)s, true)",
            {"limit": PATIENCE},
        )


def _not_now(sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=503, content_type="text/plain")


def _knows_the_token(request: HttpRequest) -> bool:
    scheme, _, told = request.headers.get("Authorization", "").partition(" ")
    is_right = hmac.compare_digest(told.strip().encode(), settings.METRICS_TOKEN.encode())
    return is_right and scheme.lower() == "bearer"
