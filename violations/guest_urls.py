from django.urls import path

from violations.views import guest

app_name = "guest"
urlpatterns = [
    path("", guest.quick_pay, name="quick-pay"),
    path("<slug:pay_code>/", guest.ticket, name="ticket"),
    path("<slug:pay_code>/pay/", guest.pay, name="pay"),
    path("<slug:pay_code>/photos/<slug:file_code>/", guest.photo, name="photo"),
]
