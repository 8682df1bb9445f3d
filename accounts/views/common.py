"""What the views of this app share."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

HOME, SIGN_IN, SECURITY = "home:home", "account_login", "accounts:security"
# In the session: the address that the sign-in page is filled with.
SIGN_IN_EMAIL = "sign_in_email"
# The names of inputs that must never stand in an error report.
PASSWORDS = ("password", "password_again", "current_password", "code")
form_page = require_http_methods(["GET", "HEAD", "POST"])


def too_many() -> ValidationError:
    """The error of somebody who tried too often."""
    return ValidationError(_("Too many tries. Please wait a while and try again."), code="too_many")
