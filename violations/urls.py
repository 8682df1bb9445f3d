from django.urls import path

from violations.views import appeals, files, lookup, tickets

app_name = "violations"
urlpatterns = [
    path("", tickets.ticket_list, name="list"),
    path("lookup/", lookup.lookup, name="lookup"),
    path("lookup/<slug:pay_code>/", lookup.found, name="found"),
    path("<slug:code>/", tickets.ticket, name="ticket"),
    path("<slug:code>/appeal/", appeals.appeal, name="appeal"),
    path("<slug:code>/answer/", appeals.answer, name="answer"),
    path("<slug:code>/withdraw/", appeals.withdraw, name="withdraw"),
    path("<slug:code>/confirmation/", appeals.confirmation, name="confirmation"),
    path("<slug:code>/photos/<slug:file_code>/", files.photo, name="photo"),
    path("<slug:code>/evidence/<slug:file_code>/", files.evidence, name="evidence"),
]
