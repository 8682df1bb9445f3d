"""What a view gets behind the sign-in."""

from django.http import HttpRequest

from accounts.models import User


class SignedIn(HttpRequest):
    """A request of somebody signed in: LoginRequiredMiddleware stands in front of the view."""

    user: User
    # Who acts in this account for its owner; None: nobody does.
    acting_person: User | None
    # Set by middlewares.
    htmx: object
    LANGUAGE_CODE: str
