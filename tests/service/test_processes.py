"""The service as processes: killed, replaced under load, too busy, and what it writes down."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from service_process import ServiceProcess, at_once, service_process

from drachm.adapters.eventjson import write_event
from drachm.adapters.rest.identity.routes import ROUTES

MASTER_KEY = bytes(range(32)).hex()
CANARY = "Zwetschgenkuchen"


class Client:
    """One keep-alive connection that opens again when it was closed."""

    def __init__(self, served: ServiceProcess, token: str = "", *, seconds: float = 30) -> None:
        host = urlsplit(served.base_url)
        self.connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=seconds)
        self.token = token or served.first_key

    def send(
        self, method: str, path: str, body: bytes | None = None, media: str = "application/json", **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        fields = {"content-type": media} if body is not None else {}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            fields["authorization"] = f"Bearer {self.token}"
        self.connection.request(method, path, body, fields)
        answer = self.connection.getresponse()
        if (answer.headers.get("content-type") or "").startswith("text/event-stream"):
            self.connection.close()
            return answer.status, b"", dict(answer.headers)
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.headers.items()}

    def post(self, events: Any) -> tuple[int, Any]:
        status, text, _ = self.send("POST", "/v1/service-events", json.dumps(events).encode())
        return status, json.loads(text)

    def close(self) -> None:
        self.connection.close()


def until_answered(served: ServiceProcess, events: Any) -> tuple[int, Any]:
    """As a careful client: after a lost answer the same call again."""
    end = time.monotonic() + 60
    while True:
        client = Client(served)
        try:
            status, body = client.post(events)
            if status < 500 and status != 429:
                return status, body
        except (OSError, http.client.HTTPException):
            pass
        finally:
            client.close()
        assert time.monotonic() < end, "no answer after a minute"
        time.sleep(0.05)


def test_a_worker_killed_in_the_middle_of_a_request_changes_no_answer(settled: Any, tmp_path: Path) -> None:
    url, town = settled
    lost = turns = 0
    with service_process(url, tmp_path, DRACHM_MASTER_KEY=MASTER_KEY) as served:
        until_answered(served, [write_event(town.event("warm", 1))])
        # How long a request takes depends on the machine: other moments, until one was cut off.
        while turns < 3 or (not lost and turns < 20):
            turn, delay = turns, (0.0, 0.03, 0.1, 0.01, 0.2, 0.05, 0.15)[turns % 7]
            turns += 1
            events = [write_event(town.event(f"kill-{turn}-{number}", 1)) for number in range(200)]

            def kill(delay: float = delay) -> None:
                time.sleep(delay)
                for worker in served.workers:
                    os.kill(worker, signal.SIGKILL)

            killer = threading.Thread(target=kill)
            client = Client(served)
            killer.start()
            try:
                client.post(events)
            except (OSError, http.client.HTTPException):
                lost += 1
            killer.join()
            client.close()
            status, first = until_answered(served, events)
            assert status == 200
            assert {item["result"]["status"] for item in first["data"]} == {"posted"}
            again = until_answered(served, events)[1]
            assert [item["status"] for item in again["data"]] == [200] * len(events)
            assert [{**item["result"], "duplicate": True} for item in first["data"]] == [
                item["result"] for item in again["data"]
            ]
    assert lost >= 1, "no request was ever cut off: nothing was tested"
    keys = [stored.key for stored, _ in town.desk.books.rows()]
    assert len(keys) == len(set(keys)) == 3 + 1 + turns * 200
    assert sum(town.desk.books.balances().values()) == 0


def test_fresh_workers_under_load_fail_no_request(settled: Any, tmp_path: Path) -> None:
    url, town = settled
    with service_process(url, tmp_path, workers=2, DRACHM_MASTER_KEY=MASTER_KEY) as served:
        stop = threading.Event()
        statuses: list[int] = []
        broken: list[str] = []

        def load(name: int) -> None:
            client = Client(served)
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    statuses.append(client.post(write_event(town.event(f"load-{name}-{number}", 1)))[0])
                except (OSError, http.client.HTTPException) as error:
                    broken.append(repr(error))
            client.close()

        def replace() -> None:
            time.sleep(0.5)
            try:
                served.hang_up()
            finally:
                time.sleep(0.5)
                stop.set()

        at_once([threading.Thread(target=load, args=(name,)) for name in range(4)] + [threading.Thread(target=replace)])
        assert broken == []
        assert set(statuses) == {201}
        assert len(statuses) > 100
    assert len(list(town.desk.books.rows())) == 3 + len(statuses)


def test_the_index_is_followed_beside_the_workers_and_again_after_a_kill(settled: Any, tmp_path: Path) -> None:
    url, town = settled
    with service_process(url, tmp_path, DRACHM_MASTER_KEY=MASTER_KEY) as served:
        client = Client(served)

        def listed(count: int) -> None:
            until = time.monotonic() + 40
            while (found := len(json.loads(client.send("GET", "/v1/service-events")[1])["data"])) != count:
                assert time.monotonic() < until, f"{found} of {count} events are listed"
                time.sleep(0.1)

        assert client.post(write_event(town.event("beside-1", 1)))[0] == 201
        listed(1)
        (first,) = served.beside
        os.kill(first, signal.SIGKILL)
        assert client.post(write_event(town.event("beside-2", 1)))[0] == 201
        listed(2)
        (second,) = served.beside
        assert second != first
        client.close()
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def canary_calls(served: ServiceProcess, town: Any) -> int:
    """Every call of the interface with the canary in each place that a caller fills; how many were answered."""
    answered = 0
    event = {**write_event(town.event("canary-1", 1)), "display": CANARY, "facts": {"category": CANARY}}
    wrong = {**event, "event_id": "canary-2", "member": CANARY, "visit": CANARY, "diagnoses": [CANARY]}
    nested = {CANARY: {CANARY: [CANARY]}, "name": CANARY, "member": CANARY, "id": CANARY}
    bodies: list[bytes | None] = [
        None,
        json.dumps(nested).encode(),
        json.dumps(event).encode(),
        json.dumps([event, wrong, {"event_id": CANARY}]).encode(),
        f'{{"{CANARY}": "{CANARY}", '.encode(),
    ]
    for route in ROUTES:
        path = route.template
        for name in route.parameters:
            path = path.replace(f"{{{name}}}", CANARY)
        for token in (served.first_key, "", f"drk_sandbox_{CANARY}"):
            for body in bodies if route.method in ("POST", "PUT", "PATCH") else [None]:
                client = Client(served, seconds=20)
                client.token = token
                fields = {"idempotency_key": CANARY, "x_patient": CANARY, "user_agent": CANARY, "if_match": CANARY}
                status, _, _ = client.send(
                    route.method, f"{path}?member={CANARY}&q={CANARY}" if token == "" else path, body, **fields
                )
                assert status < 500, f"{status} from {route.method} {route.template}"
                answered += 1
                client.close()
    return answered


def test_nothing_that_a_caller_sent_is_written_down(settled: Any, tmp_path: Path) -> None:
    url, town = settled
    with service_process(url, tmp_path, DRACHM_MASTER_KEY=MASTER_KEY) as served:
        answered = canary_calls(served, town)
        raw = Client(served)
        raw.connection.connect()
        raw.connection.sock.sendall(f"GET /{CANARY} HTTP/9.9\r\n{CANARY}\r\n\r\n".encode())
        raw.connection.sock.recv(65_536)
        raw.close()
    text = served.output.read_text()
    assert text.count('"event":"request"') >= answered
    assert CANARY.lower() not in text.lower()
    assert "drk_sandbox_" not in text.replace(served.first_key, "")


def test_too_much_at_once_is_refused_at_the_door_and_what_was_taken_is_answered(settled: Any, tmp_path: Path) -> None:
    url, town = settled
    with service_process(url, tmp_path, DRACHM_MASTER_KEY=MASTER_KEY) as served:
        until_answered(served, [write_event(town.event("warm", 1))])
        found: list[tuple[int, str]] = []

        def body(name: str) -> bytes:
            return json.dumps([write_event(town.event(f"flood-{name}-{number}", 1)) for number in range(400)]).encode()

        def flood(client: Client, data: bytes, start: threading.Barrier) -> None:
            start.wait()
            status, _, headers = client.send("POST", "/v1/service-events", data)
            found.append((status, headers.get("retry-after", "")))
            client.close()

        # On a busy machine a wave may arrive so slowly that there is room for all of it; the next one is larger.
        for wave, size in enumerate((20, 40, 80)):
            start = threading.Barrier(size)
            waiting = [(Client(served, seconds=60), body(f"{wave}-{name}"), start) for name in range(size)]
            at_once([threading.Thread(target=flood, args=one) for one in waiting])
            if any(status == 429 for status, _ in found):
                break
        assert {status for status, _ in found} == {200, 429}
        assert all(int(again) >= 1 for status, again in found if status == 429)
        assert until_answered(served, [write_event(town.event("after", 1))])[0] == 200
    taken = sum(1 for status, _ in found if status == 200)
    assert len(list(town.desk.books.rows())) == 3 + 2 + 400 * taken
