"""Who gets what: every address of the portal, asked by every kind of visitor. THE table; a new address needs its row.

A row's key is the name of the URL, or its path where it has no name; it is asked with GET, or as "POST name" says.
Columns: anonymous, unproved resident, resident (who owns the object), other resident, manager, officer, clerk,
administrator. An address with arguments needs a function in OBJECTS, which makes an object owned by `resident` and
returns the arguments; it runs anew for each visitor.
"""

from collections.abc import Callable
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.links import Purpose, make_change_token, make_token
from accounts.models import User
from accounts.roles import ADMINISTRATOR
from accounts.sessions.selectors import places_of
from boots.models import Booting
from demo.models import ReceivedMessage
from opscom.messaging.preferences import make_link
from opscom.provider.selectors import local_date
from payments.guests import guest_path, sign_order
from payments.models import Statement
from payments.services.confirming import confirm_payment
from payments.services.orders import place_order
from payments.services.promising import promise_order
from payments.services.statements import ended_month
from permits.services.vehicles import add_replacement_car
from tests.factories.accounts import make_registered, make_user
from tests.factories.bank_cards import open_card_page
from tests.factories.boots import make_booting, make_picture, pay_for_release, set_policy
from tests.factories.documents import make_document
from tests.factories.lockers import make_area, make_locker_sale, reserve_one
from tests.factories.payments import go_to_bank, offer_method, order_permit, pay_at_bank
from tests.factories.permits import (
    buy,
    make_full_sale,
    make_sale,
    make_temporary_sale,
    offer_demo_bank,
    offered_to,
    reserve,
    wait_for,
)
from tests.factories.sso import make_provider
from tests.factories.statements import make_account
from tests.factories.stored import begin_save, offer_storing, store_card
from tests.factories.vehicles import make_ownership
from tests.factories.violations import make_appeal, make_ticket, picture_file
from violations.models import Ticket
from violations.services.deciding import ask_appellant
from violations.services.files import keep_photos, stage_evidence

VISITORS = (
    "anonymous",
    "unproved_resident",
    "resident",
    "other_resident",
    "manager",
    "officer",
    "clerk",
    "administrator",
)

# fmt: off
PAGES = {
    #                                        ano unp res oth man off cle adm
    "/admin/login/":                        "302 404 404 404 404 302 302 302",
    "POST /admin/logout/":                  "302 302 302 302 302 302 302 302",
    "/admin/password_change/":              "302 302 302 302 302 302 302 302",
    "POST /admin/password_change/":         "302 302 302 302 302 302 302 302",
    "/favicon.ico":                         "302 302 302 302 302 302 302 302",
    "POST /favicon.ico":                    "302 302 302 302 302 302 302 302",
    "account_login":                        "200 302 302 302 302 302 302 302",
    "POST account_login":                   "200 302 302 302 302 302 302 302",
    "POST account_logout":                  "302 302 302 302 302 302 302 302",
    "POST accounts:act_for":                "302 404 404 404 302 404 404 404",
    "accounts:acting":                      "302 302 302 302 302 302 302 302",
    "accounts:acting_over":                 "302 302 302 302 302 302 302 302",
    "accounts:addresses":                   "302 200 200 200 200 200 200 200",
    "accounts:authenticator_app":           "302 302 302 302 302 302 302 302",
    "POST accounts:authenticator_app":      "302 302 302 302 302 302 302 302",
    "accounts:change_email":                "302 200 200 200 200 200 200 200",
    "POST accounts:change_email":           "302 200 200 200 200 200 200 200",
    "accounts:change_password":             "302 200 200 200 200 200 200 200",
    "POST accounts:change_password":        "302 200 200 200 200 200 200 200",
    "accounts:confirm_address":             "302 302 302 302 302 302 302 302",
    "POST accounts:confirm_address":        "302 302 302 302 302 302 302 302",
    "accounts:confirm_email_change":        "302 302 302 302 302 302 302 302",
    "POST accounts:confirm_email_change":   "200 200 302 200 200 200 200 200",
    "accounts:create_password":             "302 302 302 302 302 302 302 302",
    "POST accounts:create_password":        "200 200 200 200 200 200 200 200",
    "accounts:company":                     "302 404 404 404 200 404 404 404",
    "accounts:document_file":               "302 404 200 404 404 404 200 200",
    "accounts:documents":                   "302 200 200 200 200 200 200 200",
    "POST accounts:documents":              "302 403 422 422 422 422 422 422",
    "accounts:edit_home_address":           "302 200 200 200 200 200 200 200",
    "POST accounts:edit_home_address":      "302 200 200 200 200 200 200 200",
    "accounts:edit_mailing_address":        "302 200 200 200 200 200 200 200",
    "POST accounts:edit_mailing_address":   "302 200 200 200 200 200 200 200",
    "POST accounts:end_other_sessions":     "302 302 302 302 302 302 302 302",
    "POST accounts:end_session":            "302 404 302 404 404 404 404 404",
    "accounts:email_preferences":           "302 302 200 200 200 200 200 200",
    "POST accounts:email_preferences":      "302 302 302 302 302 302 302 302",
    "accounts:forgot":                      "200 200 200 200 200 200 200 200",
    "POST accounts:forgot":                 "200 200 200 200 200 200 200 200",
    "accounts:history":                     "302 200 200 200 200 200 200 200",
    "accounts:language":                    "200 200 200 200 200 200 200 200",
    "POST accounts:language":               "200 200 200 200 200 200 200 200",
    "accounts:multiauth":                   "302 200 200 200 200 200 200 200",
    "POST accounts:multiauth":              "302 200 200 200 200 200 200 200",
    "accounts:one_time_password":           "302 302 302 302 302 302 302 302",
    "POST accounts:one_time_password":      "302 302 302 302 302 302 302 302",
    "accounts:password_reset_done":         "200 200 200 200 200 200 200 200",
    "accounts:profile":                     "302 200 200 200 200 200 200 200",
    "POST accounts:profile":                "302 200 200 200 200 200 200 200",
    "accounts:register":                    "200 302 302 302 302 302 302 302",
    "POST accounts:register":               "200 302 302 302 302 302 302 302",
    "accounts:remove_document":             "302 404 200 404 404 404 404 404",
    "POST accounts:remove_document":        "302 404 302 404 404 404 404 404",
    "accounts:reminder_sent":               "200 200 200 200 200 200 200 200",
    "accounts:reset_password":              "302 302 302 302 302 302 302 302",
    "POST accounts:reset_password":         "200 200 200 200 200 200 200 200",
    "accounts:sessions":                    "302 200 200 200 200 200 200 200",
    "accounts:security":                    "302 200 200 200 200 200 200 200",
    "POST accounts:send_email":             "302 302 302 302 302 302 302 302",
    "POST accounts:send_link":              "302 302 302 302 302 302 302 302",
    "POST accounts:stop_acting":            "302 302 302 302 302 302 302 302",
    "demo:attachment":                      "404 404 404 404 404 404 404 404",
    "demo:bank":                            "200 200 200 200 200 200 200 200",
    "demo:bank-card":                       "200 200 200 200 200 200 200 200",
    "POST demo:bank-card-cancel":           "302 302 302 302 302 302 302 302",
    "POST demo:bank-cancel":                "302 302 302 302 302 302 302 302",
    "demo:bank-done":                       "200 200 200 200 200 200 200 200",
    "demo:bank-page":                       "200 200 200 200 200 200 200 200",
    "demo:bank-question":                   "302 302 302 302 302 302 302 302",
    "demo:inbox":                           "200 200 200 200 200 200 200 200",
    "demo:index":                           "200 200 200 200 200 200 200 200",
    "demo:message":                         "200 200 200 200 200 200 200 200",
    "demo:message_html":                    "200 200 200 200 200 200 200 200",
    "home:home":                            "302 200 200 200 200 200 200 200",
    "home:provider_css":                    "200 200 200 200 200 200 200 200",
    "messaging:preferences":                "200 200 200 200 200 200 200 200",
    "POST messaging:preferences":           "302 302 302 302 302 302 302 302",
    "openid_connect_callback":              "403 403 403 403 403 403 403 403",
    "payments:card-add":                    "302 403 200 200 200 200 200 200",
    "POST payments:card-add":               "302 403 422 422 422 422 422 422",
    "payments:card-remove":                 "302 404 200 404 404 404 404 404",
    "POST payments:card-remove":            "302 404 422 404 404 404 404 404",
    "payments:card-return":                 "302 404 200 404 404 404 404 404",
    "POST payments:card-use":               "302 404 404 404 404 404 404 404",
    "payments:cards":                       "302 200 200 200 200 200 200 200",
    "payments:checkout":                    "302 404 200 404 404 404 404 404",
    "POST payments:checkout":               "302 404 422 404 404 404 404 404",
    "payments:due":                         "302 200 200 200 200 200 200 200",
    "POST payments:due":                    "302 422 422 422 422 422 422 422",
    "payments:promised":                    "302 404 200 404 404 404 404 404",
    "payments:promise-cancel":              "302 404 200 404 404 404 404 404",
    "POST payments:promise-cancel":         "302 404 302 404 404 404 404 404",
    "payments:receipt":                     "302 404 200 404 404 404 404 404",
    "payments:receipt-pdf":                 "302 404 200 404 404 404 404 404",
    "payments:return":                      "302 404 200 404 404 404 404 404",
    "POST payments:webhook":                "400 400 400 400 400 400 400 400",
    "lockers:choose":                       "302 200 200 200 200 200 200 200",
    "POST lockers:choose":                  "302 422 422 422 422 422 422 422",
    "lockers:detail":                       "302 404 200 404 404 404 404 404",
    "POST lockers:extend":                  "302 404 302 404 404 404 404 404",
    "lockers:give-back":                    "302 404 200 404 404 404 404 404",
    "POST lockers:give-back":               "302 404 302 404 404 404 404 404",
    "lockers:list":                         "302 200 200 200 200 200 200 200",
    "lockers:photo":                        "302 404 404 404 404 404 404 404",
    "POST lockers:renew":                   "302 404 302 404 404 404 404 404",
    "permits:calendar":                     "302 404 200 404 404 404 404 404",
    "permits:detail":                       "302 404 200 404 404 404 404 404",
    "permits:end":                          "302 404 200 404 404 404 404 404",
    "POST permits:end":                     "302 404 422 404 404 404 404 404",
    "POST permits:end-replacement":         "302 404 302 404 404 404 404 404",
    "POST permits:extend":                  "302 404 302 404 404 404 404 404",
    "permits:give-back":                    "302 404 200 404 404 404 404 404",
    "POST permits:give-back":               "302 404 302 404 404 404 404 404",
    "permits:decline":                      "302 404 200 404 404 404 404 404",
    "POST permits:decline":                 "302 404 302 404 404 404 404 404",
    "POST permits:join":                    "302 302 302 302 302 302 302 302",
    "permits:leave":                        "302 404 200 404 404 404 404 404",
    "POST permits:leave":                   "302 404 302 404 404 404 404 404",
    "permits:offer":                        "302 404 200 404 404 404 404 404",
    "permits:standing":                     "302 404 200 404 404 404 404 404",
    "permits:temporary":                    "302 302 302 302 302 302 302 302",
    "POST permits:temporary":               "302 302 302 302 302 302 302 302",
    "park:lot":                             "302 302 302 302 302 302 302 302",
    "park:stay":                            "200 200 200 200 200 200 200 200",
    "POST park:stay":                       "422 422 422 422 422 422 422 422",
    "permits:queue":                        "302 302 302 302 302 302 302 302",
    "POST permits:enter-queue":             "302 302 302 302 302 302 302 302",
    "permits:list":                         "302 302 302 302 302 302 302 302",
    "POST permits:print":                   "302 404 302 404 404 404 404 404",
    "POST permits:rollover":                "302 404 302 404 404 404 404 404",
    "POST permits:reserve":                 "302 302 302 302 302 302 302 302",
    "permits:phone":                        "302 404 200 404 404 404 404 404",
    "permits:replacement":                  "302 404 200 404 404 404 404 404",
    "POST permits:replacement":             "302 404 422 404 404 404 404 404",
    "permits:vehicles":                     "302 404 200 404 404 404 404 404",
    "POST permits:vehicles":                "302 404 422 404 404 404 404 404",
    "permits:status":                       "200 200 200 200 200 200 200 200",
    "provider:agree":                       "302 302 302 302 302 302 302 302",
    "POST provider:agree":                  "302 302 302 302 302 302 302 302",
    "provider:health":                      "200 200 200 200 200 200 200 200",
    "provider:logo":                        "404 404 404 404 404 404 404 404",
    "saml_finish_acs":                      "403 403 403 403 403 403 403 403",
    "POST saml_acs":                        "403 403 403 403 403 403 403 403",
    "saml_metadata":                        "200 200 200 200 200 200 200 200",
    "saml_sls":                             "404 404 404 404 404 404 404 404",
    "POST saml_sls":                        "404 404 404 404 404 404 404 404",
    "POST sso_start":                       "200 302 302 302 302 302 302 302",
    "statements:csv":                       "302 404 404 404 200 404 404 404",
    "statements:pdf":                       "302 404 404 404 302 404 404 404",
    "statements:detail":                    "302 404 404 404 200 404 404 404",
    "statements:list":                      "302 404 404 404 200 404 404 404",
    "vehicles:add":                         "302 200 200 200 200 200 200 200",
    "POST vehicles:add":                    "302 200 200 200 200 200 200 200",
    "vehicles:edit":                        "302 404 200 404 404 404 404 404",
    "POST vehicles:edit":                   "302 404 200 404 404 404 404 404",
    "vehicles:list":                        "302 200 200 200 200 200 200 200",
    "vehicles:remove":                      "302 404 200 404 404 404 404 404",
    "POST vehicles:remove":                 "302 404 302 404 404 404 404 404",
    "POST vehicles:set_active":             "302 404 302 404 404 404 404 404",
    "boots:guest":                           "200 200 200 200 200 200 200 200",
    "POST boots:guest":                      "302 302 302 302 302 302 302 302",
    "boots:mine":                            "302 404 200 404 404 404 404 404",
    "POST boots:mine":                       "302 404 302 404 404 404 404 404",
    "boots:pay":                             "200 200 200 200 200 200 200 200",
    "POST boots:pay":                        "422 422 302 422 422 422 422 422",
    "boots:picture":                         "200 200 200 200 200 200 200 200",
    "boots:sticker":                         "302 302 302 302 302 302 302 302",
    "guest:pay":                             "200 200 200 200 200 200 200 200",
    "POST guest:pay":                        "422 422 422 422 422 422 422 422",
    "guest:photo":                           "200 200 200 200 200 200 200 200",
    "guest:quick-pay":                       "200 200 200 200 200 200 200 200",
    "POST guest:quick-pay":                  "422 422 422 422 422 422 422 422",
    "guest:ticket":                          "200 200 200 200 200 200 200 200",
    "payments:guest":                        "200 200 200 200 200 200 200 200",
    "payments:guest-pdf":                    "200 200 200 200 200 200 200 200",
    "violations:answer":                     "302 404 200 404 404 404 404 404",
    "POST violations:answer":                "302 404 422 404 404 404 404 404",
    "violations:appeal":                     "302 404 200 404 404 404 404 404",
    "POST violations:appeal":                "302 404 422 404 404 404 404 404",
    "violations:confirmation":               "302 404 200 404 404 404 404 404",
    "violations:evidence":                   "302 404 200 404 404 404 404 404",
    "violations:found":                      "302 200 302 200 200 200 200 200",
    "POST violations:found":                 "302 302 302 302 302 302 302 302",
    "violations:list":                       "302 200 200 200 200 200 200 200",
    "violations:lookup":                     "302 200 200 200 200 200 200 200",
    "POST violations:lookup":                "302 422 422 422 422 422 422 422",
    "violations:photo":                      "302 404 200 404 404 404 404 404",
    "violations:ticket":                     "302 404 200 404 404 404 404 404",
    "violations:withdraw":                   "302 404 200 404 404 404 404 404",
    "POST violations:withdraw":              "302 404 302 404 404 404 404 404",
}

# The office's lists: anonymous goes to sign in; residents are sent to the office's door, which is not there for them.
ADMIN_LISTS = {
    #                                        off cle adm
    "accounts.accountdocument":             "403 200 200",
    "accounts.accounthold":                 "403 200 200",
    "accounts.company":                     "403 200 200",
    "accounts.documentrequest":             "403 200 200",
    "accounts.identityprovider":            "403 403 200",
    "accounts.mailing":                     "403 403 200",
    "accounts.profilefield":                "403 403 200",
    "accounts.user":                        "403 200 200",
    "accounts.usertype":                    "403 200 200",
    "auth.group":                           "403 403 200",
    "boots.boot":                           "200 200 200",
    "boots.booting":                        "200 200 200",
    "boots.bootpicture":                    "403 403 200",
    "boots.bootpolicy":                     "403 403 302",
    "boots.dropoffplace":                   "403 200 200",
    "core.auditentry":                      "403 200 200",
    "lockers.area":                         "403 200 200",
    "lockers.building":                     "403 200 200",
    "lockers.locker":                       "403 200 200",
    "lockers.lockersale":                   "403 200 200",
    "lockers.rental":                       "403 200 200",
    "messaging.emailcategory":              "403 403 200",
    "messaging.message":                    "403 200 200",
    "messaging.messagetemplate":            "403 403 200",
    "payments.accountcode":                 "403 403 200",
    "payments.adjustment":                  "403 200 200",
    "payments.billingaccount":              "403 200 200",
    "payments.statement":                   "403 200 200",
    "payments.booksproof":                  "403 403 200",
    "payments.debt":                        "403 200 200",
    "payments.deposit":                     "403 200 200",
    "payments.collectionperiod":            "403 403 200",
    "payments.deduction":                   "403 403 200",
    "payments.dispute":                     "403 403 200",
    "payments.gatewayevent":                "403 403 200",
    "payments.order":                       "403 200 200",
    "payments.orderline":                   "403 200 200",
    "payments.payment":                     "403 200 200",
    "payments.paymentmethod":               "403 403 200",
    "payments.promise":                     "403 200 200",
    "payments.refund":                      "403 200 200",
    "payments.storedmethod":                "403 200 200",
    "payments.taxexemption":                "403 200 200",
    "payments.taxrate":                     "403 403 200",
    "permits.permit":                       "200 200 200",
    "permits.permittype":                   "403 200 200",
    "permits.rollrun":                      "403 200 200",
    "permits.closure":                      "403 200 200",
    "permits.sale":                         "403 200 200",
    "permits.waitlist":                     "403 200 200",
    "permits.waitlistentry":                "403 200 200",
    "payments.ratetable":                   "403 200 200",
    "permits.slot":                         "403 200 200",
    "provider.disclaimer":                  "403 403 200",
    "provider.holiday":                     "403 200 200",
    "provider.lot":                         "200 200 200",
    "provider.provider":                    "302 302 302",
    "provider.term":                        "403 200 200",
    "vehicles.ownership":                   "403 200 200",
    "vehicles.platetype":                   "200 200 200",
    "vehicles.vehicle":                     "200 200 200",
    "violations.appeal":                     "403 200 200",
    "violations.association":                "403 200 200",
    "violations.collectionexport":           "403 403 200",
    "violations.notice":                     "403 200 200",
    "violations.offence":                    "200 200 200",
    "violations.offencecategory":            "200 200 200",
    "violations.textblock":                  "403 200 200",
    "violations.ticket":                     "200 200 200",
}
# fmt: on


def dead_or_alive(purpose: Purpose) -> Callable[[User], dict[str, Any]]:
    """Return a maker of a link that somebody else has got by e-mail: whoever holds it may open it."""
    return lambda resident: {"token": make_token(make_registered(), purpose)}


def session_of(resident: User) -> str:
    """The code of a session in which the resident is signed in elsewhere."""
    client = Client()
    client.force_login(resident)
    client.get("/security")
    return places_of(resident, here=None)[0].code


def received() -> ReceivedMessage:
    """An e-mail in the demo's inbox, which everybody at the machine reads."""
    return ReceivedMessage.objects.create(channel="email", to="a@example.org", subject="Hello", html="<p>Hello</p>")


def vehicle(resident: User) -> dict[str, Any]:
    """A vehicle of the resident."""
    return {"code": make_ownership(resident).code}


def permit_of(resident: User) -> Any:
    """A permit that the resident has reserved."""
    make_ownership(resident)
    return reserve(make_sale(), resident)


def replacement_of(resident: User) -> dict[str, Any]:
    """A car that stands in for the resident's on their permit."""
    make_ownership(resident)
    permit, today = buy(make_sale(), resident), local_date()
    own = permit.vehicle_links.get().vehicle
    car = add_replacement_car(
        permit=permit,
        stands_in_for=own,
        plate="GARAGE1",
        region="CA-ON",
        first_day=today,
        last_day=today,
        actor=resident,
    )
    return {"code": permit.code, "car_code": car.code}


def paid_order_of(resident: User) -> Any:
    """An order that the resident has paid."""
    order = order_of(resident)
    payment = go_to_bank(order)
    pay_at_bank(payment)
    confirm_payment(payment)
    return order


def promised_order_of(resident: User) -> Any:
    """An order whose money the resident has promised to bring."""
    order = order_of(resident)
    offer_method(kind="promise", code="cash")
    return promise_order(order=order, method_code="cash", actor=resident).order


def statement_of(resident: User) -> Any:
    """Last month's statement of the resident's company."""
    account = make_account(resident.company)
    first, end = ended_month(timezone.now())
    return Statement.objects.create(
        company=account.company, starts_on=first, ends_on=end, kind="invoice", total=0, currency="CAD"
    )


def order_of(resident: User) -> Any:
    """The resident's order for a permit."""
    offer_demo_bank()
    return order_permit(permit_of(resident))


def lockers_are_on(resident: User) -> dict[str, Any]:
    """Lockers are let."""
    make_locker_sale()
    return {}


def storing_offered() -> dict[str, Any]:
    """Cards can be stored."""
    offer_storing()
    return {}


def preferences_of(resident: User) -> dict[str, Any]:
    link = make_link(str(resident.email), "newsletter", "en")
    return {"token": link.rpartition("/")[2].partition("?")[0]}


def saml_provider() -> str:
    """The code of a SAML provider that is switched on."""
    nothing = {"server_url": "", "client_id": "", "entity_id": "urn:campus", "certificate": "x"}
    return make_provider(protocol="saml", sign_in_url="https://idp.example/sso", **nothing).code


def sso_newcomer() -> User:
    """Somebody who came by single sign-on, with an address that nobody vouches for."""
    return make_registered(login_source="sso")


def appealed_ticket(resident: User) -> dict[str, str]:
    ticket = make_ticket(resident)
    make_appeal(ticket)
    return {"code": ticket.code}


def asked_ticket(resident: User) -> dict[str, str]:
    ticket = make_ticket(resident)
    ask_appellant(appeal=make_appeal(ticket), text="Where?", actor=make_user(role=ADMINISTRATOR))
    return {"code": ticket.code}


def evidence_of(resident: User) -> dict[str, str]:
    ticket = make_ticket(resident)
    (file,) = stage_evidence(ticket=ticket, person=resident, files=[picture_file()])
    return {"code": ticket.code, "file_code": file.code}


def photo_of(resident: User) -> dict[str, str]:
    ticket = make_ticket(resident)
    (photo,) = keep_photos(ticket=ticket, photos=[picture_file()], actor=None)
    return {"code": ticket.code, "file_code": photo.code}


def guest_photo(resident: User) -> dict[str, str]:
    found = photo_of(resident)
    return {"pay_code": Ticket.objects.get(code=found["code"]).pay_code, "file_code": found["file_code"]}


def guest_pay_page(resident: User) -> dict[str, str]:
    offer_method("demo-bank", is_for_guests=True)
    return {"pay_code": make_ticket(resident).pay_code}


def guest_order(resident: User) -> dict[str, str]:
    offer_method("demo-bank", is_for_guests=True)
    ticket = make_ticket(resident)
    order = place_order(payer=None, selection={"ticket": [ticket.pk]}, email="guest@example.org", language="en")
    payment = go_to_bank(order)
    pay_at_bank(payment)
    confirm_payment(payment)
    return {"token": guest_path(order).split("/")[-2]}


def boot_on(resident: User) -> Booting:
    set_policy()
    return make_booting(resident)


def paid_boot(resident: User) -> dict[str, str]:
    offer_method("demo-bank", is_for_guests=True)
    booting = boot_on(resident)
    pay_for_release(booting, resident)
    return {"code": booting.code}


def paid_boot_of_a_guest(resident: User) -> dict[str, str]:
    offer_method("demo-bank", is_for_guests=True)
    booting = boot_on(resident)
    payment = pay_for_release(booting)
    return {"token": sign_order(payment.order)}


OBJECTS: dict[str, Callable[[User], dict[str, Any]]] = {
    "accounts:confirm_address": lambda resident: {"token": make_token(sso_newcomer(), Purpose.CONFIRM)},
    "openid_connect_callback": lambda resident: {"provider_id": make_provider().code},
    "saml_acs": lambda resident: {"organization_slug": saml_provider()},
    "saml_finish_acs": lambda resident: {"organization_slug": saml_provider()},
    "saml_metadata": lambda resident: {"organization_slug": saml_provider()},
    "saml_sls": lambda resident: {"organization_slug": saml_provider()},
    "sso_start": lambda resident: {"code": saml_provider()},
    "accounts:act_for": lambda resident: {"code": resident.code},
    "accounts:confirm_email_change": lambda resident: {"token": make_change_token(resident, "new@example.org")},
    "accounts:create_password": dead_or_alive(Purpose.CREATE),
    "accounts:reset_password": dead_or_alive(Purpose.RESET),
    "accounts:end_session": lambda resident: {"code": session_of(resident)},
    "accounts:document_file": lambda resident: {"code": make_document(resident).code},
    "accounts:remove_document": lambda resident: {"code": make_document(resident).code},
    "messaging:preferences": preferences_of,
    "vehicles:edit": vehicle,
    "vehicles:set_active": vehicle,
    "vehicles:remove": vehicle,
    "provider:agree": lambda resident: {"kind": "vehicle"},
    "permits:decline": lambda resident: {"code": offered_to(resident).code},
    "permits:join": lambda resident: {"sale_code": make_sale().code},
    "permits:leave": lambda resident: {"code": wait_for(make_full_sale()[0], resident).code},
    "permits:offer": lambda resident: {"code": offered_to(resident).code},
    "permits:standing": lambda resident: {"code": wait_for(make_full_sale()[0], resident).code},
    "permits:temporary": lambda resident: {"sale_code": make_temporary_sale().code},
    "park:lot": lambda resident: {"lot_code": make_temporary_sale().lot.code},
    "park:stay": lambda resident: {"sale_code": make_temporary_sale().code},
    "permits:queue": lambda resident: {"sale_code": make_sale().code},
    "permits:enter-queue": lambda resident: {"sale_code": make_sale().code},
    "permits:reserve": lambda resident: {"sale_code": make_sale().code},
    "permits:status": lambda resident: {"public_code": permit_of(resident).public_code},
    "permits:detail": lambda resident: {"code": permit_of(resident).code},
    "permits:print": lambda resident: {"code": permit_of(resident).code},
    "permits:extend": lambda resident: {"code": permit_of(resident).code},
    "permits:end": lambda resident: {"code": permit_of(resident).code},
    "permits:rollover": lambda resident: {"code": permit_of(resident).code},
    "permits:calendar": lambda resident: {"code": permit_of(resident).code},
    "permits:phone": lambda resident: {"code": permit_of(resident).code},
    "permits:vehicles": lambda resident: {"code": permit_of(resident).code},
    "permits:replacement": lambda resident: {"code": permit_of(resident).code},
    "permits:end-replacement": replacement_of,
    "permits:give-back": lambda resident: {"code": permit_of(resident).code},
    "payments:cards": lambda resident: storing_offered(),
    "payments:card-add": lambda resident: storing_offered(),
    "payments:card-remove": lambda resident: {**storing_offered(), "code": store_card(resident).code},
    "payments:card-return": lambda resident: {**storing_offered(), "reference": begin_save(resident).reference},
    "payments:checkout": lambda resident: {"code": order_of(resident).code},
    "payments:promised": lambda resident: {"code": promised_order_of(resident).code},
    "payments:promise-cancel": lambda resident: {"code": promised_order_of(resident).code},
    "payments:receipt": lambda resident: {"code": paid_order_of(resident).code},
    "payments:receipt-pdf": lambda resident: {"code": paid_order_of(resident).code},
    "payments:return": lambda resident: {"reference": go_to_bank(order_of(resident)).reference},
    "payments:webhook": lambda resident: {"gateway": "demo-bank"},
    "statements:csv": lambda resident: {"code": statement_of(resident).code},
    "statements:pdf": lambda resident: {"code": statement_of(resident).code},
    "statements:detail": lambda resident: {"code": statement_of(resident).code},
    "demo:message": lambda resident: {"pk": received().pk},
    "demo:message_html": lambda resident: {"pk": received().pk},
    "demo:attachment": lambda resident: {"pk": received().pk, "number": 0},
    "demo:bank-card": lambda resident: {"token": open_card_page().token},
    "demo:bank-card-cancel": lambda resident: {"token": open_card_page().token},
    "boots:guest": paid_boot_of_a_guest,
    "boots:mine": paid_boot,
    "boots:pay": lambda resident: {"pay_code": boot_on(resident).pay_code},
    "boots:picture": lambda resident: {"code": make_picture().code},
    "boots:sticker": lambda resident: {"tag": boot_on(resident).boot.tag},
    "lockers:choose": lambda resident: {"sale_code": make_locker_sale().code},
    "lockers:list": lockers_are_on,
    "lockers:photo": lambda resident: {"code": make_area().code},
    "lockers:detail": lambda resident: {"code": reserve_one(resident).code},
    "lockers:extend": lambda resident: {"code": reserve_one(resident).code},
    "lockers:give-back": lambda resident: {"code": reserve_one(resident).code},
    "lockers:renew": lambda resident: {"code": reserve_one(resident).code},
    "guest:ticket": lambda resident: {"pay_code": make_ticket(resident).pay_code},
    "guest:pay": guest_pay_page,
    "guest:photo": guest_photo,
    "payments:guest": guest_order,
    "payments:guest-pdf": guest_order,
    "violations:answer": asked_ticket,
    "violations:appeal": lambda resident: {"code": make_ticket(resident).code},
    "violations:confirmation": appealed_ticket,
    "violations:evidence": evidence_of,
    "violations:found": lambda resident: {"pay_code": make_ticket(resident).pay_code},
    "violations:photo": photo_of,
    "violations:ticket": lambda resident: {"code": make_ticket(resident).code},
    "violations:withdraw": appealed_ticket,
    **{
        f"demo:bank-{page}": lambda resident: {"token": go_to_bank(order_of(resident)).gateway_reference}
        for page in ("page", "question", "done", "cancel")
    },
}
