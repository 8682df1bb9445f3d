"""How the office's site (Unfold) looks and groups; names in dotted form are called for each request."""

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

UNFOLD = {
    "SITE_TITLE": _("Parking office"),
    "SITE_HEADER": "office.navigation.write_header",
    "SITE_SUBHEADER": _("Parking office"),
    "SITE_SYMBOL": "local_parking",
    "SITE_URL": "/",
    # Each record's page shows its whole history itself, see templates/admin/change_form.html.
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "COLORS": {"primary": "office.navigation.brand_tints"},
    "STYLES": [lambda request: static("css/office.css")],
    "DASHBOARD_CALLBACK": "office.dashboard.add_figures",
    "SIDEBAR": {"show_search": False, "navigation": "office.navigation.list_groups"},
}
