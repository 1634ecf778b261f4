"""What is no answer of a passkey is refused, at the library's door and at the desk's."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.passkeys import passkeys_of


def test_what_is_no_answer_of_a_passkey_is_refused(visitor_of: Visitor) -> None:
    ways = passkeys_of("https://drachm.example/base")
    assert ways is not None
    assert (ways.host, ways.origin) == ("drachm.example", "https://drachm.example")
    for text in ("", "{}", "[]", "null", '{"rawId": 1}', '{"rawId": "a", "response": {}}', "x" * 9_000):
        with pytest.raises(Unauthenticated):
            ways.presented(text)
        with pytest.raises(Unauthenticated):
            ways.registered(text, b"c")
    for address in ("http://drachm.example", "http://127.0.0.1:8000", "https://[::1]"):
        assert passkeys_of(address) is None
    for answer in ("", "{}", '{"rawId":"AA","response":{"userHandle":"MS9wc3U"}}'):
        visitor_of.get("open_desk_sign_in")
        assert visitor_of.post("sign_in_with_passkey", {"answer": answer}).status == 401
    assert visitor_of.post("sign_in_with_passkey", {"csrf": "x"}).status == 403


@pytest.fixture
def visitor_of(street: Any, town: Any, ask: Any) -> Any:
    house = street.house
    street.house = replace(house, base_url="https://drachm.example")
    yield Visitor(street, town, ask)
    street.house = house
