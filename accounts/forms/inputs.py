"""Inputs that several forms share."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import get_default_password_validators
from django.utils.translation import gettext_lazy as _

from accounts.addresses import clean_email

# Far above any real password, far below what would cost time to hash.
LONGEST_PASSWORD = 256


def password_field(label: Any, autocomplete: str) -> forms.CharField:
    """Return an input for a password: nothing is stripped from it, and browsers are told which one is meant."""
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=LONGEST_PASSWORD, widget=widget)


def password_help() -> str:
    """Return the rules in one line; the field's errors say which of them was broken."""
    lengths = [getattr(validator, "min_length", 0) for validator in get_default_password_validators()]
    text = _("At least %(count)d characters: not only digits, nothing common, nothing like your name or address.")
    return str(text) % {"count": max(lengths, default=0)}


class AddressField(forms.EmailField):
    """An e-mail address in the spelling that is stored."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("E-mail"))
        attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        super().__init__(max_length=254, widget=forms.EmailInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> str:
        address = clean_email(super().clean(value))
        # Once more: in ASCII a domain may be longer than it was typed.
        self.run_validators(address)
        return address
