from django.urls import path

from payments import views

app_name = "payments"
urlpatterns = [
    path("", views.due, name="due"),
    path("checkout/<str:code>/", views.checkout, name="checkout"),
    path("return/<str:reference>/", views.return_page, name="return"),
    path("receipt/<str:code>/", views.receipt, name="receipt"),
    path("receipt/<str:code>/pdf/", views.receipt_pdf, name="receipt-pdf"),
    path("webhooks/<slug:gateway>/", views.webhook, name="webhook"),
]
