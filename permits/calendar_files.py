"""A permit as an event for somebody's calendar (iCalendar, RFC 5545), with an alarm before its end."""

import datetime as dt

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event

from opscom.provider.selectors import get_provider, get_time_zone
from permits.models import Permit
from permits.validity import describe_validity

CONTENT_TYPE = "text/calendar; charset=utf-8"
ONE_DAY = dt.timedelta(days=1)


def write_calendar(permit: Permit) -> bytes:
    """Return the file, in the active language and the provider's time zone.

    The alarm comes a day before the end; for a stay of less than two days, half an hour before.
    """
    calendar = Calendar()
    calendar.add("prodid", f"-//{get_provider().name}//OPSCOM//")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(_event(permit))
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _event(permit: Permit) -> Event:
    zone = get_time_zone()
    page = settings.SITE_URL + reverse("permits:detail", args=[permit.code])
    title = _("Parking permit %(number)s · %(lot)s") % {"number": permit.number, "lot": permit.lot}
    plates = ", ".join(link.vehicle.label for link in permit.vehicle_links.all())
    event = Event()
    # The same permit taken a second time takes the place of the first.
    event.add("uid", f"{permit.code}@{settings.SITE_URL.split('//')[-1]}")
    event.add("dtstamp", timezone.now())
    event.add("summary", title)
    event.add("dtstart", permit.valid_from.astimezone(zone).replace(microsecond=0))
    event.add("dtend", permit.valid_until.astimezone(zone).replace(microsecond=0))
    event.add("location", ", ".join(filter(None, [str(permit.lot), str(permit.lot.place)])))
    event.add("description", "\n".join([plates, *describe_validity(permit.permit_type, permit.lot), page]))
    event.add("url", page)
    # A parked car keeps nobody from an appointment.
    event.add("transp", "TRANSPARENT")
    event.add_component(_alarm(permit, title))
    return event


def _alarm(permit: Permit, title: str) -> Alarm:
    is_short = permit.valid_until - permit.valid_from < 2 * ONE_DAY
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _("%(title)s ends soon") % {"title": title})
    alarm.add("trigger", -(dt.timedelta(minutes=30) if is_short else ONE_DAY), parameters={"related": "END"})
    return alarm
