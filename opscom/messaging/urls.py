from django.urls import path

from opscom.messaging import views

app_name = "messaging"
urlpatterns = [path("email-preferences/<str:token>", views.by_link, name="preferences")]
