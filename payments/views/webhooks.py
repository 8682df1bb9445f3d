"""What gateways report."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments.gateways.base import GatewayError, NotSigned
from payments.gateways.registry import installed_gateways
from payments.services.confirming import announce_event, keep_event


@csrf_exempt
@login_not_required
@require_POST
def webhook(request: HttpRequest, gateway: str) -> HttpResponse:
    """Take a gateway's report: verify, keep, answer; a worker then asks the gateway what is true."""
    adapter = installed_gateways().get(gateway)
    if adapter is None:
        raise Http404
    try:
        event = adapter.read_event(request.body, request.headers)
    except NotSigned:
        return HttpResponse(status=400)
    except GatewayError:
        # Signed, but what it is about had to be asked and there was no answer: the gateway reports again.
        return HttpResponse(status=503)
    # What is not for us is taken all the same: a gateway stops reporting to an address that refuses.
    if event is not None:
        kept = keep_event(gateway_code=gateway, event=event, body=request.body)
        if kept.handled_at is None:
            announce_event(kept)
    return HttpResponse(status=204)
