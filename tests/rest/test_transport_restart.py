"""Workers are replaced, drained and revived without a lost answer."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from transport_client import Load, Seen, Served, post
from transport_service import EVENTS, event


def until(holds: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def under_load(served: Served, meanwhile: Callable[[], None], seconds: float, connections: int = 16) -> Seen:
    async def main() -> Seen:
        load = Load(served.port, lambda n: post(EVENTS, event(n)))
        running = asyncio.create_task(load.run(connections, seconds))
        await asyncio.sleep(0.5)
        await asyncio.get_running_loop().run_in_executor(None, meanwhile)
        return await running

    return asyncio.run(main())


def posted(ledger: Path) -> set[int]:
    return {int(line) for line in ledger.read_text().split()}


@pytest.mark.parametrize("workers", [1, 2])
def test_sighup_replaces_every_worker_with_no_failed_request(tmp_path: Path, workers: int) -> None:
    ledger = tmp_path / "ledger"
    with Served(workers=workers, IDLE_SECONDS=1, CLEAR_SECONDS=0.005, LEDGER=ledger) as served:
        before = set(served.workers())
        assert len(before) == workers

        def restart() -> None:
            served.process.send_signal(signal.SIGHUP)
            until(lambda: len(served.workers()) == workers and not before & set(served.workers()))

        seen = under_load(served, restart, 8)
    assert (set(seen.statuses), seen.broken, seen.refused) == ({201}, 0, 0)
    assert len(seen.acknowledged) > 500
    assert set(seen.acknowledged) <= posted(ledger)


def test_an_idle_caller_may_still_ask_while_its_worker_is_replaced() -> None:
    with Served(IDLE_SECONDS=60) as served, socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.settimeout(100)
        connection.sendall(post(EVENTS, event(1)))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 201")
        old = set(served.workers())
        served.process.send_signal(signal.SIGHUP)
        until(lambda: bool(set(served.workers()) - old))
        answer = b""
        # The old worker answers as before until the new one can, and then once more.
        for number in range(2, 200):
            time.sleep(0.5)
            connection.sendall(post(EVENTS, event(number)))
            answer = connection.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 201")
            if b"connection: close" in answer:
                break
        assert b"connection: close" in answer
        assert connection.recv(10) == b""


def test_sigterm_answers_what_was_taken_and_loses_nothing(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    with Served(IDLE_SECONDS=1, CLEAR_SECONDS=0.05, LEDGER=ledger) as served:
        seen = under_load(served, lambda: served.process.send_signal(signal.SIGTERM), 1.5, 64)
        assert served.process.wait(timeout=100) == 0
    assert set(seen.acknowledged) <= posted(ledger)
    assert set(seen.statuses) == {201}
    # What was posted was also acknowledged: no answer was lost on connections that were taken.
    assert posted(ledger) == set(seen.acknowledged)


def test_a_killed_worker_is_started_again() -> None:
    with Served() as served:
        (old,) = served.workers()
        os.kill(old, signal.SIGKILL)
        until(lambda: bool(set(served.workers()) - {old}))
        with socket.create_connection(("127.0.0.1", served.port), timeout=100) as connection:
            connection.sendall(post(EVENTS, event(1)))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 201")


def test_workers_do_not_outlive_a_killed_supervisor() -> None:
    served = Served(IDLE_SECONDS=1)
    workers = served.workers()
    served.process.kill()
    served.process.communicate(timeout=100)
    until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() and _alive(pid) for pid in workers))


def _alive(pid: int) -> bool:
    try:
        return b"transport.server" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_a_replacement_that_does_not_start_leaves_the_old_workers_in_place(tmp_path: Path) -> None:
    module = tmp_path / "fickle_service.py"
    module.write_text("from transport_service import make\n")
    search = os.pathsep.join([str(Path(__file__).parents[2] / "src"), str(Path(__file__).parent), str(tmp_path)])
    with Served(factory="fickle_service:make", PYTHONPATH=search) as served:
        old = served.workers()
        tried = tmp_path / "tried"
        module.write_text(f"open({str(tried)!r}, 'w').close()\nraise ValueError('broken release')\n")
        served.process.send_signal(signal.SIGHUP)
        until(tried.exists)
        until(lambda: served.workers() == old)
        with socket.create_connection(("127.0.0.1", served.port), timeout=100) as connection:
            connection.sendall(post(EVENTS, event(1)))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 201")


def test_ctrl_c_does_not_wait_for_idle_callers() -> None:
    # Whoever waited for this caller would wait longer than `stop` does.
    with (
        Served(IDLE_SECONDS=3_600) as served,
        socket.create_connection(("127.0.0.1", served.port)) as connection,
    ):
        connection.sendall(post(EVENTS, event(1)))
        connection.recv(65_536)
        assert served.stop(signal.SIGINT) == 0


def test_a_stream_ends_by_itself_when_its_worker_is_to_end() -> None:
    with Served(IDLE_SECONDS=1) as served, socket.create_connection(("127.0.0.1", served.port), timeout=100) as stream:
        stream.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = stream.recv(65_536)
        served.process.send_signal(signal.SIGTERM)
        while piece := stream.recv(65_536):
            received += piece
        assert received.endswith(b"0\r\n\r\n")
        assert served.process.wait(timeout=100) == 0


def test_the_numbers_of_all_workers_are_added_up() -> None:
    with Served(workers=2, IDLE_SECONDS=1) as served:
        for number in range(40):
            with socket.create_connection(("127.0.0.1", served.port)) as connection:
                connection.sendall(post(EVENTS, event(number)))
                connection.recv(65_536)
        killed = served.workers()[0]
        os.kill(killed, signal.SIGKILL)  # what a dead worker counted stays counted
        until(lambda: len(served.workers()) == 2 and killed not in served.workers())
        with socket.create_connection(("127.0.0.1", served.port), timeout=100) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            page = b""
            while piece := connection.recv(65_536):
                page += piece
    assert b'seconds_count{method="POST",route="/v1/service-events",status="201"} 40.0' in page
    assert b"drachm_pump_batch_events_sum 40.0" in page
    assert b"drachm_pump_waiting 0.0" in page
