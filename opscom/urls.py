"""Every address. The namespaces follow the apps."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("home.urls")),
    path("", include("accounts.urls")),
    path("", include("accounts.sign_in_urls")),
    path("vehicles/", include("vehicles.urls")),
    path("permits/", include("permits.urls")),
    path("payments/", include("payments.urls")),
    path("appeals/", include("violations.urls")),
    path("lockers/", include("lockers.urls")),
    path("boot/", include("boots.urls")),
    path("park/", include("permits.guest_urls")),
    path("quick-pay/", include("violations.guest_urls")),
    path("company/statements/", include("payments.statement_urls")),
    path("", include("opscom.provider.urls")),
    path("", include("opscom.messaging.urls")),
    path("admin/", admin.site.urls),
    *([path("demo/", include("demo.urls"))] if settings.OPSCOM_DEMO else []),
]
