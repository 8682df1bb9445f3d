"""What the office types about mailings."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldBooleanSwitchWidget

from accounts.models import Mailing

LONGEST_SUBJECT = 150


class MailingForm(forms.ModelForm):
    """Subject and text per language, whose kind of mail it is, and who gets it."""

    class Meta:
        model = Mailing
        fields = ["category", "user_types", "subject", "text"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        subject, text = data.get("subject") or {}, data.get("text") or {}
        if {code for code, words in subject.items() if words} != {code for code, words in text.items() if words}:
            self.add_error(None, _("Please write subject and text in the same languages."))
        if any(len(words) > LONGEST_SUBJECT for words in subject.values()):
            self.add_error("subject", _("A subject has at most %(count)s characters.") % {"count": LONGEST_SUBJECT})
        return data


class SendMailingForm(forms.Form):
    """The mark of what was shown, and a yes where people cannot choose their e-mails."""

    is_confirmed = forms.BooleanField(
        label=gettext_lazy("Send it although people cannot refuse it"),
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
    )
    mark = forms.CharField(widget=forms.HiddenInput())

    def __init__(self, *args: Any, asks: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks:
            del self.fields["is_confirmed"]
