from django.urls import path

from payments import views

app_name = "payments"
urlpatterns = [
    path("return/<str:reference>/", views.return_page, name="return"),
    path("webhooks/<slug:gateway>/", views.webhook, name="webhook"),
]
