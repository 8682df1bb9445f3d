from django.urls import path

from permits import views

app_name = "permits"
urlpatterns = [
    path("", views.permit_list, name="list"),
    path("status/<str:public_code>/", views.status, name="status"),
    path("<str:code>/", views.detail, name="detail"),
]
