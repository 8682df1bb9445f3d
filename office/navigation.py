"""The sidebar of the office's site, as the office thinks; each role sees only what it may open."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

from opscom.core.colours import BLACK, WHITE, mix, readable_on
from opscom.provider.selectors import get_provider

# The ground of Unfold's pages in the dark.
DARK_PAGE = "#101828"

# Group -> (model, Material icon, words; None: the model's own plural). A model without a page in the admin is skipped.
GROUPS: list[tuple[Any, list[tuple[str, str, Any]]]] = [
    (
        _("People"),
        [
            ("accounts.User", "group", None),
            ("accounts.Company", "apartment", None),
            ("accounts.DocumentRequest", "approval", None),
            ("accounts.AccountDocument", "description", None),
            ("accounts.AccountHold", "front_hand", None),
            ("vehicles.Ownership", "directions_car", _("People's vehicles")),
            ("vehicles.Vehicle", "pin", _("Plates")),
        ],
    ),
    (
        _("Lots and permits"),
        [
            ("permits.Permit", "badge", None),
            ("provider.Lot", "local_parking", None),
            ("permits.Closure", "block", None),
            ("permits.Sale", "sell", None),
            ("permits.RollRun", "moving", None),
            ("permits.Slot", "format_list_numbered", None),
            ("permits.Waitlist", "format_list_bulleted", None),
            ("permits.WaitlistEntry", "hourglass_empty", None),
            ("permits.PermitType", "category", None),
            ("provider.Term", "date_range", None),
        ],
    ),
    (
        _("Tickets and appeals"),
        [
            ("violations.Appeal", "balance", None),
            ("violations.Ticket", "confirmation_number", None),
            ("violations.Association", "link", None),
            ("violations.Notice", "mail", _("Notices and letters")),
            ("violations.CollectionExport", "outbound", None),
            ("violations.Offence", "rule", None),
            ("violations.OffenceCategory", "category", None),
            ("violations.TextBlock", "short_text", None),
        ],
    ),
    (
        _("Boots"),
        [
            ("boots.Booting", "directions_car", _("Boots out")),
            ("boots.Boot", "lock", None),
            ("boots.DropOffPlace", "place", None),
            ("boots.BootPicture", "image", None),
            ("boots.BootPolicy", "rule", None),
        ],
    ),
    (
        _("Lockers"),
        [
            ("lockers.Rental", "lock_person", None),
            ("lockers.Locker", "lock", None),
            ("lockers.LockerSale", "sell", None),
            ("lockers.Area", "grid_view", None),
            ("lockers.Building", "apartment", None),
        ],
    ),
    (
        _("Money"),
        [
            ("payments.Order", "shopping_cart", None),
            ("payments.OrderLine", "receipt_long", None),
            ("payments.Payment", "payments", None),
            ("payments.Promise", "handshake", None),
            ("payments.Refund", "undo", None),
            ("payments.Debt", "request_quote", None),
            ("payments.Deposit", "savings", None),
            ("payments.Adjustment", "price_change", None),
            ("payments.Dispute", "gavel", None),
            ("payments.BillingAccount", "corporate_fare", None),
            ("payments.Statement", "description", None),
            ("payments.CollectionPeriod", "calendar_month", None),
            ("payments.Deduction", "price_check", None),
            ("payments.GatewayEvent", "webhook", None),
            ("payments.BooksProof", "menu_book", _("Books")),
            ("payments.RateTable", "schedule", None),
            ("payments.TaxRate", "percent", None),
            ("payments.TaxExemption", "money_off_csred", None),
            ("payments.PaymentMethod", "account_balance_wallet", None),
            ("payments.StoredMethod", "credit_card", None),
            ("payments.AccountCode", "account_tree", None),
        ],
    ),
    (
        _("Messages"),
        [
            ("messaging.Message", "outgoing_mail", None),
            ("accounts.Mailing", "campaign", None),
            ("messaging.MessageTemplate", "edit_note", None),
            ("messaging.EmailCategory", "label", None),
        ],
    ),
    (
        _("Settings"),
        [
            ("provider.Provider", "settings", None),
            ("provider.Disclaimer", "gavel", None),
            ("provider.Holiday", "event_busy", None),
            ("accounts.UserType", "groups", None),
            ("accounts.ProfileField", "assignment_ind", None),
            ("accounts.IdentityProvider", "key", None),
            ("vehicles.PlateType", "style", None),
            ("auth.Group", "shield_person", _("roles")),
            ("core.AuditEntry", "history", None),
        ],
    ),
]


def list_groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar for this person."""
    home = {"title": _("Today"), "icon": "space_dashboard", "link": reverse_lazy("admin:index")}
    groups = [{"title": title, "separator": True, "items": list_items(request, rows)} for title, rows in GROUPS]
    if request.user.has_perms(["permits.view_sale", "permits.view_permit"]):
        # No list of records: figures over all of them.
        counts = {"title": _("Counts"), "icon": "bar_chart", "link": reverse("admin:permits_sale_counts")}
        groups[1]["items"].append(counts)
    return [{"items": [home]}, *[group for group in groups if group["items"]]]


def list_items(request: HttpRequest, rows: list[tuple[str, str, Any]]) -> list[dict[str, Any]]:
    """Return the links of one group that this person may open."""
    items = []
    for label, icon, words in rows:
        model = apps.get_model(label)
        page = admin.site._registry.get(model)
        if page is None or not page.has_view_or_change_permission(request):
            continue
        link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        title = words or model._meta.verbose_name_plural
        items.append({"title": str(title)[:1].upper() + str(title)[1:], "icon": icon, "link": link})
    return items


def write_header(request: HttpRequest) -> str:
    """Return what stands at the top of each page: whose office this is."""
    provider = get_provider()
    return provider.short_name or provider.name


def brand_tints(request: HttpRequest) -> dict[str, str]:
    """Return Unfold's eleven shades of the provider's colour; 600 carries white text, 500 is text upon the dark page."""
    base = readable_on(get_provider().colour, [WHITE], BLACK)
    lighter = {"50": 0.95, "100": 0.89, "200": 0.78, "300": 0.62, "400": 0.42}
    darker = {"700": 0.18, "800": 0.34, "900": 0.48, "950": 0.64}
    shades = {name: mix(base, WHITE, share) for name, share in lighter.items()}
    shades |= {"500": readable_on(base, [DARK_PAGE], WHITE), "600": base}
    return shades | {name: mix(base, BLACK, share) for name, share in darker.items()}
