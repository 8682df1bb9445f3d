"""The numbers that are scarce."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from permits.models.permits import Permit
from permits.models.sales import Sale


class SlotState(models.TextChoices):
    FREE = "free", _("Free")
    FOR_LIST = "for_list", _("Kept for who waits")
    HELD = "held", _("Held for a payment")
    TAKEN = "taken", _("Taken")
    RETIRED = "retired", _("Out of use")


N = SlotState
# Never to free directly: only `promote`, under the list's lock, frees a number, so that buyers cannot pass the list.
SLOT_MOVES = {
    N.FREE: frozenset({N.HELD, N.TAKEN, N.RETIRED}),
    N.HELD: frozenset({N.TAKEN, N.FOR_LIST}),
    # Taken to taken or held: from a permit that has ended to the one that renews it, paid or still to be paid.
    N.TAKEN: frozenset({N.FOR_LIST, N.RETIRED, N.TAKEN, N.HELD}),
    N.FOR_LIST: frozenset({N.FREE, N.HELD, N.RETIRED}),
    N.RETIRED: frozenset({N.FOR_LIST}),
}


class Slot(models.Model):
    """One number of one sale. `shuffle` is a random place, so that buyers start looking at different numbers."""

    sale = models.ForeignKey(Sale, models.PROTECT, related_name="slots", verbose_name=_("sale"))
    number = models.CharField(_("number"), max_length=20)
    shuffle = models.FloatField(editable=False)
    state = models.CharField(_("state"), max_length=10, choices=SlotState.choices, default=N.FREE)
    permit = models.OneToOneField(
        Permit, models.PROTECT, null=True, blank=True, related_name="slot", verbose_name=_("permit")
    )

    class Meta:
        verbose_name = _("permit number")
        verbose_name_plural = _("permit numbers")
        ordering = ["sale", "number"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SlotState.values), name="permits_slot_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=[N.HELD, N.TAKEN], permit__isnull=False)
                | (~Q(state__in=[N.HELD, N.TAKEN]) & Q(permit__isnull=True)),
                name="permits_slot_permit_matches_state",
            ),
            models.UniqueConstraint(fields=["sale", "number"], name="permits_slot_number_once_per_sale"),
        ]
        indexes = [
            models.Index(fields=["sale", "shuffle"], condition=Q(state="free"), name="permits_slot_free"),
            models.Index(fields=["sale", "state"], name="permits_slot_state"),
            models.Index(fields=["sale"], condition=Q(state="for_list"), name="permits_slot_for_list"),
        ]

    def __str__(self) -> str:
        return self.number
