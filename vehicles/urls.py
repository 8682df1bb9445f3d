from django.urls import path

from vehicles import views

app_name = "vehicles"
urlpatterns = [
    path("", views.show_list, name="list"),
    path("add/", views.add, name="add"),
    path("<str:code>/", views.edit, name="edit"),
    path("<str:code>/active/", views.set_active, name="set_active"),
    path("<str:code>/remove/", views.remove, name="remove"),
]
