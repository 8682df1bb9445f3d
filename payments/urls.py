from django.urls import path

from payments import views

app_name = "payments"
urlpatterns = [
    path("", views.due, name="due"),
    path("checkout/<slug:code>/", views.checkout, name="checkout"),
    path("return/<slug:reference>/", views.return_page, name="return"),
    path("receipt/<slug:code>/", views.receipt, name="receipt"),
    path("receipt/<slug:code>/pdf/", views.receipt_pdf, name="receipt-pdf"),
    path("webhooks/<slug:gateway>/", views.webhook, name="webhook"),
]
