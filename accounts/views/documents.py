"""`Upload Documents`: the page `Account Uploads`, the files themselves, and what the office asks for."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import throttles
from accounts.decorators import profile_not_required
from accounts.forms.documents import UploadForm, allowed_kinds
from accounts.models import AccountDocument, DocumentRequest, DocumentRequestQuerySet, RequestStatus
from accounts.requests import SignedIn
from accounts.services import documents as services
from accounts.views.common import form_page, too_many
from opscom.core.downloads import send_attachment
from opscom.core.errors import Decision, DomainError, Refused
from opscom.core.uploads import MAX_DOCUMENT_BYTES, write_limit
from opscom.provider.selectors import get_provider

PAGE_SIZE = 25
LIST = "accounts:documents"


@never_cache
@form_page
def documents(request: SignedIn) -> HttpResponse:
    """`Account Uploads`: what the office asks for, the form, and `Uploaded Documents`."""
    _require_switch()
    decision = services.can_upload(request.user)
    requests = DocumentRequest.objects.filter(person=request.user).waiting()
    if request.method != "POST":
        return _render(
            request, decision, requests, UploadForm(requests=requests, initial=_asked_first(request, requests))
        )
    if not decision.is_allowed:
        return _render(request, decision, requests, None, status=403)
    if not throttles.may_upload(request.user.code):
        form = UploadForm(requests=requests)
        return _render(request, Refused("too-often", too_many().message), requests, form, status=429)
    form = UploadForm(request.POST, request.FILES, requests=requests)
    if form.is_valid() and _upload(request, form):
        return redirect(LIST)
    return _render(request, decision, requests, form, status=422)


def _upload(request: SignedIn, form: UploadForm) -> bool:
    """Keep the files; a refusal becomes an error of the form."""
    files, wanted = form.cleaned_data["documents"], form.cleaned_data["request"]
    try:
        services.upload_documents(person=request.user, files=files, request=wanted)
    except DomainError as error:
        form.add_error(None, str(error))
        return False
    count = len(files)
    text = ngettext("%(count)d file is uploaded.", "%(count)d files are uploaded.", count) % {"count": count}
    messages.success(request, text)
    return True


def _asked_first(request: SignedIn, requests: DocumentRequestQuerySet) -> dict[str, str]:
    """Return which request stands chosen: the one of the link, else the oldest that waits for the person."""
    open_codes = [one.code for one in requests if one.status != RequestStatus.SENT]
    wanted = request.GET.get("for", "")
    return {"request": wanted if wanted in open_codes else (open_codes or [""])[-1]}


def _render(
    request: SignedIn,
    decision: Decision,
    requests: DocumentRequestQuerySet,
    form: UploadForm | None,
    *,
    status: int = 200,
) -> HttpResponse:
    rows = AccountDocument.objects.living().filter(person=request.user).select_related("request")
    context = {
        "requests": requests,
        "refusal": decision if isinstance(decision, Refused) else None,
        "form": form if decision.is_allowed else None,
        "allowed_kinds": allowed_kinds(),
        "most_bytes": MAX_DOCUMENT_BYTES,
        "most": write_limit(MAX_DOCUMENT_BYTES),
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
    }
    return render(request, "accounts/documents.html", context, status=status)


# The office's people fetch files here, too, and their own profile must not stand in the way of their work.
@profile_not_required  # type: ignore[type-var]
@require_safe
def document_file(request: SignedIn, code: str) -> HttpResponseBase:
    """The file, for saving: to its owner and to the office by its permission; to anybody else it is not there."""
    document = get_object_or_404(AccountDocument.objects.living().visible_to(request.user), code=code)
    try:
        file = document.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    # A HEAD counts, too: some servers send the file all the same.
    if document.person_id != request.user.pk:
        services.note_opening(document=document, actor=request.user)
    return send_attachment(file, name=document.name, content_type=document.content_type)


@never_cache
@form_page
def remove_document(request: SignedIn, code: str) -> HttpResponse:
    """Ask once, then remove one's own file."""
    _require_switch()
    mine = AccountDocument.objects.living().filter(person=request.user).select_related("request")
    document = get_object_or_404(mine, code=code)
    decision = services.can_remove(document)
    if request.method == "POST":
        try:
            services.remove_document(document=document, actor=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("“%(name)s” is removed.") % {"name": document.name})
        return redirect(LIST)
    return render(request, "accounts/document_remove.html", {"document": document, "decision": decision})


def _require_switch() -> None:
    if not get_provider().is_document_upload_on:
        raise Http404
