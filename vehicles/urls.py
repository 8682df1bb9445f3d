from django.urls import path

from vehicles import views

app_name = "vehicles"
urlpatterns = [
    path("", views.show_list, name="list"),
    path("add/", views.add, name="add"),
    path("<slug:code>/", views.edit, name="edit"),
    path("<slug:code>/active/", views.set_active, name="set_active"),
    path("<slug:code>/remove/", views.remove, name="remove"),
]
