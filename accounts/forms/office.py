"""What the office types before something weighty is done."""

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.mfa.codes import CodeRefused
from accounts.mfa.forms import has_own_password
from accounts.mfa.passing import use_code
from accounts.mfa.rules import method_of
from accounts.models import MfaMethod, User
from accounts.profile import make_form_field
from accounts.selectors import offered_languages
from accounts.throttles import may_check_own_password


class CodesForm(forms.ModelForm):
    """Offers languages, countries and provinces in words; a code that is no choice today, and stands there, may stay."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"language", "region", "country"} & self.fields.keys():
            as_typed, field = self.fields[name], cast(forms.ChoiceField, make_form_field(name, offered_languages()))
            known = getattr(self.instance, name)
            if self.instance.pk and not field.valid_value(known):
                field.choices = [*cast(list[Any], field.choices), (known, known)]
            field.widget = UnfoldAdminSelectWidget(choices=field.choices)
            field.label, field.required = as_typed.label, as_typed.required
            self.fields[name] = field


class ConfirmForm(forms.Form):
    """The signed-in person's own password: an unlocked screen alone moves nothing.

    Who has no password here, because they sign in by single sign-on, gives a one-time password instead.
    """

    password = forms.CharField(
        label=_("Your own password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label=_("One-Time Password"),
        max_length=40,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.person = cast(User, request.user)
        del self.fields["code" if has_own_password(self.person) else "password"]

    @property
    def below(self) -> str:
        """The template that stands under the form: the button that e-mails a code, where one can be typed."""
        is_asked = "code" in self.fields and method_of(self.person) == MfaMethod.EMAIL
        return "accounts/admin/_send_code.html" if is_asked else ""

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not may_check_own_password(self.person.code):
            raise ValidationError(_("Too many tries. Please wait an hour."))
        if not self.person.check_password(password):
            raise ValidationError(_("This is not your password."))
        return password

    def clean(self) -> None:
        """A code works once, so it is looked at last: an empty field beside it must not use it up."""
        if "code" in self.fields and not self.errors:
            try:
                use_code(self.request, self.person, self.cleaned_data["code"])
            except CodeRefused as error:
                self.add_error("code", str(error))
