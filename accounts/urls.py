from django.urls import path

from accounts import account_views, views

app_name = "accounts"
urlpatterns = [
    path("language", views.choose_language, name="language"),
    path("register", views.register, name="register"),
    path("password/forgot", views.forgot_password, name="forgot"),
    path("password/forgot/sent", views.reminder_sent, name="reminder_sent"),
    path("password/create/<str:token>", views.create_password, name="create_password"),
    path("password/reset/done", views.password_reset_done, name="password_reset_done"),
    path("password/reset/<str:token>", views.reset_password, name="reset_password"),
    path("profile", account_views.profile, name="profile"),
    path("security", account_views.security, name="security"),
    path("security/password", account_views.change_password, name="change_password"),
    path("security/send-link", account_views.send_link, name="send_link"),
]
