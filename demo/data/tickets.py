"""Tickets and appeals in every state, made by the services that officers, people and the office use."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User
from demo.data.money import pay_at_bank
from demo.data.pictures import as_sent, draw_car, draw_card
from opscom.provider.models import Lot
from opscom.provider.selectors import local_date
from payments.services.orders import place_order
from vehicles.models import Ownership
from violations.models import (
    Appeal,
    AppealStatus,
    LateFee,
    Notice,
    Offence,
    OffenceCategory,
    OffenceStep,
    TextBlock,
    Ticket,
)
from violations.services.appealing import submit_appeal, withdraw_appeal
from violations.services.collecting import send_to_collections
from violations.services.deciding import ask_appellant, decide_appeal
from violations.services.files import stage_evidence
from violations.services.issuing import TicketData, issue_ticket
from violations.services.lowering import spoil_ticket
from violations.services.steps import plan_next_step, take_next_step

# Nobody of the demo has this vehicle on their account. Its number and PIN stand on the demo's own page.
STRANGERS_PLATE = "DBRT 664"
# People's places in the list of people. Zoé gives no e-mail address: her notices are letters.
BY_LETTER = 23
COLLECTED_AFTER = 60
NO_PERMIT, EXPIRED, FIRE_LANE, ACCESSIBLE, WRONG_STALL = "NP", "EX", "FL", "AC", "WS"

# Code, English, French, by-law, and the rest of the rule.
OFFENCES: list[tuple[str, str, str, str, dict[str, Any]]] = [
    (NO_PERMIT, "No valid permit displayed", "Aucun permis valide", "7.1", {"fine": "45.00", "discount": "15.00"}),
    (EXPIRED, "Permit expired", "Permis expiré", "7.2", {"fine": "35.00", "discount": "10.00", "grace_days": 3}),
    (FIRE_LANE, "Parked in a fire lane", "Stationné dans une voie d’incendie", "9.4", {"fine": "110.00", "fee": "5.00"}),
    (ACCESSIBLE, "Accessible stall without a permit", "Place accessible sans vignette", "9.1", {"fine": "300.00"}),
    (WRONG_STALL, "Outside the marked stall", "Hors de la case marquée", "8.3", {"fine": "25.00", "is_first_a_warning": True}),
]  # fmt: skip
BLOCKS = [
    ("Permit was valid", "Your permit was valid at that time; the plate was read wrongly. We are sorry.", "Votre permis était valide à ce moment; la plaque a été mal lue. Toutes nos excuses."),
    ("Signs stand at each entrance", "The signs at each entrance of the lot say that a permit is needed there at all times.", "Les panneaux à chaque entrée du parc indiquent qu’un permis y est toujours requis."),
    ("Photo of the permit, please", "Please send us a photo of your permit or of your receipt.", "Veuillez nous envoyer une photo de votre permis ou de votre reçu."),
]  # fmt: skip


def make_tickets(people: list[User], lots: dict[str, Lot]) -> None:
    """Issue, appeal, decide, pay, void and hand over, so that every list about tickets shows something."""
    offences = make_offences()
    make_text_blocks()
    # Their vehicles were theirs before any of this.
    Ownership.objects.update(added_at=timezone.now() - dt.timedelta(days=400))
    User.objects.filter(pk=people[BY_LETTER].pk).update(email=None, email_proved_at=None)
    cast = Cast(people, offences, lots)
    _make_unpaid(cast)
    _make_appealed(cast)
    _make_closed(cast)
    # Notices that came due while the days went by.
    while take_next_step():
        pass


class Cast:
    """Who issues for what, and where."""

    def __init__(self, people: list[User], offences: dict[str, Offence], lots: dict[str, Lot]) -> None:
        self.people, self.offences, self.lots = people, offences, lots
        self.officer, self.appeals, self.cashier = (
            User.objects.get(email=f"{name}@lakeshore.example") for name in ("officer", "appeals", "cashier")
        )

    def issue(
        self, whose: int | str, offence: str, lot: str, *, days_ago: int, vehicle: int = 0, **data: Any
    ) -> Ticket:
        """Return a ticket for somebody's vehicle (their place in the list of people), or for a plate of nobody."""
        plate, region = (whose, "CA-ON") if isinstance(whose, str) else self._plate(whose, vehicle)
        written = TicketData(
            offence=self.offences[offence],
            occurred_at=timezone.now(),
            plate=plate,
            region=region,
            lot=self.lots[lot],
            **data,
        )
        photos = [as_sent(f"{name}.png", draw_car(plate, colour)) for name, colour in PHOTOS]
        ticket = issue_ticket(data=written, officer=self.officer, photos=photos)
        return let_days_pass(ticket, days_ago)

    def appeal(self, ticket: Ticket, reason: str, *, evidence: Sequence[tuple[str, str]] = ()) -> Appeal:
        """Let the ticket's person appeal it, with cards as evidence: (name of the file, words)."""
        person = ticket.person
        assert person is not None
        files = [as_sent(name, draw_card("Lakeshore Parking", words)) for name, words in evidence]
        if files:
            stage_evidence(ticket=ticket, person=person, files=files)
        with override(person.language):
            return submit_appeal(ticket=ticket, person=person, reason=reason, language=person.language)

    def decide(self, appeal: Appeal, decision: AppealStatus, response: str, amount: str = "") -> None:
        """Let the appeals officer decide."""
        sum_ = Decimal(amount) if amount else None
        decide_appeal(appeal=appeal, decision=decision, response=response, actor=self.appeals, amount=sum_)

    def _plate(self, whose: int, vehicle: int) -> tuple[str, str]:
        owned = self.people[whose].ownerships.select_related("vehicle").order_by("pk")[vehicle]
        return owned.vehicle.plate, owned.vehicle.region


PHOTOS = [("From behind", "#64748b"), ("Windshield", "#475569")]


def make_offences() -> dict[str, Offence]:
    """Write what is ticketed here, with late fees, and dearer fines for those who do it again."""
    parking = OffenceCategory.objects.create(name={"en": "Parking", "fr-ca": "Stationnement"}, position=1)
    safety = OffenceCategory.objects.create(name={"en": "Safety", "fr-ca": "Sécurité"}, position=2)
    made = {}
    for position, (code, english, french, by_law, rule) in enumerate(OFFENCES):
        rule = {name: Decimal(value) if isinstance(value, str) else value for name, value in rule.items()}
        made[code] = Offence.objects.create(
            code=code,
            category=safety if code in (FIRE_LANE, ACCESSIBLE) else parking,
            by_law=by_law,
            description={"en": english, "fr-ca": french},
            discount_days=7 if "discount" in rule else 0,
            is_adjustable=code == NO_PERMIT,
            position=position,
            **rule,
        )
        LateFee.objects.create(offence=made[code], after_days=30, amount=Decimal("20.00"))
    OffenceStep.objects.create(offence=made[NO_PERMIT], nth=3, fine=Decimal("90.00"))
    return made


def make_text_blocks() -> None:
    """Write what the office answers again and again."""
    for position, (name, english, french) in enumerate(BLOCKS):
        TextBlock.objects.create(name=name, text={"en": english, "fr-ca": french}, position=position)


def let_days_pass(ticket: Ticket, days: int) -> Ticket:
    """Let so many days go by since all that has happened to the ticket."""
    past = dt.timedelta(days=days)
    Ticket.objects.filter(pk=ticket.pk).update(
        occurred_at=F("occurred_at") - past, issued_at=F("issued_at") - past, closed_at=F("closed_at") - past
    )
    Appeal.objects.filter(ticket=ticket).update(
        sent_at=F("sent_at") - past,
        review_from=F("review_from") - past,
        review_until=F("review_until") - past,
        closed_at=F("closed_at") - past,
    )
    Notice.objects.filter(ticket=ticket).update(made_at=F("made_at") - past)
    ticket = Ticket.objects.with_reviews().get(pk=ticket.pk)
    plan_next_step(ticket, after=local_date() - dt.timedelta(days=days + 1))
    return ticket


def _make_unpaid(cast: Cast) -> None:
    """At the lower price, at the full one, overdue, a warning, one that nobody is known for, and one told of by letter."""
    cast.issue(0, NO_PERMIT, "102", days_ago=2, place="Row C, by the book return")
    cast.issue(4, EXPIRED, "104", days_ago=12)
    cast.issue(5, NO_PERMIT, "101", days_ago=38, place="Level 2, stall 214")
    cast.issue(9, WRONG_STALL, "101", days_ago=4)
    cast.issue(STRANGERS_PLATE, NO_PERMIT, "105", days_ago=3, place="By the north gate")
    cast.issue(BY_LETTER, EXPIRED, "103", days_ago=35)


def _make_appealed(cast: Cast) -> None:
    """Two that wait for the office, one that the office has asked about, and one of each end."""
    receipt = [
        ("Receipt.png", "Pay station 3\nPlate H62 WQB"),
        ("Ticket on the windshield.png", "Both were on the dash"),
    ]
    waiting = cast.issue(7, NO_PERMIT, "104", days_ago=5)
    cast.appeal(waiting, "J’avais payé à la borne; elle a mal imprimé ma plaque.", evidence=receipt)
    let_days_pass(waiting, 4)
    newer = cast.issue(8, FIRE_LANE, "102", days_ago=1)
    cast.appeal(newer, "I stopped for two minutes to let a colleague with crutches get out.")
    asked = cast.issue(20, EXPIRED, "102", days_ago=6)
    question = "Please send us a photo of your permit or of your receipt."
    ask_appellant(appeal=cast.appeal(asked, "My permit is good until May."), text=question, actor=cast.appeals)
    let_days_pass(asked, 3)
    _decide(cast, cast.issue(0, NO_PERMIT, "101", days_ago=4, vehicle=1), AppealStatus.REDUCED, amount="20.00")
    _decide(cast, cast.issue(12, FIRE_LANE, "105", days_ago=4), AppealStatus.UPHELD)
    _decide(cast, cast.issue(11, EXPIRED, "101", days_ago=4), AppealStatus.CANCELLED)
    withdrawn = cast.issue(10, NO_PERMIT, "104", days_ago=5)
    appeal = cast.appeal(withdrawn, "It was my brother who drove.")
    assert appeal.person is not None
    withdraw_appeal(appeal=appeal, person=appeal.person)


ANSWERS = {
    AppealStatus.REDUCED: "The sign at this entrance was covered by snow. We lower the fine this once.",
    AppealStatus.UPHELD: "A fire lane has to be free at all times, also for a minute.",
    AppealStatus.CANCELLED: "Your permit was valid at that time; the plate was read wrongly. We are sorry.",
}


def _decide(cast: Cast, ticket: Ticket, decision: AppealStatus, amount: str = "") -> None:
    """Appealed, decided six days later, and that was two days ago."""
    appeal = cast.appeal(ticket, "I could not see a sign anywhere. Please look at it again.")
    let_days_pass(ticket, 6)
    cast.decide(appeal, decision, ANSWERS[decision], amount)
    let_days_pass(ticket, 2)


def _make_closed(cast: Cast) -> None:
    """Paid, void, and handed to the collection agency."""
    paid = cast.issue(3, NO_PERMIT, "105", days_ago=3)
    payer = paid.person
    assert payer is not None
    with override(payer.language):
        selection = {"ticket": [paid.pk]}
        order = place_order(payer=payer, selection=selection, email=payer.email or "", language=payer.language)
    pay_at_bank(order)
    void = cast.issue(14, WRONG_STALL, "104", days_ago=0)
    spoil_ticket(ticket=void, reason="The plate of the car beside it was typed", actor=cast.appeals)
    cast.issue(16, ACCESSIBLE, "101", days_ago=30 + COLLECTED_AFTER + 5)
    send_to_collections(overdue_days=COLLECTED_AFTER, actor=cast.cashier)
