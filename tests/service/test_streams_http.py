"""Streams over real HTTP: news within a moment, and the end of the service is the end of its streams."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from drachm.adapters.eventjson import write_event
from drachm.service.run import Running, running
from drachm.settings import Settings


@contextmanager
def stream(service: Running, key: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
    host = urlsplit(service.base_url)
    connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=200)
    named = {"authorization": f"Bearer {key}", "accept": "text/event-stream", **headers}
    connection.request("GET", "/v1/parties/clinic/receipts/stream", headers=named)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def message(answer: http.client.HTTPResponse) -> dict[str, str]:
    """The next message of a stream; empty at its end."""
    said: dict[str, str] = {}
    while line := answer.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        said[name] = value
    return said


def send(service: Running, key: str, event: Any) -> None:
    host = urlsplit(service.base_url)
    connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=200)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection.request("POST", "/v1/service-events", json.dumps(write_event(event)), headers)
    assert connection.getresponse().status == 201
    connection.close()


@pytest.fixture
def service(service_database: str, tmp_path: Path) -> Iterator[Running]:
    with running(Settings(data_dir=tmp_path, master_key=bytes(range(32))), service_database) as found:
        yield found


def test_receipts_reach_a_listener_over_http(service: Running, town: Any) -> None:
    key = service.new_key(["integrator"], ["clinic"], tenant=town.tenant)
    listener = service.new_key(["clerk"], ["clinic"], tenant=town.tenant)
    with stream(service, listener) as answer:
        assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        first = message(answer)
        assert first.keys() == {"retry", "id"}
        send(service, key, town.event("s1"))
        heard = message(answer)
        assert (heard["event"], json.loads(heard["data"])["event_id"]) == ("receipt", "s1")
    send(service, key, town.event("s2"))
    with stream(service, listener, **{"last-event-id": heard["id"]}) as answer:
        message(answer)
        assert json.loads(message(answer)["data"])["event_id"] == "s2"


def test_the_end_of_the_service_ends_its_streams(service_database: str, tmp_path: Path, town: Any) -> None:
    with ExitStack() as life:
        settings = Settings(data_dir=tmp_path, master_key=bytes(range(32)))
        service = life.enter_context(running(settings, service_database))
        key = service.new_key(["clerk"], ["clinic"], tenant=town.tenant)
        with stream(service, key) as answer:
            message(answer)
            ending = threading.Thread(target=life.close)
            ending.start()
            last = message(answer)
            assert (last["event"], json.loads(last["data"])) == ("end", {"code": "draining"})
            assert answer.read() == b""
            ending.join(200)
            assert not ending.is_alive()


def test_a_stranger_hears_nothing(service: Running, town: Any) -> None:
    for key in ("", "wrong", service.new_key(["clerk"], ["hospital"], tenant=town.tenant)):
        with stream(service, key) as answer:
            assert answer.status in (401, 404)
            assert json.loads(answer.read())["status"] == answer.status
