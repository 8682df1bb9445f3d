"""The addresses, under the names by which allauth looks for them. allauth's other pages are not there at all."""

from django.urls import path

from accounts.sso import views

urlpatterns = [
    path("sso/<slug:code>/start", views.start, name="sso_start"),
    path("sso/<slug:provider_id>/callback", views.oidc_callback, name="openid_connect_callback"),
    path("sso/<slug:organization_slug>/acs", views.saml_acs, name="saml_acs"),
    path("sso/<slug:organization_slug>/acs/finish", views.saml_finish, name="saml_finish_acs"),
    path("sso/<slug:organization_slug>/sls", views.saml_sign_out, name="saml_sls"),
    path("sso/<slug:organization_slug>/metadata", views.saml_metadata, name="saml_metadata"),
]
