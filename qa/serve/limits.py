"""How often something may happen: token buckets, one a client."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_CLIENTS = 10_000
"""Buckets remembered; beyond, those unused longest are forgotten, which forgives their clients."""


class TokenBuckets:
    """`burst` things at once, then `per_second` of them, for each client apart. Thread-safe."""

    def __init__(self, *, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Seconds until a token is there, 0 if one is there now. Takes none."""
        with self._lock:
            return self._missing(self._level(client))

    def take(self, client: str, count: float = 1) -> float:
        """Takes a token, or so many (at most `burst`), and returns 0; if they are not there, takes none and returns the
        seconds until they are."""
        with self._lock:
            level = self._level(client)
            if missing := self._missing(level, count):
                return missing
            self._buckets[client] = (level - count, self._clock())
            self._buckets.move_to_end(client)
            while len(self._buckets) > MOST_CLIENTS:
                self._buckets.popitem(last=False)
            return 0.0

    def _level(self, client: str) -> float:
        level, stamp = self._buckets.get(client, (float(self._burst), self._clock()))
        return min(float(self._burst), level + (self._clock() - stamp) * self._per_second)

    def _missing(self, level: float, count: float = 1) -> float:
        return 0.0 if level >= count else (count - level) / self._per_second
