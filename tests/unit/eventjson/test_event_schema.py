"""The published schema of an event accepts what the reader accepts, and refuses what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from drachm.adapters.eventjson import read_event, read_event_bytes
from drachm.adapters.eventjson.read import KEYS, REQUIRED
from drachm.adapters.eventjson.schema import event_schema
from drachm.domain.errors import InvalidMessage

SCHEMA = event_schema()
FITS = Draft202012Validator(SCHEMA).is_valid
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "event-json.md").read_text("utf-8")
WHOLE: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
LEAST = {name: WHOLE[name] for name in REQUIRED}

# A validator with ECMA 262 patterns, as JSON Schema asks: in Python's own, "$" lets a line feed follow.
# A schema cannot compare two places of a document; these refusals are the reader's alone.
READER_ALONE = {"currency_mismatch"}
COMPARISONS = ("the end lies before", "points behind the last", "cannot refer to itself")


def read(event: Any) -> InvalidMessage | None:
    try:
        read_event(event)
    except InvalidMessage as refused:
        return refused
    return None


def agree(event: Any) -> None:
    refused = read(event)
    if FITS(event):
        assert (
            refused is None
            or refused.code in READER_ALONE
            or any(words in refused.message for words in COMPARISONS)
            or (refused.code == "invalid_time" and re.search(r"-(29|30|31)T", json.dumps(event)))
        ), (event, refused)
    else:
        assert refused is not None, event


def test_the_schema_names_the_keys_of_the_reader() -> None:
    assert set(SCHEMA["properties"]) == set(KEYS)
    assert set(SCHEMA["required"]) == set(REQUIRED)


def test_whole_and_least_events_fit() -> None:
    assert FITS(WHOLE)
    assert FITS(LEAST)
    assert read(WHOLE) is None
    assert read(LEAST) is None


VALUES = [
    None, True, 0, 1, -1, 50, 51, 1_000_000, 1_000_001, 2**53, "", "x", "X", "-x", "x y", "x\n", "x\x00", "x\x7f",
    "x\u202e", "x\u2069", "é", "a/b", "a" * 32, "a" * 33, "a" * 64, "a" * 65, "a" * 200, "a" * 201, "a" * 500,
    "a" * 501, "x\u2028", "02",
    "0", "0.0", "0.000001", "1.0000001", "1000000", "1000000.000001", "0999999.5", "9999999", "00000001", "٢", "1e3",
    "USD", "usd", "XXX", "QQQ", "hold", "reversal", "2025-01-31T14:02:00Z", "2025-01-31t14:02:00Z",
    "2025-01-31T14:02:60Z", "2025-01-31T24:00:00Z", "2025-13-01T00:00:00Z", "1899-12-31T23:59:59Z",
    "2199-12-31T23:59:59Z", "2025-01-31T14:02:00", "2025-01-31T14:02:00.1234567Z", "2025-01-31T14:02:00+14:00",
    "2025-01-31T14:02:00-00:00", "2025-01-31T14:02:00+24:00", "2025-01-31 14:02:00Z", "2025-01-31T14:02:00Z\n",
    [], ["a"], ["a", ""], ["a"] * 50, ["a"] * 51, [1], [0], [51], [True], {}, {"system": "local", "value": "a"},
    {"system": "", "value": "a"}, {"system": "1a", "value": "a"}, {"system": "a", "value": ""},
    {"system": "a"}, {"micros": 1, "currency": "USD"}, {"micros": -1, "currency": "USD"}, {"micros": True,
    "currency": "USD"}, {"micros": 2**53 - 1, "currency": "USD"}, {"micros": 1, "currency": "USD", "a": 1},
    {"a": 1}, {"A": 1}, {"a": None}, {"a": 2**53}, {"a": "\x00"}, {"a" * 65: 1}, {"a": [1]}, {"a": True},
    {f"f{index}": 1 for index in range(101)},
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(KEYS))
def test_each_field_with_each_value(name: str) -> None:
    for value in VALUES:
        agree({**LEAST, name: value})


@pytest.mark.parametrize("kind", ["charge", "hold", "reversal", "replacement", "stop"])
@pytest.mark.parametrize("replaces", [None, "", "other"])
def test_what_refers_names_what_it_refers_to(kind: str, replaces: str | None) -> None:
    event = {**LEAST, "kind": kind} | ({} if replaces is None else {"replaces": replaces})
    assert FITS(event) == (read(event) is None)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_mixture_of_fields(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(KEYS)), max_size=5))
    event = {**WHOLE}
    for name in names:
        event[name] = data.draw(
            st.one_of(st.just(WHOLE.get(name, "")), st.text(max_size=8), st.integers(), st.booleans())
        )
    agree(event)


def test_a_line_feed_at_the_end_is_no_part_of_an_id() -> None:
    with pytest.raises(InvalidMessage):
        read_event_bytes(json.dumps({**LEAST, "member": "ana\n"}).encode())
