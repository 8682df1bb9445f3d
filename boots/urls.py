from django.urls import path

from boots import views

app_name = "boots"
urlpatterns = [
    path("pay/<slug:pay_code>/", views.pay, name="pay"),
    path("mine/<slug:code>/", views.mine, name="mine"),
    path("paid/<str:token>/", views.guest, name="guest"),
    path("paid/<str:token>/<slug:code>/", views.guest, name="guest"),
    path("picture/<slug:code>/", views.picture, name="picture"),
    path("<slug:tag>/", views.sticker, name="sticker"),
]
