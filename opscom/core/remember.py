"""What one request asks again and again is asked once: the provider's row is read dozens of times for a page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
_remembered: ContextVar[dict[str, Any] | None] = ContextVar("remembered", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Remember until the end of the block. Outside of one (workers, commands) nothing is: they live for days."""
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)


def once(key: str, load: Callable[[], T]) -> T:
    """Return what `load` gives, called at most once in this request. Whoever gets the value must not change it."""
    kept = _remembered.get()
    if kept is None:
        return load()
    if key not in kept:
        kept[key] = load()
    value: T = kept[key]
    return value


def forget() -> None:
    """Forget all: something that was remembered has been changed in this very request."""
    if (kept := _remembered.get()) is not None:
        kept.clear()
