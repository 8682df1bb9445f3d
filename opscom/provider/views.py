"""The provider's logo, its disclaimers, and whether this installation is well."""

import mimetypes

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from redis.exceptions import RedisError

from opscom.core.errors import Stale
from opscom.core.redirects import safe_next
from opscom.provider.forms import AgreeForm
from opscom.provider.models import DisclaimerKind
from opscom.provider.selectors import current_disclaimer, get_provider
from opscom.provider.services import agree_to_disclaimer


@login_not_required
@require_safe
def logo(request: HttpRequest) -> FileResponse:
    """Show the provider's logo to anyone; its content was checked when the office stored it."""
    file = get_provider().logo
    content_type = mimetypes.guess_type(file.name or "")[0]
    if content_type not in {"image/png", "image/jpeg"}:
        raise Http404
    try:
        response = FileResponse(file.open("rb"), content_type=content_type)
    except FileNotFoundError as error:
        raise Http404 from error
    response["Cache-Control"] = "public, max-age=600"
    response["Content-Disposition"] = "inline"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def agree(request: HttpRequest, kind: str) -> HttpResponse:
    """Show a disclaimer, take `I Agree`, and lead back to where the person was going."""
    if kind not in DisclaimerKind.values:
        raise Http404
    back_to = safe_next(request, resolve_url(settings.LOGIN_REDIRECT_URL))
    disclaimer = current_disclaimer(kind)
    if disclaimer is None:
        return redirect(back_to)
    form = AgreeForm(request.POST or None, initial={"version": disclaimer.version})
    problem: object = ""
    if request.method == "POST" and form.is_valid():
        try:
            version = form.cleaned_data["version"]
            agree_to_disclaimer(user=request.user, kind=kind, text=str(disclaimer.text), version=version)
            return redirect(back_to)
        except Stale as error:
            problem = error
    context = {"disclaimer": disclaimer, "back_to": back_to, "problem": problem}
    return render(request, "provider/disclaimer.html", context)


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Say whether we can serve: 503 without the database; without Redis pages are slower, but whole."""
    database = is_database_up()
    facts = {"ok": database, "database": database, "redis": is_redis_up()}
    return JsonResponse(facts, status=200 if database else 503)


def is_database_up() -> bool:
    """Ask the database the shortest question."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def is_redis_up() -> bool:
    """Ask Redis the shortest question, with little patience."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.3, socket_timeout=0.5) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False
