"""The quick reader accepts only what the strict one accepts, and whatever comes out is what the strict one says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drachm.adapters import jsonsafe
from drachm.adapters.eventjson import document, read_event_bytes, read_events_bytes, read_lines_bytes, write_event
from drachm.adapters.eventjson.quick import quick_event, quick_events
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import ServiceEvent

MINIMAL: dict[str, Any] = {
    "source": "clinic", "event_id": "v-1", "kind": "charge", "member": "ana", "currency": "USD",
    "code": {"system": "HCPCS", "value": "G2012"}, "started_at": "2025-01-31T14:02:00Z",
}  # fmt: skip
FULL: dict[str, Any] = {
    **MINIMAL, "ended_at": "2025-01-31T15:30:00.25+01:00", "modifiers": ["25", "GT"], "quantity": "2.5",
    "unit": "minute", "billed": {"micros": 40_000_000, "currency": "USD"}, "billing_party": "clinic-a",
    "rendering_party": "dr-rao", "site": "site-1", "place_of_service": "02", "visit": "v", "admission": "a",
    "claim": "c", "line": "1", "authorisation": "auth-1", "tax_ppm": 190_000, "tax_category": "standard",
    "diagnoses": ["J06.9", "I10"], "diagnosis_pointers": [2, 1], "emergency": True, "essential": False,
    "display": "Besök på mottagning 診察 \U0001f600 \"quoted\" \\ /",
    "facts": {"category": "lab", "usual": -5, "own": True},
}  # fmt: skip

# Beside good values stand those on and beyond every bound.
ID = st.sampled_from(
    ["a", "A-1", "x" * 200, "x" * 201, "", "-a", "a b", "a\n", "a\nb", "\n", "añá", "a\x00", 7, None, True, ["a"]]
)
TEXT = st.sampled_from(
    ["", "plain", "x" * 500, "x" * 501, "\U0001f600" * 500, "é" * 501, "a\tb", "a\x7f", "a\x85", "a\u2028", "a\x00",
     "a\u202e", "a\xa0b", "\u200b\ue000", "a\"b\\c", "\\u0000", 5, None]
)  # fmt: skip
NUMBER = st.sampled_from(
    [0, 1, 2, 50, 51, -1, 10**6, 10**6 + 1, 2**53 - 1, 2**53, -(2**53), 2**64, 10**70, 1.0, 1.5, True]
)
TIME = st.sampled_from(
    ["2025-01-31T14:02:00Z", "2025-01-31T14:02:00.123456+05:30", "2025-01-31T14:02:00-00:00", "2025-01-31T14:02:00.1Z",
     "2025-01-31T14:02:00.1234567Z", "2025-01-31 14:02:00Z", "2025-01-31T14:02:00z", "2025-01-31T14:02:00",
     "2025-W05-5T14:02:00Z", "20250131T140200Z", "2025-01-31T14:02Z", "2025-01-31T14:02:00+0530",
     "2025-02-30T14:02:00Z", "2025-01-31T24:00:00Z", "2025-01-31T14:02:60Z", "2025-01-31T14:02:00+23:59",
     "2025-01-31T14:02:00+24:00", "2025-01-31T14:02:00+05:30:15", "1899-12-31T23:59:59Z", "1900-01-01T00:00:00+14:00",
     "2199-12-31T23:59:59-12:00", "2200-01-01T00:00:00Z", "２０２５-01-31T14:02:00Z", "2025-01-31T14:02:00Z\n",
     "", 5, None]
)  # fmt: skip
FACTS = st.dictionaries(
    st.sampled_from(["a", "a_1", "x" * 64, "x" * 65, "", "A", "a\nb", "a\n", "é", "a\x00"]), TEXT | NUMBER, max_size=3
)
ODD_FACTS = st.sampled_from(
    [{f"f{n}": n for n in range(100)}, {f"f{n}": n for n in range(101)}, [], None, {"a": {}}, {"a": []}]
)
CURRENCY = st.sampled_from(["USD", "JPY", "usd", "XYZ", "", 5])
CODE = {"system": ID | st.just("http://a.b/c?d=e&f"), "value": ID, "more": ID}
BILLED = {"micros": NUMBER, "currency": CURRENCY, "more": NUMBER}
REFERENCES = (
    "billing_party", "rendering_party", "site", "visit", "admission", "claim", "line", "authorisation", "replaces",
)  # fmt: skip
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("source", "event_id", "member", "Member", *REFERENCES), ID),
    "kind": st.sampled_from(["charge", "hold", "reversal", "replacement", "stop", "x", 5]),
    "currency": CURRENCY, "started_at": TIME, "ended_at": TIME, "unit": TEXT | st.just("x" * 33), "tax_ppm": NUMBER,
    "code": st.fixed_dictionaries({}, optional=CODE) | ID,
    "billed": st.fixed_dictionaries({}, optional=BILLED) | NUMBER,
    "modifiers": st.lists(ID, max_size=3) | st.sampled_from([["m"] * 50, ["m"] * 51, None, "m", {}]),
    "diagnoses": st.lists(ID, max_size=3), "diagnosis_pointers": st.lists(NUMBER, max_size=3) | st.just([1] * 51),
    "quantity": st.sampled_from(["1", "0", "00", "007", "99999", "1000000", "1000001", "0.000001", "2.50", "1.0000001",
                                 "1e3", "-1", "+1", "", ".5", "5.", "٢", "²", " 1", "NaN", 2, 2.5, None]),
    "place_of_service": st.sampled_from(["", "11", "1", "111", "ab", "１１", "²²", 11, None]),
    "tax_category": TEXT | st.sampled_from(["x" * 64, "x" * 65]), "display": TEXT, "facts": FACTS | ODD_FACTS,
    "emergency": st.sampled_from([True, False, 0, 1, "true", None]), "essential": st.sampled_from([True, False, None]),
    "more": TEXT,
}  # fmt: skip
STYLES: list[dict[str, Any]] = [{}, {"separators": (",", ":")}, {"ensure_ascii": False}, {"indent": 1}]
PIECES = [
    b'"member":"bob",', b'"\\u006dember":"bob",', b'"system":"x",', b'"site":"",', b'"a":1,', b"{", b"}", b"[", b"]",
    b",", b":", b'"', b"\\", b"\\u0000", b"\\ud83d", b"\\ude00", b"\\/", b"\x00", b"\x01", b"\n", b" ", b"\t", b"\xff",
    b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc2\x85", b"\xe2\x80\xa8", b"NaN", b"-0", b"1.0", b"1e2", b"01", b"null", b"0",
    b"9" * 61, b"[" * 70,
]  # fmt: skip
COMMAS = st.sampled_from([b",", b",", b" ,\n", b",,", b"\n"])
ENDS = st.sampled_from([b"]", b"]", b"]\n", b"", b"]]"])


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """One event as JSON, with up to three strange fields and up to two strange places."""
    said = dict(draw(st.sampled_from([MINIMAL, FULL])))
    for name in draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=3)):
        said[name] = draw(VALUES[name])
    for name in draw(st.lists(st.sampled_from(sorted(said)), max_size=1)):
        del said[name]
    text = json.dumps(said, **draw(st.sampled_from(STYLES))).encode()
    for _ in range(draw(st.integers(0, 2))):
        marks = [at + 1 for at, mark in enumerate(text) if mark in b'{,:["']
        at = draw(st.sampled_from(marks) | st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + draw(st.sampled_from([0, 0, 0, 1, 5])) :]
    return text


def outcome(read: Callable[[], Any]) -> Any:
    """What came out, in every detail: an event with the types of its values, or all that its refusal says."""
    try:
        found = read()
    except InvalidMessage as problem:
        found = problem
    return [details(one) for one in found] if isinstance(found, list) else details(found)


def details(found: ServiceEvent | InvalidMessage) -> Any:
    if isinstance(found, InvalidMessage):
        return type(found), found.code, found.message, found.where, found.next_step
    return repr(found)


def strictly(read: Callable[[], Any]) -> Any:
    """The outcome without the quick reader."""
    with patch.multiple(
        document, quick_event=lambda _: None, quick_events=lambda _: None, array_elements=lambda _: None
    ), patch.object(document, "_one_by_one", lambda *_: None):  # fmt: skip
        return outcome(read)


@given(texts())
@settings(max_examples=500, deadline=None)
def test_one_event_reads_as_the_strict_reader_reads_it(text: bytes) -> None:
    assert outcome(lambda: read_event_bytes(text)) == strictly(lambda: read_event_bytes(text))


@given(
    st.lists(texts(), max_size=4),
    st.sampled_from([b",", b" ,\n", b",,", b"\n"]),
    st.sampled_from([b"]", b"]\n", b"", b"]]"]),
)
@settings(max_examples=150, deadline=None)
def test_an_array_reads_as_the_strict_reader_reads_it(elements: list[bytes], comma: bytes, end: bytes) -> None:
    text = b"[" + comma.join(elements) + end
    assert outcome(lambda: read_events_bytes(text)) == strictly(lambda: read_events_bytes(text))


@given(st.lists(texts(), max_size=4), st.sampled_from([b"\n", b"\r\n", b"\n\n \n"]))
@settings(max_examples=100, deadline=None)
def test_lines_read_as_the_strict_reader_reads_them(elements: list[bytes], end: bytes) -> None:
    text = end.join(elements)
    assert outcome(lambda: read_lines_bytes(text)) == strictly(lambda: read_lines_bytes(text))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("said", [MINIMAL, FULL, {**MINIMAL, "site": "", "modifiers": [], "unit": "each", "facts": {}}])
def test_a_faultless_event_is_read_quickly(said: dict[str, Any], style: dict[str, Any]) -> None:
    text = json.dumps(said, **style).encode()
    event = quick_event(text)
    assert event is not None
    assert write_event(event) == write_event(document.read_event(jsonsafe.loads(text)))
    assert quick_events(b"[" + text + b",\n" + text + b"]") == [event, event]


def doubled() -> list[bytes]:
    """The full event with each of its keys once more, as it is and in other characters, before and after."""
    text = json.dumps(FULL, separators=(",", ":")).encode()
    found = []
    for name, value in [*FULL.items(), ("system", "x"), ("micros", 1), ("category", "lab"), ("own", False)]:
        key = json.dumps(name).encode()
        at = text.index(key + b":")
        again = json.dumps(value).encode()
        otherwise_spelt = b'"\\u%04x%b' % (ord(name[0]), key[2:])
        found += [b"%b%b:%b,%b" % (text[:at], spelt, again, text[at:]) for spelt in (key, otherwise_spelt)]
    return found


@pytest.mark.parametrize("text", doubled())
def test_a_key_that_stands_twice_is_never_read(text: bytes) -> None:
    assert quick_event(text) is None
    assert quick_events(b"[%b]" % text) is None
    with pytest.raises(InvalidMessage) as caught:
        read_event_bytes(text, "here")
    assert caught.value.code == "duplicate_key"
    assert caught.value.where.startswith("here column ")


def test_one_faulty_element_does_not_make_the_others_slow() -> None:
    good, bad = json.dumps(MINIMAL), json.dumps({**MINIMAL, "member": ""})
    text = f"[{good}, {bad}, {good}]".encode()
    with patch.object(document, "_strictly", side_effect=AssertionError):
        first, refused, last = read_events_bytes(text, "a.json")
    assert isinstance(refused, InvalidMessage)
    assert (refused.code, refused.where) == ("invalid_id", "a.json $[1].member")
    assert isinstance(first, ServiceEvent)
    assert first == last


def test_a_document_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(MINIMAL).encode()
    monkeypatch.setattr(jsonsafe, "MAX_BYTES", len(text) - 1)
    monkeypatch.setattr(jsonsafe.loads, "__kwdefaults__", {"max_bytes": len(text) - 1})
    for read in (read_event_bytes, read_events_bytes):
        with pytest.raises(InvalidMessage) as caught:
            read(text)
        assert caught.value.code == "too_large"
