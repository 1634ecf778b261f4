"""A provider is asked for its keys rarely, whatever is sent to us, and new keys are found all the same."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from signing import Pair

from drachm.adapters.rest.identity.jose import public_keys
from drachm.adapters.rest.identity.jwks import DOCUMENT_BYTES_MAX, KeySet, discovered, fetch_json, safe_address
from drachm.domain.errors import InvalidMessage, Unavailable

OLD, NEW = Pair("old"), Pair("new")


class Provider:
    """Keys, whether it answers, how often it was asked, and the time."""

    def __init__(self) -> None:
        self.document: object = {"keys": [OLD.jwk()]}
        self.away = False
        self.asked = 0
        self.now = 0.0
        self.keys = KeySet(self.fetch, monotonic=lambda: self.now, fresh=300, interval=30, stale=86_400)

    def fetch(self) -> object:
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        return self.document

    def has(self, pair: Pair) -> bool:
        return self.keys.find(pair.kid, "ES256") is not None


@pytest.fixture
def provider() -> Provider:
    return Provider()


def test_a_known_key_is_asked_for_once_while_it_is_fresh(provider: Provider) -> None:
    for provider.now in range(300):
        assert provider.has(OLD)
    assert provider.asked == 1
    provider.now = 301
    assert provider.has(OLD)
    assert provider.asked == 2


def test_forged_key_ids_make_no_more_than_one_call_an_interval(provider: Provider) -> None:
    for tenth in range(3000):
        provider.now = tenth / 10
        assert provider.keys.find(f"forged {tenth}", "ES256") is None
    assert provider.asked == 10


def test_a_new_key_is_found_when_a_token_names_it(provider: Provider) -> None:
    assert provider.has(OLD)
    provider.document = {"keys": [OLD.jwk(), NEW.jwk()]}
    provider.now = 31
    assert provider.has(NEW)
    assert provider.asked == 2


def test_a_key_that_was_taken_back_is_gone_when_the_set_is_read_again(provider: Provider) -> None:
    assert provider.has(OLD)
    provider.document = {"keys": [NEW.jwk()]}
    provider.now = 301
    assert not provider.has(OLD)
    assert provider.has(NEW)


def test_known_keys_serve_on_for_a_day_while_the_provider_is_away(provider: Provider) -> None:
    assert provider.has(OLD)
    provider.away = True
    for provider.now in (301, 3600, 86_399):
        assert provider.has(OLD)
    assert provider.asked == 4
    provider.now = 86_400
    with pytest.raises(Unavailable, match="does not answer"):
        provider.has(OLD)
    provider.away = False
    provider.now = 86_440
    assert provider.has(OLD)


@pytest.mark.parametrize("document", [{}, {"keys": []}, {"keys": "x"}, [], None, {"keys": [None, 1, {"kty": ["RSA"]}]}])
def test_an_answer_without_keys_changes_nothing(provider: Provider, document: object) -> None:
    assert provider.has(OLD)
    provider.document, provider.now = document, 301
    assert provider.has(OLD)


def test_a_token_without_a_key_id_fits_a_lone_key_only(provider: Provider) -> None:
    assert provider.keys.find("", "ES256") is not None
    assert provider.keys.find("", "RS256") is None
    provider.document, provider.now = {"keys": [OLD.jwk(), NEW.jwk()]}, 301
    assert provider.keys.find("", "ES256") is None
    nameless = {name: value for name, value in OLD.jwk().items() if name != "kid"}
    provider.document, provider.now = {"keys": [nameless]}, 602
    assert provider.keys.find("", "ES256") is not None


def test_many_at_once_make_one_call_and_whoever_has_a_key_does_not_wait(provider: Provider) -> None:
    assert provider.has(OLD)
    provider.document, provider.now = {"keys": [OLD.jwk(), NEW.jwk()]}, 301
    entered, go = threading.Event(), threading.Event()
    plain = provider.fetch

    def slow() -> object:
        entered.set()
        assert go.wait(10)
        return plain()

    provider.keys._fetch = slow
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(provider.has, OLD)
        assert entered.wait(10)
        assert pool.submit(provider.has, OLD).result(5), "served from what is known"
        waiting = [pool.submit(provider.has, NEW) for _ in range(6)]
        go.set()
        assert first.result(10)
        assert all(future.result(10) for future in waiting)
    assert provider.asked == 2


def test_damaged_keys_are_left_out_and_good_ones_beside_them_kept() -> None:
    good = OLD.jwk()
    broken = [
        *({**good, "kid": "a", "x": "AAAA"}, {**good, "kid": "b", "crv": "P-999"}, {**good, "kid": "c", "y": None}),
        *({"kty": "RSA", "kid": "d"}, {"kty": "RSA", "kid": "e", "n": "AQAB", "e": "AQAB"}, {**good, "kid": 7}),
        *({**good, "kid": "f", "alg": 1}, {"kid": "g"}, {**good, "kid": "h", "kty": None}),
    ]
    assert set(public_keys({"keys": [*broken, good]})) == {"old"}


def test_a_private_key_published_by_mistake_only_checks() -> None:
    number = OLD.private.private_numbers().private_value
    found = public_keys({"keys": [OLD.jwk(d=str(number))]})["old"]
    assert not found.key.is_private


class Handler(BaseHTTPRequestHandler):
    answers: dict[str, tuple[int, bytes, str]] = {}

    def do_GET(self) -> None:
        status, body, place = self.answers.get(self.path, (404, b"", ""))
        self.send_response(status)
        if place:
            self.send_header("Location", place)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(answers: dict[str, tuple[int, bytes, str]]) -> Iterator[str]:
    handler = type("Answers", (Handler,), {"answers": answers})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_discovery_finds_the_keys_and_believes_only_the_issuer_it_asked() -> None:
    answers: dict[str, tuple[int, bytes, str]] = {"/keys": (200, json.dumps({"keys": [OLD.jwk()]}).encode(), "")}
    with serving(answers) as base:
        described = {"issuer": base, "jwks_uri": f"{base}/keys"}
        answers["/.well-known/openid-configuration"] = (200, json.dumps(described).encode(), "")
        assert set(public_keys(discovered(base)())) == {"old"}
        for wrong in ({**described, "issuer": "https://other.example"}, {"issuer": base}, [described]):
            answers["/.well-known/openid-configuration"] = (200, json.dumps(wrong).encode(), "")
            with pytest.raises(Unavailable):
                discovered(base)()


def test_a_provider_that_moves_its_keys_is_found_again() -> None:
    answers: dict[str, tuple[int, bytes, str]] = {}
    with serving(answers) as base:

        def publish(path: str, pair: Pair) -> None:
            answers.clear()
            described = {"issuer": base, "jwks_uri": base + path}
            answers["/.well-known/openid-configuration"] = (200, json.dumps(described).encode(), "")
            answers[path] = (200, json.dumps({"keys": [pair.jwk()]}).encode(), "")

        publish("/keys", OLD)
        fetch = discovered(base)
        assert set(public_keys(fetch())) == {"old"}
        publish("/moved", NEW)
        with pytest.raises(Unavailable):
            fetch()
        assert set(public_keys(fetch())) == {"new"}


def test_what_a_provider_should_not_answer_is_unavailable() -> None:
    with serving(
        {
            "/moved": (302, b"", "/there"),
            "/there": (200, b"{}", ""),
            "/large": (200, b'"' + b"x" * DOCUMENT_BYTES_MAX + b'"', ""),
            "/broken": (200, b"{", ""),
            "/deep": (200, b"[" * 100_000, ""),
            "/error": (500, b"{}", ""),
        }
    ) as base:
        assert fetch_json(f"{base}/there") == {}
        for path in ("moved", "large", "broken", "deep", "error", "absent"):
            with pytest.raises(Unavailable):
                fetch_json(f"{base}/{path}")


@pytest.mark.parametrize(
    "address",
    [
        *("http://id.example", "file:///etc/passwd", "ftp://localhost/x", "https://", "", "https://u:p@id.example"),
        *("http://localhost.evil.example", "http://169.254.169.254/latest", "https://id.example/#x", "https://[bad"),
    ],
)
def test_only_https_or_this_machine_is_asked(address: str) -> None:
    with pytest.raises(InvalidMessage, match="https"):
        safe_address(address, "issuer")
    with pytest.raises(InvalidMessage, match="https"):
        discovered(address)
    with pytest.raises(Unavailable):
        fetch_json(address)


def test_https_and_this_machine_are_good_addresses() -> None:
    for address in ("https://id.example/realms/a", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:9/x"):
        safe_address(address, "issuer")
