"""What a request asks again is asked once; outside of a request nothing is kept."""

import pytest
from django.urls import reverse

from opscom.core.remember import forget, once, remembering
from opscom.provider.selectors import get_provider
from opscom.provider.services import save_provider
from tests.factories.permits import make_sale
from tests.factories.vehicles import make_ownership


def test_asked_once_within_a_block_and_anew_outside():
    asked = []

    def load() -> int:
        asked.append(1)
        return len(asked)

    assert [once("key", load), once("key", load)] == [1, 2]
    with remembering():
        assert [once("key", load), once("key", load)] == [3, 3]
        forget()
        assert once("key", load) == 4
    assert once("key", load) == 5


def test_nothing_remembered_is_nothing_kept():
    with remembering():
        assert [once("key", lambda: None), once("key", lambda: 1)] == [None, None]


@pytest.mark.django_db
def test_own_change_is_seen_at_once(resident, django_capture_on_commit_callbacks):
    with remembering():
        provider = get_provider()
        provider.name = "Renamed"
        with django_capture_on_commit_callbacks(execute=True):
            save_provider(provider=provider, actor=resident)
        assert get_provider().name == "Renamed"
        assert get_provider() is not provider


@pytest.mark.django_db
def test_a_page_asks_redis_for_the_provider_once_whatever_it_shows(client_of, resident, monkeypatch):
    from opscom.provider import selectors

    asked = []
    plain = selectors._from_cache
    monkeypatch.setattr(selectors, "_from_cache", lambda name, load: asked.append(name) or plain(name, load))
    for _n in range(3):
        make_sale(numbers=1)
    make_ownership(resident)
    client = client_of(resident)
    asked.clear()
    assert client.get(reverse("permits:list")).status_code == 200
    assert len(asked) == len(set(asked))
