"""The whole service over HTTP, inside this process: keys, the gate, posting, reading back, the end."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from drachm.adapters.eventjson import write_event
from drachm.service.run import Running, running
from drachm.settings import Settings


def call(
    base_url: str, method: str, path: str, token: str = "", body: Any = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    """One call on a connection of its own: status, headers, decoded body."""
    host = urlsplit(base_url)
    connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=20)
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if data is not None:
        named.setdefault("content-type", "application/json")
    if token:
        named["authorization"] = f"Bearer {token}"
    connection.request(method, path, data, named)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    kind = answer.headers.get("content-type") or ""
    return answer.status, dict(answer.headers.items()), json.loads(text) if "json" in kind else text


@pytest.fixture(scope="module")
def service(service_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service on the tests' database, with master key and secrets of its own folder."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), master_key=bytes(range(32)))
    with running(settings, service_database) as found:
        yield found


def test_an_event_goes_in_and_its_repeat_comes_back(service: Running, town: Any) -> None:
    key = service.new_key(["integrator"], ["clinic"], tenant=town.tenant)
    event = write_event(town.event("http-1"))
    status, headers, body = call(service.base_url, "POST", "/v1/service-events", key, event)
    assert (status, body["status"]) == (201, "posted"), body
    assert {"request-id", "RateLimit", "RateLimit-Policy"} <= headers.keys() | {
        name for name in ("RateLimit", "RateLimit-Policy") if name.lower() in {one.lower() for one in headers}
    }
    assert call(service.base_url, "POST", "/v1/service-events", key, event)[2] == {**body, "duplicate": True}


def test_without_a_credential_or_with_a_wrong_one_nothing_is_told(service: Running, town: Any) -> None:
    event = write_event(town.event("http-2"))
    key = service.new_key(["integrator"], ["clinic"], tenant=town.tenant)
    answers = [
        call(service.base_url, "POST", "/v1/service-events", token, event)
        for token in ("", "drk_sandbox_nonsense", key[:-1] + ("0" if key[-1] != "0" else "1"), "a.b.c")
    ]
    assert [status for status, _, _ in answers] == [401] * 4
    assert town.desk.books.row(4) is None


def test_a_revoked_key_is_refused_from_the_next_call_on(service: Running, town: Any) -> None:
    key = service.new_key(["integrator"], ["clinic"], tenant=town.tenant)
    event = write_event(town.event("http-3"))
    assert call(service.base_url, "POST", "/v1/service-events", key, event)[0] == 201
    keyring = service.house.keyring
    kept = keyring._store.find(key.split("_")[2])
    assert kept is not None
    keyring.revoke(kept, kept.created_at)
    assert call(service.base_url, "POST", "/v1/service-events", key, event)[0] == 401


def test_a_person_of_the_sandbox_is_known_by_a_token(service: Running, town: Any) -> None:
    token = service.person_token("olga", ["operator"], tenant=town.tenant)
    status, _, body = call(service.base_url, "POST", "/v1/service-events", token, write_event(town.event("http-4")))
    assert (status, body["status"]) == (201, "posted")


def test_the_index_follows_by_itself(service: Running, town: Any) -> None:
    token = service.person_token("olga", ["operator"], tenant=town.tenant)
    call(service.base_url, "POST", "/v1/service-events", token, write_event(town.event("http-5")))
    until = time.monotonic() + 10
    while time.monotonic() < until and town.market.index.lag():
        time.sleep(0.05)
    assert town.market.index.lag() == 0


def test_a_credential_makes_no_tenant(service: Running) -> None:
    token = service.person_token("olga", ["operator"], tenant=909)
    status, _, body = call(service.base_url, "POST", "/v1/service-events", token, {"a": 1})
    assert status in (400, 403), body
    with pytest.raises(Exception, match="not here"):
        service.house.market("909")


def test_the_pages_of_the_transport_answer(service: Running) -> None:
    assert call(service.base_url, "GET", "/healthz")[:1] == (200,)
    assert call(service.base_url, "GET", "/readyz")[2] == {"status": "ready", "checks": {"database": True}}
    assert b"drachm_http_request_seconds" in call(service.base_url, "GET", "/metrics")[2]
    assert call(service.base_url, "GET", "/v1/nothing-here")[0] == 404


def test_a_credential_that_calls_too_often_is_told_when_to_come_back(
    service_database: str, town: Any, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, master_key=bytes(range(32)), calls_per_minute=20)
    with running(settings, service_database) as small:
        key = small.new_key(["integrator"], ["clinic"], tenant=town.tenant)
        event = write_event(town.event("http-6"))
        answers = [call(small.base_url, "POST", "/v1/service-events", key, event) for _ in range(25)]
        assert [status for status, _, _ in answers][:20] == [201] + [200] * 19
        status, headers, body = answers[-1]
        assert (status, body["code"]) == (429, "rate_limited")
        assert int({name.lower(): value for name, value in headers.items()}["retry-after"]) >= 1
