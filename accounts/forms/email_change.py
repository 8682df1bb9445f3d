"""What people type to change their e-mail address."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.forms.inputs import AddressField, password_field
from accounts.models import User


class OwnPasswordForm(forms.Form):
    """The current password, from somebody who may have found an open session, or a link in a wrong mailbox."""

    current_password = password_field(_("Current Password"), "current-password")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_current_password(self) -> str:
        password = self.cleaned_data["current_password"]
        if not self.person.check_password(password):
            raise ValidationError(_("This is not your current password."))
        return str(password)


class ChangeEmailForm(OwnPasswordForm):
    """The new address, and the current password."""

    email = AddressField(label=_("New e-mail address"))
    field_order = ["email", "current_password"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs["autocomplete"] = "email"

    def clean_email(self) -> str:
        email = self.cleaned_data["email"]
        if email == self.person.contact_email:
            raise ValidationError(_("This is your e-mail address already."))
        return str(email)
