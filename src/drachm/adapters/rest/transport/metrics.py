"""What does an operator see of the service? (Prometheus; no label ever holds anything of a request)

With several worker processes the numbers of all of them are added up from files in the folder that the environment
variable PROMETHEUS_MULTIPROC_DIR names; the supervisor sets it. One process needs no files.
"""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.002, 0.005, 0.01, 0.015, 0.025, 0.04, 0.075, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10, 30)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"

if os.environ.get(_FOLDER):
    # A worker is started, never forked: its number is asked once, not three times for every answer.
    _OWN: Final = os.getpid()
    values.ValueClass = values.MultiProcessValue(process_identifier=lambda: _OWN)  # type: ignore[no-untyped-call]


class Metrics:
    """The counters of one process; also the `Gauges` of its pump."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "drachm_http_request_seconds",
            "Time from the header to the end of the answer.",
            ("route", "method", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._refusals = Counter(
            "drachm_http_refusals_total", "Connections refused before a request was whole.", ("code",),
            registry=self.registry,
        )  # fmt: skip
        self._depth = Gauge(
            "drachm_pump_waiting", "Events without an answer.", registry=self.registry, multiprocess_mode="livesum"
        )
        self._sizes = Histogram(
            "drachm_pump_batch_events", "Events of one commit.", buckets=_SIZES, registry=self.registry
        )
        self._waits = Histogram(
            "drachm_pump_wait_seconds", "How long the oldest event of a batch waited for its commit to begin.",
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self._commits = Histogram(
            "drachm_pump_clear_seconds", "Time of one batch, commit included.", buckets=_SECONDS, registry=self.registry
        )
        self._failed = Counter("drachm_pump_failed_events_total", "Events whose batch raised.", registry=self.registry)
        self._known: dict[tuple[str, str, int], Histogram] = {}

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """One answered request; `route` is a template."""
        key = (route, method, status)
        child = self._known.get(key)
        if child is None:
            child = self._known[key] = self._requests.labels(route, method, str(status))
        child.observe(seconds)

    def refused(self, code: str) -> None:
        """A connection ended by `wire.py` with a problem."""
        self._refusals.labels(code).inc()

    def batch(self, size: int, waited: float, cleared: float, depth: int) -> None:
        """One batch of the pump (see `pump.Gauges`)."""
        self._sizes.observe(size)
        self._waits.observe(waited)
        self._commits.observe(cleared)
        self._depth.set(depth)

    def failed(self, size: int) -> None:
        """A batch that raised (see `pump.Gauges`)."""
        self._failed.inc(size)

    def page(self) -> bytes:
        """Everything in the text format of Prometheus, of all worker processes."""
        if os.environ.get(_FOLDER):
            together = CollectorRegistry()
            MultiProcessCollector(together)  # type: ignore[no-untyped-call]
            return generate_latest(together)
        return generate_latest(self.registry)
