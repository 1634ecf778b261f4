"""How many calls may one caller make, and how does it know? (draft-ietf-httpapi-ratelimit-headers-10)

One token bucket per caller: `quota` calls at once, refilled evenly over `window_seconds`. Counts are kept per process;
a caller spread over several processes may get that many times its quota.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Final

from drachm.adapters.rest.transport.problems import Header, Problem

CALLERS_MAX: Final = 100_000
"""Buckets kept at most; a caller that was not seen for a window has a full one anyway."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A policy as its field names it."""

    name: str = "default"
    quota: int = 1_000
    window_seconds: int = 60


class RateLimiter:
    """Counts calls. `now` is a clock in seconds that never goes back."""

    def __init__(self, rate: Rate, now: Callable[[], float]) -> None:
        self._rate, self._now = rate, now
        self._per_second = rate.quota / rate.window_seconds
        self._buckets: dict[str, tuple[float, float]] = {}
        """Caller -> (tokens, when they were counted)."""
        self._policy = (
            b"ratelimit-policy",
            f'"{rate.name}";q={rate.quota};w={rate.window_seconds}'.encode(),
        )
        self._limit_form = f'"{rate.name}";r=%d;t=%d'

    def take(self, caller: str, cost: int = 1) -> tuple[Header, Header]:
        """Use up `cost` calls; the two RateLimit fields of the answer. Raises `rate_limited` with Retry-After."""
        now, quota = self._now(), self._rate.quota
        tokens, counted = self._buckets.get(caller, (float(quota), now))
        tokens = min(quota, tokens + (now - counted) * self._per_second)
        # More than a bucket holds can never be had: such a call passes once the bucket is full, and empties it.
        if tokens < min(cost, quota):
            wait = ceil((min(cost, quota) - tokens) / self._per_second)
            raise Problem("rate_limited", retry_after=max(1, wait), headers=self._fields(tokens))
        tokens -= min(cost, quota)
        if caller not in self._buckets and len(self._buckets) >= CALLERS_MAX:
            self._forget(now)
        self._buckets[caller] = (tokens, now)
        return self._fields(tokens)

    def _fields(self, tokens: float) -> tuple[Header, Header]:
        full_in = ceil((self._rate.quota - tokens) / self._per_second)
        return self._policy, (b"ratelimit", (self._limit_form % (int(tokens), full_in)).encode())

    def _forget(self, now: float) -> None:
        before = now - self._rate.window_seconds
        self._buckets = {name: bucket for name, bucket in self._buckets.items() if bucket[1] > before}
        while len(self._buckets) >= CALLERS_MAX:
            # Still too many: the one that was made longest ago starts afresh.
            del self._buckets[next(iter(self._buckets))]
