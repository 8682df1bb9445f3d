"""The names that allauth and Django look for. allauth's own pages are not among the addresses at all."""

from django.urls import path
from django.views.generic import RedirectView

from accounts import views

to_security = RedirectView.as_view(pattern_name="accounts:security")

urlpatterns = [
    path("login", views.sign_in, name="account_login"),
    path("logout", views.sign_out, name="account_logout"),
    # These stand before the admin's addresses: its own sign-in and password pages know none of our rules.
    path("admin/login/", views.office_sign_in),
    path("admin/logout/", views.sign_out),
    path("admin/password_change/", to_security),
]
