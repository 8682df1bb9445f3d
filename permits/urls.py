from django.urls import path

from permits import views

app_name = "permits"
urlpatterns = [
    path("", views.permit_list, name="list"),
    path("reserve/<slug:sale_code>/", views.reserve, name="reserve"),
    path("status/<slug:public_code>/", views.status, name="status"),
    path("<slug:code>/", views.detail, name="detail"),
    path("<slug:code>/print/", views.print_permit, name="print"),
    path("<slug:code>/extend/", views.extend, name="extend"),
    path("<slug:code>/give-back/", views.give_back, name="give-back"),
]
