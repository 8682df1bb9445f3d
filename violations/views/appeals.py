"""Appeal a ticket, answer the office's question, withdraw. Files wait beside the form until it is sent."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.decorators import profile_not_required
from accounts.requests import SignedIn
from accounts.views.common import too_many
from opscom.core.errors import Decision, DomainError
from opscom.core.uploads import MAX_DOCUMENT_BYTES, write_limit
from opscom.provider.selectors import get_provider
from violations import selectors, throttles
from violations.forms.appeals import AnswerForm, AppealForm, WithFiles
from violations.models import Appeal, AppealStatus, Evidence, Ticket
from violations.rules import can_appeal
from violations.services import appealing
from violations.services.files import remove_evidence, stage_evidence, staged
from violations.views.common import form_page, needs_switch


@needs_switch("is_appeals_on")
@never_cache
@form_page
def appeal(request: SignedIn, code: str) -> HttpResponse:
    """`Request Appeal`: the reasons and the evidence; `Submit Appeal` sends them."""
    ticket = get_object_or_404(selectors.load_ticket(Ticket.objects.visible_to(request.user)), code=code)
    decision = can_appeal(ticket, request.user)
    form = AppealForm(takes_files=get_provider().is_appeal_evidence_on)
    if request.method == "POST" and decision.is_allowed:
        form = AppealForm(request.POST, request.FILES, takes_files=get_provider().is_appeal_evidence_on)
        if _keep_files(request, ticket, form) and _submit(request, ticket, form):
            return redirect("violations:confirmation", ticket.code)
    return _render_form(request, ticket, form, "violations/appeal.html", decision=decision)


def _submit(request: SignedIn, ticket: Ticket, form: WithFiles) -> bool:
    text = form.cleaned_data["text"]
    try:
        appealing.submit_appeal(ticket=ticket, person=request.user, reason=text, language=request.LANGUAGE_CODE)
    except DomainError as error:
        form.add_error(None, str(error))
        return False
    return True


@never_cache
@form_page
def answer(request: SignedIn, code: str) -> HttpResponse:
    """Answer what the office asked about one's appeal."""
    mine = Appeal.objects.visible_to(request.user).filter(status=AppealStatus.ASKED).select_related("ticket__offence")
    found = get_object_or_404(mine, ticket__code=code)
    form = AnswerForm(takes_files=get_provider().is_appeal_evidence_on)
    if request.method == "POST":
        form = AnswerForm(request.POST, request.FILES, takes_files=get_provider().is_appeal_evidence_on)
        if _keep_files(request, found.ticket, form) and _answer(request, found, form):
            return redirect("violations:ticket", code)
    question = found.messages.filter(is_from_office=True).last()
    return _render_form(request, found.ticket, form, "violations/answer.html", question=question)


def _answer(request: SignedIn, found: Appeal, form: WithFiles) -> bool:
    try:
        appealing.answer_question(appeal=found, person=request.user, text=form.cleaned_data["text"])
    except DomainError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, _("Your answer is sent. The office goes on with your appeal."))
    return True


def _keep_files(request: SignedIn, ticket: Ticket, form: WithFiles) -> bool:
    """Keep the good files and remove what is to go, whatever else is wrong; True when the form is to be sent now."""
    is_valid = form.is_valid()
    removed = Evidence.objects.visible_to(request.user).filter(ticket=ticket, code=request.POST.get("remove", ""))
    try:
        for evidence in removed:
            remove_evidence(evidence=evidence, actor=request.user)
        if form.good_files and not throttles.may_upload_evidence(request.user.code):
            form.add_error("chosen", too_many())
        elif form.good_files:
            stage_evidence(ticket=ticket, person=request.user, files=form.good_files)
    except DomainError as error:
        form.add_error(None, str(error))
    if {"remove", "upload"} & set(request.POST):
        # Not sent yet: that the text is missing is no error of this step.
        form.errors.pop("text", None)
        return False
    return is_valid and form.is_valid()


def _render_form(
    request: SignedIn,
    ticket: Ticket,
    form: WithFiles,
    template: str,
    *,
    decision: Decision | None = None,
    **more: Any,
) -> HttpResponse:
    is_refused = decision is not None and not decision.is_allowed
    context = {
        "ticket": ticket,
        "view": selectors.view_ticket(ticket, request.user),
        "form": form,
        "decision": decision,
        "files": staged(ticket, request.user),
        "refusal_cost": selectors.cost_of_refusal(ticket),
        "decision_day": selectors.usual_decision_day(),
        "most_bytes": MAX_DOCUMENT_BYTES,
        "most": write_limit(MAX_DOCUMENT_BYTES),
        **more,
    }
    if request.htmx:
        # 200: what is wrong with a file stands in the part itself.
        return render(request, "violations/_evidence.html", context)
    status = 403 if is_refused and request.method == "POST" else 422 if form.errors else 200
    return render(request, template, context, status=status)


@never_cache
@require_safe
def confirmation(request: SignedIn, code: str) -> HttpResponse:
    """What was sent, to be printed where no e-mail goes out."""
    appeals = Appeal.objects.visible_to(request.user).select_related("ticket__offence").prefetch_related("evidence")
    found = appeals.filter(ticket__code=code).order_by("sent_at").last()
    ticket = get_object_or_404(Ticket.objects.visible_to(request.user), code=code)
    if found is None:
        return redirect("violations:ticket", ticket.code)
    return render(request, "violations/confirmation.html", {"appeal": found, "ticket": found.ticket})


# Withdrawing leads to paying, which never waits for a complete profile.
@profile_not_required  # type: ignore[type-var]
@never_cache
@form_page
def withdraw(request: SignedIn, code: str) -> HttpResponse:
    """`Withdraw appeal`: says the cost first, then unlocks the ticket at once."""
    appeals = Appeal.objects.visible_to(request.user).under_review().select_related("ticket__offence", "ticket__lot")
    found = appeals.filter(ticket__code=code).first()
    ticket = get_object_or_404(Ticket.objects.visible_to(request.user).with_reviews(), code=code)
    if found is None:
        messages.info(request, _("This appeal is closed already."))
        return redirect("violations:ticket", ticket.code)
    if request.method == "POST":
        try:
            appealing.withdraw_appeal(appeal=found, person=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Your appeal is withdrawn. The ticket can be paid now."))
        return redirect("violations:ticket", ticket.code)
    context = {"ticket": ticket, "appeal": found, "view": selectors.view_ticket(ticket, request.user)}
    return render(request, "violations/withdraw.html", context)
