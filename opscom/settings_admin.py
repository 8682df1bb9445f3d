"""How the office's site (Unfold) looks and groups."""

from django.utils.translation import gettext_lazy as _

UNFOLD = {
    "SITE_TITLE": _("Parking office"),
    "SITE_HEADER": _("Parking office"),
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
