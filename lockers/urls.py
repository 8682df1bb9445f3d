from django.urls import path

from lockers.views import own, renting

app_name = "lockers"
urlpatterns = [
    path("", renting.locker_list, name="list"),
    path("choose/<slug:sale_code>/", renting.choose, name="choose"),
    path("areas/<slug:code>/photo/", own.photo, name="photo"),
    path("<slug:code>/", own.detail, name="detail"),
    path("<slug:code>/extend/", own.extend, name="extend"),
    path("<slug:code>/renew/", renting.renew, name="renew"),
    path("<slug:code>/give-back/", own.give_back, name="give-back"),
]
