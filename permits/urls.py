from django.urls import path

from permits import views

app_name = "permits"
urlpatterns = [
    path("", views.permit_list, name="list"),
    path("reserve/<str:sale_code>/", views.reserve, name="reserve"),
    path("status/<str:public_code>/", views.status, name="status"),
    path("<str:code>/", views.detail, name="detail"),
    path("<str:code>/print/", views.print_permit, name="print"),
    path("<str:code>/extend/", views.extend, name="extend"),
    path("<str:code>/give-back/", views.give_back, name="give-back"),
]
