"""What payers choose: the things to pay for, the method, and where the receipt goes."""

from payments.forms.checkout import PaymentForm
from payments.forms.due import KeysField, SelectionForm, YearForm

__all__ = ["KeysField", "PaymentForm", "SelectionForm", "YearForm"]
