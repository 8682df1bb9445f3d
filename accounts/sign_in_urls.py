"""The names that allauth and Django look for. allauth's own pages are not among the addresses at all."""

from django.urls import include, path
from django.views.generic import RedirectView

from accounts.views import sign_in

to_security = RedirectView.as_view(pattern_name="accounts:security")

urlpatterns = [
    path("login", sign_in.sign_in, name="account_login"),
    path("logout", sign_in.sign_out, name="account_logout"),
    path("", include("accounts.sso.urls")),
    # These stand before the admin's addresses: its own sign-in and password pages know none of our rules.
    path("admin/login/", sign_in.office_sign_in),
    path("admin/logout/", sign_in.sign_out),
    path("admin/password_change/", to_security),
]
