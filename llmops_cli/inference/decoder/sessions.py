"""Caches of conversations, kept between their turns."""

from __future__ import annotations

from collections import OrderedDict

from llmops_cli.inference.decoder.cache import KeyValueCache

MOST_BYTES = 1 << 30
MOST_SESSIONS = 32

Key = tuple[str, str]
"""A session's name and the adapter that computed it."""


class Sessions:
    """The caches of the sessions that ended last, within a number and a sum of bytes."""

    def __init__(self) -> None:
        self._caches: OrderedDict[Key, KeyValueCache] = OrderedDict()

    def take(self, key: Key) -> KeyValueCache | None:
        """The session's cache, which is then the caller's alone."""
        return self._caches.pop(key, None)

    def put(self, key: Key, cache: KeyValueCache) -> None:
        """Keep a cache, and let the oldest ones go where they are too many."""
        self._caches.pop(key, None)
        self._caches[key] = cache
        while len(self._caches) > MOST_SESSIONS or sum(cache.nbytes for cache in self._caches.values()) > MOST_BYTES:
            self._caches.popitem(last=False)
