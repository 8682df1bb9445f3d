"""The provider's row in the cache, and which version of a text people agreed to."""

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache

from opscom.core.errors import Stale
from opscom.core.models import AuditEntry
from opscom.provider.models import Agreement, Disclaimer, Provider
from opscom.provider.selectors import current_disclaimer, get_provider, needs_agreement
from opscom.provider.services import agree_to_disclaimer, save_disclaimer, save_provider
from tests.factories.provider import set_disclaimer

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return get_user_model().objects.create_user("maya@example.org")


def test_first_rows_exist():
    assert Provider.objects.get().pk == 1
    assert Provider.objects.get().office_weekdays == [0, 1, 2, 3, 4]
    assert set(Disclaimer.objects.values_list("kind", flat=True)) == {"vehicle", "permit", "locker"}


def test_provider_is_read_once(django_assert_num_queries):
    get_provider()
    with django_assert_num_queries(0):
        get_provider()


def test_save_is_seen_by_everyone(django_capture_on_commit_callbacks, person):
    provider = get_provider()
    provider.name = "Lakeshore"
    with django_capture_on_commit_callbacks(execute=True):
        save_provider(provider=provider, actor=person, changed=["name"])
    assert get_provider().name == "Lakeshore"
    assert AuditEntry.objects.get(action="provider.changed").facts == {"changed": ["name"]}


def test_a_reader_who_was_overtaken_by_a_save_does_not_bring_the_old_row_back(
    django_capture_on_commit_callbacks, monkeypatch
):
    get_or_create = Provider.objects.get_or_create

    def slow_read(**kwargs):
        old = get_or_create(**kwargs)
        monkeypatch.undo()
        new = Provider.objects.get()
        new.name = "New"
        with django_capture_on_commit_callbacks(execute=True):
            save_provider(provider=new, actor=None)
        return old

    monkeypatch.setattr(Provider.objects, "get_or_create", slow_read)
    assert get_provider().name == "Parking"
    assert get_provider().name == "New"


def test_lost_cache_is_no_loss():
    get_provider()
    cache.clear()
    assert get_provider().name == "Parking"


def test_empty_disclaimer_is_not_asked(person):
    assert current_disclaimer("vehicle") is None
    assert not needs_agreement(person, "vehicle")


def test_agreed_until_the_text_changes(person):
    disclaimer = set_disclaimer("vehicle", "Park at your own risk.")
    assert needs_agreement(person, "vehicle")
    agree = {"user": person, "kind": "vehicle", "text": "Park at your own risk.", "version": disclaimer.version}
    assert agree_to_disclaimer(**agree) == agree_to_disclaimer(**agree)
    assert not needs_agreement(person, "vehicle")
    set_disclaimer("vehicle", "Park at your own risk.")
    assert not needs_agreement(person, "vehicle"), "the same text is the same version"
    set_disclaimer("vehicle", "Park at nobody's risk.")
    assert needs_agreement(person, "vehicle")
    with pytest.raises(Stale):
        agree_to_disclaimer(**agree)
    assert Agreement.objects.count() == 1
    assert AuditEntry.objects.filter(action="disclaimer.agreed").count() == 1


def test_version_rises_with_the_text_only(person):
    disclaimer = Disclaimer.objects.get(kind="permit")
    first = save_disclaimer(disclaimer=disclaimer, text={"en": "A"}, actor=person).version
    assert save_disclaimer(disclaimer=disclaimer, text={"en": "A"}, actor=person).version == first
    assert save_disclaimer(disclaimer=disclaimer, text={"en": "A", "fr-ca": "B"}, actor=person).version == first + 1
