from django.urls import path

from demo import views
from demo.bank import card_views as bank_cards
from demo.bank import views as bank

app_name = "demo"
urlpatterns = [
    path("", views.index, name="index"),
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/<int:pk>/", views.message, name="message"),
    path("inbox/<int:pk>/html/", views.message_html, name="message_html"),
    path("inbox/<int:pk>/files/<int:number>/", views.attachment, name="attachment"),
    path("bank/", bank.index, name="bank"),
    path("bank/cards/<slug:token>/", bank_cards.page, name="bank-card"),
    path("bank/cards/<slug:token>/cancel/", bank_cards.cancel, name="bank-card-cancel"),
    path("bank/<slug:token>/", bank.page, name="bank-page"),
    path("bank/<slug:token>/question/", bank.question, name="bank-question"),
    path("bank/<slug:token>/done/", bank.done, name="bank-done"),
    path("bank/<slug:token>/cancel/", bank.cancel, name="bank-cancel"),
]
