"""A namespace of their own: these pages stand under the tab `Company Manager`, not under `Payments`."""

from django.urls import path

from payments.views import statements

app_name = "statements"
urlpatterns = [
    path("", statements.statement_list, name="list"),
    path("<slug:code>/", statements.statement, name="detail"),
    path("<slug:code>/csv/", statements.statement_as_csv, name="csv"),
    path("<slug:code>/pdf/", statements.statement_pdf, name="pdf"),
]
