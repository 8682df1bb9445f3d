from django.urls import path

from payments.views import checkout, due, receipts, returns, webhooks

app_name = "payments"
urlpatterns = [
    path("", due.due, name="due"),
    path("checkout/<slug:code>/", checkout.checkout, name="checkout"),
    path("return/<slug:reference>/", returns.return_page, name="return"),
    path("receipt/<slug:code>/", receipts.receipt, name="receipt"),
    path("receipt/<slug:code>/pdf/", receipts.receipt_pdf, name="receipt-pdf"),
    path("webhooks/<slug:gateway>/", webhooks.webhook, name="webhook"),
]
