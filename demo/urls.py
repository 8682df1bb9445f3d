from django.urls import path

from demo import views

app_name = "demo"
urlpatterns = [
    path("", views.index, name="index"),
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/<int:pk>/", views.message, name="message"),
    path("inbox/<int:pk>/html/", views.message_html, name="message_html"),
    path("inbox/<int:pk>/files/<int:number>/", views.attachment, name="attachment"),
]
