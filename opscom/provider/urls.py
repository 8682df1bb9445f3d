from django.urls import path

from opscom.provider import views

app_name = "provider"
urlpatterns = [
    path("logo/", views.logo, name="logo"),
    path("health/", views.health, name="health"),
    path("agree/<slug:kind>/", views.agree, name="agree"),
]
