from django.contrib.auth.decorators import login_not_required
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from home import views

app_name = "home"


class FaviconView(RedirectView):
    """Browsers ask for this address unasked; an error there would stand in every console."""

    def get_redirect_url(self, *args: object, **kwargs: object) -> str:
        return static("icon.svg")


urlpatterns = [
    path("", views.home, name="home"),
    path("provider.css", views.provider_css, name="provider_css"),
    path("favicon.ico", login_not_required(FaviconView.as_view())),
]
