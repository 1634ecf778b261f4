"""What one request costs, and how soon a busy service says so."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from transport_client import Load, Seen, Served, cpu_seconds, post
from transport_service import EVENTS, event


async def loaded(port: int, connections: int, seconds: float) -> Seen:
    return await Load(port, lambda n: post(EVENTS, event(n))).run(connections, seconds)


def test_an_overloaded_service_says_so_at_once_and_recovers() -> None:
    with Served(CLEAR_SECONDS=0.2, QUEUE=40) as served:
        seen = asyncio.run(loaded(served.port, 200, 2))
        after = asyncio.run(loaded(served.port, 4, 1))
    assert set(seen.statuses) == {201, 429}
    assert seen.broken == 0
    assert seen.statuses[201] >= 200  # the commits went on meanwhile
    print(f"429 after {seen.percentile(0.5, 429):.0f} ms (p50), {seen.percentile(0.99, 429):.0f} ms (p99)")
    assert seen.percentile(0.5, 429) < 100
    assert set(after.statuses) == {201}


@pytest.mark.long
@pytest.mark.parametrize(("connections", "most"), [(8, 160), (64, 110), (256, 110)])
def test_a_single_post_costs_the_web_process_little(connections: int, most: int) -> None:
    """Budget: 110 us of processor time per request, strict JSON, metrics and access log included, clearing excluded.

    With eight callers each turn of the event loop and each commit serves one or two requests, so the turn itself shows.
    """
    with Served(ACCESS_LOG=1) as served:
        (worker,) = served.workers()
        asyncio.run(loaded(served.port, connections, 1))
        costs = []
        for _ in range(3):  # the lowest says what the code costs, the others what the neighbours do
            before = cpu_seconds(worker)
            seen = asyncio.run(loaded(served.port, connections, 2))
            costs.append((cpu_seconds(worker) - before) / len(seen.milliseconds) * 1e6)
            assert set(seen.statuses) == {201}
    print(f"c={connections}: {[round(cost) for cost in costs]} us, {len(seen.milliseconds) / seen.seconds:.0f}/s")
    assert min(costs) < most
