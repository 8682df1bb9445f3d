from django.urls import path

from permits.views import changing, ending, own, public, rollover, shop, showing, temporary, waiting_room, waitlist

app_name = "permits"
urlpatterns = [
    path("", shop.permit_list, name="list"),
    path("reserve/<slug:sale_code>/", shop.reserve, name="reserve"),
    path("temporary/<slug:sale_code>/", temporary.temporary, name="temporary"),
    path("waitlist/<slug:sale_code>/join/", waitlist.join, name="join"),
    path("waiting/<slug:code>/", waitlist.standing, name="standing"),
    path("waiting/<slug:code>/leave/", waitlist.leave, name="leave"),
    path("offers/<slug:code>/", waitlist.offer, name="offer"),
    path("offers/<slug:code>/decline/", waitlist.decline, name="decline"),
    path("queue/<slug:sale_code>/", waiting_room.queue, name="queue"),
    path("queue/<slug:sale_code>/enter/", waiting_room.enter, name="enter-queue"),
    path("status/<slug:public_code>/", public.status, name="status"),
    path("<slug:code>/", own.detail, name="detail"),
    path("<slug:code>/print/", own.print_permit, name="print"),
    path("<slug:code>/extend/", own.extend, name="extend"),
    path("<slug:code>/end/", ending.end, name="end"),
    path("<slug:code>/rollover/", rollover.switch, name="rollover"),
    path("<slug:code>/vehicles/", changing.vehicles, name="vehicles"),
    path("<slug:code>/replacement/", changing.replacement, name="replacement"),
    path("<slug:code>/replacement/<slug:car_code>/end/", changing.end_replacement, name="end-replacement"),
    path("<slug:code>/calendar/", showing.calendar, name="calendar"),
    path("<slug:code>/phone/", showing.phone, name="phone"),
    path("<slug:code>/give-back/", own.give_back, name="give-back"),
]
