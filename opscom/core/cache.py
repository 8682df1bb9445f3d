"""The cache is a convenience: when Redis is away, pages come from the database, slower but whole."""

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class LastingClient(RedisCacheClient):
    """Django's own makes a new redis-py client for each command, which costs as much as the command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._made: dict[int, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)  # type: ignore[attr-defined]
        if id(pool) not in self._made:
            self._made[id(pool)] = self._client(connection_pool=pool)  # type: ignore[attr-defined]
        return self._made[id(pool)]


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache, in which an unreachable server means 'not in the cache'."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = params.setdefault("OPTIONS", {})
        options.setdefault("socket_connect_timeout", 0.3)
        options.setdefault("socket_timeout", 0.5)
        super().__init__(server, params)
        self._class = LastingClient

    def _or(self, fallback: Any, method: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except (RedisError, OSError) as error:
            log.warning("cache unreachable: %s", error)
            return fallback

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._or(default, super().get, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(None, super().set, *args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        # True: callers that mean "was I the first?" must not be locked out while the server is away.
        return self._or(True, super().add, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(False, super().touch, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(False, super().delete, *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._or({}, super().get_many, *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._or([], super().set_many, *args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(None, super().delete_many, *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(False, super().has_key, *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(0, super().incr, *args, **kwargs)
