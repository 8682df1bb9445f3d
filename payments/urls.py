from django.urls import path

from payments.views import cards, checkout, due, guests, promises, receipts, returns, webhooks

app_name = "payments"
urlpatterns = [
    path("", due.due, name="due"),
    path("checkout/<slug:code>/", checkout.checkout, name="checkout"),
    path("promised/<slug:code>/", promises.promised, name="promised"),
    path("promised/<slug:code>/cancel/", promises.cancel, name="promise-cancel"),
    path("return/<slug:reference>/", returns.return_page, name="return"),
    path("receipt/<slug:code>/", receipts.receipt, name="receipt"),
    path("receipt/<slug:code>/pdf/", receipts.receipt_pdf, name="receipt-pdf"),
    path("guest/<str:token>/", guests.order_page, name="guest"),
    path("guest/<str:token>/pdf/", guests.receipt_pdf, name="guest-pdf"),
    path("webhooks/<slug:gateway>/", webhooks.webhook, name="webhook"),
    path("cards/", cards.cards, name="cards"),
    path("cards/add/", cards.add_card, name="card-add"),
    path("cards/uses/", cards.choose_use, name="card-use"),
    path("cards/return/<slug:reference>/", cards.card_return, name="card-return"),
    path("cards/<slug:code>/remove/", cards.remove_card, name="card-remove"),
]
