from django.urls import path

from accounts.mfa import views as mfa
from accounts.sessions import views as sessions
from accounts.views import (
    companies,
    documents,
    email_change,
    history,
    passwords,
    preferences,
    profile,
    registration,
    security,
    sign_in,
)

app_name = "accounts"
urlpatterns = [
    path("language", sign_in.choose_language, name="language"),
    path("register", registration.register, name="register"),
    path("password/forgot", passwords.forgot_password, name="forgot"),
    path("password/forgot/sent", passwords.reminder_sent, name="reminder_sent"),
    path("password/create/<str:token>", passwords.create_password, name="create_password"),
    path("password/reset/done", passwords.password_reset_done, name="password_reset_done"),
    path("password/reset/<str:token>", passwords.reset_password, name="reset_password"),
    path("address/confirm/<str:token>", passwords.confirm_address, name="confirm_address"),
    path("address/change/<str:token>", email_change.confirm_email_change, name="confirm_email_change"),
    path("profile", profile.profile, name="profile"),
    path("addresses", profile.addresses, name="addresses"),
    path("addresses/home", profile.edit_home_address, name="edit_home_address"),
    path("addresses/mailing", profile.edit_mailing_address, name="edit_mailing_address"),
    path("history", history.history, name="history"),
    path("uploads", documents.documents, name="documents"),
    path("uploads/<slug:code>/file", documents.document_file, name="document_file"),
    path("uploads/<slug:code>/remove", documents.remove_document, name="remove_document"),
    path("email-preferences", preferences.email_preferences, name="email_preferences"),
    path("security", security.security, name="security"),
    path("security/email", email_change.change_email, name="change_email"),
    path("security/password", security.change_password, name="change_password"),
    path("one_time_password", mfa.one_time_password, name="one_time_password"),
    path("account/send_email", mfa.send_email, name="send_email"),
    path("account/multiauth", mfa.multiauth, name="multiauth"),
    path("account/multiauth/app", mfa.authenticator_app, name="authenticator_app"),
    path("security/sessions", sessions.sessions, name="sessions"),
    path("security/sessions/end-others", sessions.end_other_sessions, name="end_other_sessions"),
    path("security/sessions/<str:code>/end", sessions.end_session, name="end_session"),
    path("company", companies.company, name="company"),
    path("company/log-in/<slug:code>", companies.act_for, name="act_for"),
    path("acting", companies.acting, name="acting"),
    path("acting/stop", companies.stop_acting, name="stop_acting"),
    path("acting/over", companies.acting_over, name="acting_over"),
    path("security/send-link", security.send_link, name="send_link"),
]
