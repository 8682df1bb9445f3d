"""Active permits and held ones, for the first page."""

from accounts.models import User
from permits.models import Permit
from permits.services.delivering import activate_permit
from tests.factories.payments import order_permit
from tests.factories.permits import make_sale, reserve


def make_active(holder: User) -> Permit:
    """Return a permit of a type of its own that this person has paid for."""
    permit = reserve(make_sale(numbers=1), holder)
    activate_permit(permit_id=permit.pk, order=order_permit(permit))
    return Permit.objects.get(pk=permit.pk)
