"""What people type to get in."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.forms.inputs import AddressField, password_field, password_help
from accounts.models import User


class SignInForm(forms.Form):
    """E-mail and password."""

    email = AddressField()
    password = password_field(_("Password"), "current-password")


class ReminderForm(forms.Form):
    """Where the link of `Forgot Password` goes."""

    email = AddressField(label=_("Your Email Address"))


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = password_field(_("New password"), "new-password")
    password_again = password_field(_("New password, again"), "new-password")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["password"].help_text = password_help()

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        validate_password(password, self.person)
        return str(password)

    def clean(self) -> None:
        typed, again = self.cleaned_data.get("password"), self.cleaned_data.get("password_again")
        if typed and again and typed != again:
            self.add_error("password_again", _("The two passwords are not the same."))


class ResetPasswordForm(NewPasswordForm):
    """The page `Reset Password`: the address to which the link was sent, and the new password twice."""

    email = AddressField()
    field_order = ["email", "password", "password_again"]

    def clean_email(self) -> str:
        email = self.cleaned_data["email"]
        if email != self.person.contact_email:
            raise ValidationError(_("This link was sent to another e-mail address."))
        return str(email)


class ChangePasswordForm(NewPasswordForm):
    """The current password, and the new one twice."""

    current_password = password_field(_("Current Password"), "current-password")
    field_order = ["current_password", "password", "password_again"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password_again"].label = _("Confirm Password")

    def clean_current_password(self) -> str:
        password = self.cleaned_data["current_password"]
        if not self.person.check_password(password):
            raise ValidationError(_("This is not your current password."))
        return str(password)
