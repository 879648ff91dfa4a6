"""For the operator's Prometheus: figures about this installation, behind a token."""

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from seatwise import metrics


@login_not_required
@require_safe
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Prometheus' text; 404 while no token is set, 401 without it, 503 without a database."""
    if not settings.METRICS_TOKEN:
        return HttpResponse("not found\n", status=404, content_type="text/plain")
    if not _knows_the_token(request):
        headers = {"WWW-Authenticate": 'Bearer realm="Seatwise metrics"'}
        return HttpResponse(
            "a token is needed\n", status=401, content_type="text/plain", headers=headers
        )
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    try:
        return HttpResponse(encode(metrics.Figures(timezone.now())), content_type=content_type)
    except DatabaseError:
        return HttpResponse("no database\n", status=503, content_type="text/plain")


page.before_first_run = True  # type: ignore[attr-defined]


def _knows_the_token(request: HttpRequest) -> bool:
    scheme, _, told = request.headers.get("Authorization", "").partition(" ")
    is_right = hmac.compare_digest(told.strip().encode(), settings.METRICS_TOKEN.encode())
    return is_right and scheme.lower() == "bearer"
