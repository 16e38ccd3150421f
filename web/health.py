"""Is this server able to do its work? For load balancers, orchestrators and `newsdesk up`."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from web.watch import ESSENTIAL, OK, watch


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 once database, broker, a worker and beat answer, else 503; the body says which do, and what else is wrong.

    It tells what was seen a second or two ago, and asks nobody: it answers at once whatever stands still.
    """
    state = watch.state()
    response = JsonResponse(state, status=200 if all(state[name] == OK for name in ESSENTIAL) else 503)
    # Whoever asks acts on the answer; Django would log an error for every question during a start.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response
