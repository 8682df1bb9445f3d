"""The office rolls the holders of one sale into another: choose, look, run, and watch."""

from typing import Any, cast
from urllib.parse import urlencode

import tablib
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action, display

from accounts.forms.office import ConfirmForm
from accounts.models import User
from opscom.core.admin import NothingToTypeForm, ReadOnlyAdmin, change_page, find_by_number, posted, render_ask_page
from opscom.core.errors import DomainError
from payments.journal import plain
from permits.models import RollRow, RollRun, RollStatus, RowStatus, Sale
from permits.roll_forms import RollForm
from permits.rolling import Line, Plan, holder_name, preview
from permits.selectors import load_sales
from permits.services import rolling

ROLL_TONES = {RollStatus.RUNNING: "info", RollStatus.DONE: "success", RollStatus.STOPPED: "warning"}
ROWS_PER_PAGE = 100


class RollsHolders:
    """`Roll holders into another sale`, on the page of a sale."""

    def has_roll_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("permits.add_rollrun")

    @action(
        description=_("Roll holders into another sale"), url_path="roll", permissions=["roll"], icon="moving"
    )  # fmt: skip
    @method_decorator(sensitive_post_parameters("password", "code"))
    def roll(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask into which sale, then show who would get what; the password starts it. What was chosen stands in the address."""
        source = get_object_or_404(load_sales(), pk=object_id)
        form = RollForm(request.GET if "target" in request.GET else None, source=source)
        if not form.is_bound or not form.is_valid():
            facts = [(_("from the sale"), source), (_("dates"), dates_of(source))]
            return render_ask_page(
                cast(Any, self), request, title=_("Roll holders into another sale"), form=form, facts=facts,
                submit=_("Look who can"), original=source, back=change_page(source), method="get",
            )  # fmt: skip
        plan = form.to_plan()
        if request.GET.get("format") == "csv":
            return as_csv(plan, preview(plan, timezone.now()))
        return self._look(request, source, plan)

    def _look(self, request: HttpRequest, source: Sale, plan: Plan) -> HttpResponse:
        form = ConfirmForm(posted(request), request=request)
        if form.is_bound and form.is_valid():
            try:
                run = rolling.start_roll(plan=plan, actor=cast(User, request.user))
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, gettext("It has begun: this page shows how far it is."))
                return redirect(change_page(run))
        request.current_app = cast(Any, self).admin_site.name  # type: ignore[attr-defined]
        context = {
            **cast(Any, self).admin_site.each_context(request),
            **describe(plan, preview(plan, timezone.now()), request.GET.get("page", "1")),
            "title": _("Roll holders into another sale"),
            "opts": Sale._meta,
            "original": source,
            "form": form,
            "back": f"?{urlencode({})}",
            "query": _query(request),
        }
        return TemplateResponse(
            request, "permits/admin/roll.html", context, status=422 if form.is_bound and form.errors else 200
        )


def _query(request: HttpRequest) -> str:
    values = request.GET.copy()
    for name in ("page", "format"):
        values.pop(name, None)
    return values.urlencode()


def dates_of(sale: Sale) -> str:
    """Return the dates of the sale's permits."""
    return f"{sale.valid_from or '…'} – {sale.valid_until or '…'}"


def describe(plan: Plan, lines: list[Line], page: str) -> dict[str, Any]:
    """Return the preview: how many can, and one page of all, those who cannot on top."""
    can = [line for line in lines if line.decision.is_allowed]
    cannot = [line for line in lines if not line.decision.is_allowed]
    return {
        "plan": plan,
        "count": len(can),
        "left_out": len(cannot),
        "charged": sum(line.method is not None for line in can),
        "page": Paginator([*cannot, *can], ROWS_PER_PAGE).get_page(page),
    }


def as_csv(plan: Plan, lines: list[Line]) -> HttpResponse:
    """Hand out the whole preview; no cell is a formula."""
    table = tablib.Dataset(
        headers=["permit", "holder", "from", "until", "amount", "charged", "result", "why not"], title="roll"
    )
    for line in lines:
        amount = f"{line.price.amount:.2f}" if line.price else ""
        method = line.method.label if line.method else ""
        word = "rolled" if line.decision.is_allowed else "left out"
        who = holder_name(cast(User, line.permit.holder))
        texts = [line.permit.number, who, line.first.isoformat(), line.last_day.isoformat(), amount, method, word]
        table.append([plain(text) for text in [*texts, line.reason]])
    answer = HttpResponse(table.export("csv"), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="roll-{plan.source.code}-{plan.target.code}.csv"'
    return answer


@admin.register(RollRun)
class RollRunAdmin(ReadOnlyAdmin):
    """Rolls that are under way or done, with how far they are."""

    list_display = ["source", "target", "state", "rolled", "left_out", "waiting", "started_by", "started_at"]
    list_filter = ["status"]
    list_select_related = ["source__lot", "source__permit_type", "target__lot", "target__permit_type", "started_by"]
    fields = ["source", "target", "pay_by", "charge_on", "skips_switched_off", "status", "started_by", "started_at"]
    fields += ["finished_at"]
    readonly_fields = fields
    actions_detail = ["stop"]
    change_form_outer_after_template = "permits/admin/_roll_progress.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[RollRun]:
        def count(status: RowStatus) -> Count:
            return Count("rows", filter=Q(rows__status=status))

        rows = super().get_queryset(request)
        return rows.annotate(
            rolled_count=count(RowStatus.ROLLED),
            skipped_count=count(RowStatus.SKIPPED),
            waiting_count=count(RowStatus.WAITING),
        )

    @display(description=_("status"), ordering="status", label=ROLL_TONES)
    def state(self, run: RollRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description=_("reserved"), ordering="rolled_count")
    def rolled(self, run: Any) -> int:
        return int(run.rolled_count)

    @display(description=_("left out"), ordering="skipped_count")
    def left_out(self, run: Any) -> int:
        return int(run.skipped_count)

    @display(description=_("waiting"), ordering="waiting_count")
    def waiting(self, run: Any) -> int:
        return int(run.waiting_count)

    def get_urls(self) -> list[Any]:
        progress = self.admin_site.admin_view(find_by_number(self.progress))
        return [path("<object_id>/progress/", progress, name="permits_rollrun_progress"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        extra = {**(extra_context or {}), **progress_of(object_id)}
        return super().change_view(request, object_id, form_url, extra)

    def progress(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with how far it is, for the page that asks every two seconds."""
        run = get_object_or_404(self.get_queryset(request), pk=object_id)
        if not self.has_view_permission(request, run):
            return HttpResponse(status=403)
        return render(request, "permits/admin/_roll_state.html", progress_of(object_id))

    def has_stop_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("permits.add_rollrun")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        is_running = RollRun.objects.filter(pk=object_id, status=RollStatus.RUNNING).exists()
        return super().get_actions_detail(request, object_id) if is_running else []

    @action(description=_("Stop"), url_path="stop", permissions=["stop"], icon="stop")
    def stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = get_object_or_404(self.get_queryset(request), pk=object_id)
        if request.method == "POST":
            try:
                rolling.stop_roll(run=run, actor=cast(User, request.user))
            except DomainError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, gettext("Nobody more is rolled. Who has a new permit keeps it."))
            return redirect(change_page(run))
        return render_ask_page(
            self, request, title=_("Stop"), form=NothingToTypeForm(), facts=[(_("roll of a sale"), run)],
            submit=_("Stop"), original=run, back=change_page(run), is_danger=True,
        )  # fmt: skip


def progress_of(run_id: Any) -> dict[str, Any]:
    """Return how many of the roll are done, and who was left out and why, the newest first."""
    run = RollRun.objects.filter(pk=run_id).first()
    if run is None:
        return {}
    rows = RollRow.objects.filter(run=run)
    counts = rows.aggregate(
        rolled=Count("pk", filter=Q(status=RowStatus.ROLLED)),
        left_out=Count("pk", filter=Q(status=RowStatus.SKIPPED)),
        total=Count("pk"),
    )
    skipped = rows.filter(status=RowStatus.SKIPPED).select_related("permit__holder").order_by("-pk")
    return {
        "run": run,
        **counts,
        "done": counts["rolled"] + counts["left_out"],
        "is_running": run.status == RollStatus.RUNNING,
        "skipped": skipped[:ROWS_PER_PAGE],
        "progress_url": reverse("admin:permits_rollrun_progress", args=[run.pk]),
    }
