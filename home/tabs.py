"""The tabs under the masthead and the entries of the name menu. A later module adds its line here."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.acting.selectors import is_manager
from accounts.models import User
from opscom.provider.selectors import get_provider
from payments.stored import has_cards_page

# On a phone this many tabs stand side by side; with more, the last place is `More`.
TABS_ON_PHONE = 5


def always(request: HttpRequest) -> bool:
    """Show to everyone who is signed in."""
    return True


def manages_company(request: HttpRequest) -> bool:
    """Show to whom the office has given a company."""
    return isinstance(request.user, User) and is_manager(request.user)


def may_upload(request: HttpRequest) -> bool:
    """Show where the provider takes documents."""
    return get_provider().is_document_upload_on


def may_store_cards(request: HttpRequest) -> bool:
    """Show where something can be stored to pay with, or is; never to who acts for the person."""
    return not getattr(request, "acting_person", None) and has_cards_page(request.user)


def may_appeal(request: HttpRequest) -> bool:
    """Show while tickets can be appealed in the portal; what is to be paid stands on `Home` and under `Payments` anyway."""
    return get_provider().is_appeals_on


def rents_lockers(request: HttpRequest) -> bool:
    """Show while lockers are rented."""
    return get_provider().is_lockers_on


def may_choose_emails(request: HttpRequest) -> bool:
    """Show while people may choose which e-mails they get."""
    return get_provider().is_email_preferences_on


@dataclass(frozen=True, slots=True)
class Entry:
    """One link: its label (the manual's word), lucide icon, URL name, and whether it is switched on for this request."""

    label: str | Promise
    icon: str
    url_name: str
    is_on: Callable[[HttpRequest], bool] = always
    # A tab stands for all pages of its app, unless that app's other pages stand in the name menu.
    is_one_page: bool = False
    # A namespace whose pages belong to it, too.
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as this request shows it. `is_beyond`: on a phone it moves under `More`."""

    label: str | Promise
    icon: str
    url: str
    is_current: bool
    is_beyond: bool = False


TABS = [
    Entry(_("Home"), "house", "home:home"),
    Entry(_("Vehicles"), "car", "vehicles:list"),
    Entry(_("Permits"), "badge-check", "permits:list"),
    Entry(_("Lockers"), "lock", "lockers:list", rents_lockers),
    Entry(_("Appeals"), "scale", "violations:list", may_appeal),
    Entry(_("Payments"), "credit-card", "payments:due"),
    Entry(
        _("Company Manager"),
        "users-round",
        "accounts:company",
        manages_company,
        is_one_page=True,
        namespace="statements",
    ),
]
NAME_MENU = [
    Entry(_("Your Profile"), "user-round", "accounts:profile"),
    Entry(_("Addresses"), "map-pin", "accounts:addresses"),
    Entry(_("Security"), "shield-check", "accounts:security"),
    Entry(_("History"), "history", "accounts:history"),
    Entry(_("Upload Documents"), "upload", "accounts:documents", may_upload),
    Entry(_("Manage Credit Cards"), "credit-card", "payments:cards", may_store_cards),
    Entry(_("Email Preferences"), "mail", "accounts:email_preferences", may_choose_emails),
]


def links(entries: list[Entry], request: HttpRequest) -> list[Link]:
    """Return what is switched on. An entry whose page does not exist in this installation is left out."""
    return [link for entry in entries if entry.is_on(request) and (link := as_link(entry, request))]


def as_link(entry: Entry, request: HttpRequest) -> Link | None:
    """Return the entry with its address, or None when no such page exists."""
    try:
        url = reverse(entry.url_name)
    except NoReverseMatch:
        return None
    return Link(entry.label, entry.icon, url, is_current(entry, request))


def is_current(entry: Entry, request: HttpRequest) -> bool:
    """Say whether the page belongs to the entry: a tab to its whole app, a name menu entry to its one page."""
    match = request.resolver_match
    if match is None:
        return False
    if entry.namespace and entry.namespace in match.namespaces:
        return True
    if entry in TABS and not entry.is_one_page:
        return entry.url_name.partition(":")[0] in match.namespaces
    return entry.url_name == match.view_name


def tabs(request: HttpRequest) -> list[Link]:
    """Return the tabs, those beyond a phone's width marked."""
    shown = links(TABS, request)
    if len(shown) <= TABS_ON_PHONE:
        return shown
    kept = TABS_ON_PHONE - 1
    beyond = [Link(one.label, one.icon, one.url, one.is_current, is_beyond=True) for one in shown[kept:]]
    return shown[:kept] + beyond


def name_menu(request: HttpRequest) -> list[Link]:
    """Return the entries of the menu under the person's name; sign-out stands in the template."""
    return links(NAME_MENU, request)
