"""What the pages say about somebody's factors."""

from dataclasses import dataclass

from django.http import HttpRequest

from accounts.acting import person_at_keyboard
from accounts.mfa.rules import code_address, method_of, needs_code, rule_for
from accounts.mfa.services import recovery_codes_left
from accounts.models import MfaMethod, User
from opscom.provider.models import MfaRule


@dataclass(frozen=True, slots=True)
class MfaState:
    """The current state, as `Security` shows it. `method`: a member of MfaMethod, empty while no code is asked.

    `codes_left`: recovery codes that can still be used, None where none were ever made.
    """

    method: str
    is_required: bool
    codes_left: int | None
    address: str

    @property
    def is_by_app(self) -> bool:
        return self.method == MfaMethod.APP


def mfa_state(request: HttpRequest) -> MfaState | None:
    """Return the state of the signed-in person; None where it is hidden, and for somebody who acts for them."""
    person = person_at_keyboard(request)
    if person.pk != request.user.pk or rule_for(person) == MfaRule.HIDDEN:
        return None
    return describe(person)


def describe(person: User) -> MfaState:
    """Return what is asked of the person, and by which means."""
    return MfaState(
        method=method_of(person) if needs_code(person) else "",
        is_required=rule_for(person) == MfaRule.REQUIRED,
        codes_left=recovery_codes_left(person),
        address=code_address(person),
    )
