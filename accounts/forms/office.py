"""What the office types before something weighty is done."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts.models import User
from accounts.throttles import may_check_own_password


class PasswordAgainForm(forms.Form):
    """The signed-in person's own password: an unlocked screen alone moves nothing."""

    password = forms.CharField(
        label=_("Your own password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.person.has_usable_password():
            raise ValidationError(_("You have no password here. Set one first: sign-in page, Forgot Password."))
        if not may_check_own_password(self.person.code):
            raise ValidationError(_("Too many tries. Please wait an hour."))
        if not self.person.check_password(password):
            raise ValidationError(_("This is not your password."))
        return password
