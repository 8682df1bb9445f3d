"""A permit's PDF: made by the worker when the permit becomes active, kept by a hash of what it shows, printed by rule."""

import datetime as dt
import hashlib
import logging

import segno
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from kombu.exceptions import OperationalError

from accounts.models import User
from opscom.core import audit
from opscom.core.codes import make_code
from opscom.core.errors import Allowed, Decision, NotAllowed, Refused
from opscom.core.locks import lock_row
from opscom.core.pdf import write_pdf
from opscom.provider.selectors import get_provider, logo_as_data
from permits.eligibility import write_moment
from permits.models import Permit, PermitDocument, PermitPrint, PermitStatus
from permits.selectors import explain_payment
from permits.validity import describe_validity

log = logging.getLogger(__name__)
# A past permit may be printed as well, for an employer or a tax return: its paper says that it is over.
PRINTABLE = [PermitStatus.ACTIVE, PermitStatus.ENDED]
ASKED_SECONDS = 10


def load_permit(permit_id: int) -> Permit:
    """Return the permit with all that its document shows."""
    return (
        Permit.objects.select_related("holder", "sale__lot", "sale__permit_type")
        .prefetch_related("vehicle_links__vehicle", "sale__permit_type__validities__lots")
        .get(pk=permit_id)
    )


def render_document(permit: Permit) -> str:
    """Return the document's HTML in the holder's language; everything in it is inline, nothing is fetched."""
    status_url = settings.SITE_URL + reverse("permits:status", args=[permit.public_code])
    with override(permit.language):
        return render_to_string(
            "permits/pdf/permit.html",
            {
                "permit": permit,
                "provider": get_provider(),
                "logo": logo_as_data(),
                "payment_words": explain_payment(permit),
                "places": describe_validity(permit.permit_type, permit.lot),
                "status_url": status_url,
                "qr": segno.make(f"{status_url}?lang={permit.language}", error="m").svg_data_uri(scale=4, border=0),
                "vehicles": [link.vehicle for link in permit.vehicle_links.all()],
            },
        )


def current_document(permit: Permit) -> PermitDocument | None:
    """Return the ready file that shows the permit as it is now; None while the worker has not made it."""
    wanted = hashlib.sha256(render_document(permit).encode()).hexdigest()
    return permit.documents.filter(content_hash=wanted, language=permit.language).first()


def make_document(*, permit_id: int) -> PermitDocument | None:
    """Make the PDF unless the same content is there already; None for one that is not printed."""
    permit = load_permit(permit_id)
    if permit.status not in PRINTABLE:
        return None
    html = render_document(permit)
    key = {
        "permit": permit,
        "language": permit.language,
        "content_hash": hashlib.sha256(html.encode()).hexdigest(),
    }
    made = PermitDocument.objects.filter(**key).first()
    if made:
        return made
    document = PermitDocument(**key)
    document.file.save(f"{make_code(24)}.pdf", ContentFile(write_pdf(html)), save=False)
    try:
        with transaction.atomic():
            document.save()
    except IntegrityError:
        # Another worker was quicker: keep its file, drop ours.
        document.file.delete(save=False)
        return PermitDocument.objects.get(**key)
    return document


def has_document(permit: Permit) -> bool:
    """Say whether the file is ready; where it is not, ask for it: a plate or the provider's name may have changed."""
    if current_document(permit) is not None:
        return True
    ask_for_document(permit)
    return False


def ask_for_document(permit: Permit) -> None:
    """Tell the worker to make the file now, at most once in a while: a page that waits asks again and again."""
    from permits.tasks import make_document as task  # noqa: PLC0415 - tasks import services

    if not cache.add(f"permits:document-asked:{permit.pk}", 1, ASKED_SECONDS):
        return
    try:
        task.delay(permit.pk)
    except OperationalError as error:
        log.warning("the worker could not be told about permit %s: %s", permit.code, error)


def make_missing_documents() -> int:
    """Make documents of active permits that have none, a hundred at a time; returns how many were made."""
    missing = Permit.objects.filter(status=PermitStatus.ACTIVE, documents__isnull=True)
    ids = list(missing.order_by("pk").values_list("pk", flat=True)[:100])
    return sum(make_document(permit_id=pk) is not None for pk in ids)


def last_print(permit: Permit) -> PermitPrint | None:
    """Return the newest print."""
    return permit.prints.select_related("document").order_by("-ordinal").first()


def is_fetchable(printed: PermitPrint | None, now: dt.datetime) -> bool:
    """Say whether the printed file may be fetched again without using another print."""
    return printed is not None and now < printed.printed_at + dt.timedelta(minutes=get_provider().reprint_minutes)


def can_print(permit: Permit, *, now: dt.datetime) -> Decision:
    """Say whether the holder may download the permit now: one that is or was valid, once, and again for the provider's minutes."""
    if permit.status not in PRINTABLE:
        return Refused("not_active", _("Only a permit that is active, or has ended, can be printed."))
    if permit.suspended_at is not None:
        return Refused("suspended", _("This permit is suspended: it can be printed once it is valid again."))
    printed = last_print(permit)
    if printed is None or is_fetchable(printed, now):
        return Allowed()
    if has_print_left(permit, printed):
        return Allowed()
    return Refused(
        "printed",
        _("You can only print this once (last printed %(moment)s). The parking office can allow another print.")
        % {"moment": write_moment(printed.printed_at)},
    )


def has_print_left(permit: Permit, printed: PermitPrint) -> bool:
    """Say whether it may be printed anew after the newest print."""
    return printed.ordinal < permit.permit_type.max_prints + permit.extra_prints


@transaction.atomic
def print_permit(*, permit: Permit, actor: User, now: dt.datetime | None = None) -> PermitDocument | None:
    """Use one print, or the window of the last one, and return the file; None while it is still being made.

    Raises NotAllowed with the last printed date when there is none left. Two clicks at once use one print.
    """
    now = now or timezone.now()
    lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")
    permit = load_permit(permit.pk)
    can_print(permit, now=now).or_raise()
    printed = last_print(permit)
    document = current_document(permit)
    if printed and is_fetchable(printed, now):
        # Changed since, and another print was given for that: the old paper is not fetched once more.
        has_changed = document is None or document.pk != printed.document_id
        if not (has_changed and has_print_left(permit, printed)):
            return printed.document
    if document is None:
        return None
    ordinal = printed.ordinal + 1 if printed else 1
    PermitPrint.objects.create(permit=permit, ordinal=ordinal, document=document, printed_at=now, printed_by=actor)
    audit.record("permit.printed", permit, actor=actor, ordinal=ordinal)
    return document


@transaction.atomic
def allow_another_print(*, permit: Permit, actor: User) -> None:
    """The office gives one more print; raises NotAllowed for one that is not printed."""
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")
    if permit.status not in PRINTABLE:
        raise NotAllowed(_("Only a permit that is active, or has ended, can be printed."))
    Permit.objects.filter(pk=permit.pk).update(extra_prints=permit.extra_prints + 1)
    audit.record("permit.print_allowed", permit, actor=actor)
