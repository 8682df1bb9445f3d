from django.urls import path

from permits.views import guest

app_name = "park"
urlpatterns = [
    path("time/<slug:sale_code>/", guest.stay, name="stay"),
    path("<slug:lot_code>/", guest.lot, name="lot"),
]
