from django.urls import path

from accounts.views import history, passwords, profile, registration, security, sign_in

app_name = "accounts"
urlpatterns = [
    path("language", sign_in.choose_language, name="language"),
    path("register", registration.register, name="register"),
    path("password/forgot", passwords.forgot_password, name="forgot"),
    path("password/forgot/sent", passwords.reminder_sent, name="reminder_sent"),
    path("password/create/<str:token>", passwords.create_password, name="create_password"),
    path("password/reset/done", passwords.password_reset_done, name="password_reset_done"),
    path("password/reset/<str:token>", passwords.reset_password, name="reset_password"),
    path("profile", profile.profile, name="profile"),
    path("history", history.history, name="history"),
    path("security", security.security, name="security"),
    path("security/password", security.change_password, name="change_password"),
    path("security/send-link", security.send_link, name="send_link"),
]
