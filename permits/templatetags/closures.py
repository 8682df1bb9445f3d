"""Words about closures, in the reader's language."""

from django import template

from permits import closures

register = template.Library()
register.filter("closed_times", closures.describe_times)
register.filter("closed_elsewhere", closures.describe_elsewhere)
