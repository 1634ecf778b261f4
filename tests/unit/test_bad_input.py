"""Bad events: each a clear refusal that names the place; the rest of the file goes on; nothing is half read.

One table a door. Every case puts one fault beside good neighbours and says which code the refusal has, what its place
must contain, and (checked for all) that the neighbours are read as if the fault were not there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drachm.adapters.eventjson import read_file
from drachm.domain.errors import DrachmError, InvalidMessage
from drachm.domain.events.model import ServiceEvent

# --- One line of NDJSON: faults of the text itself --------------------------------------------------------------------

EVENT: dict[str, Any] = {
    "source": "clinic", "event_id": "bad", "kind": "charge", "member": "ana", "currency": "USD",
    "code": {"system": "HCPCS", "value": "G2012"}, "started_at": "2025-01-31T14:02:00Z",
    "billed": {"micros": 40_000_000, "currency": "USD"},
}  # fmt: skip
TEXT = json.dumps(EVENT).encode()


def with_text(old: bytes, new: bytes) -> bytes:
    assert old in TEXT
    return TEXT.replace(old, new)


LINES: list[tuple[str, bytes, str, str]] = [
    ("no-value", b"{", "malformed_json", "line 2 column 2"),
    ("not-json", b"member=ana", "malformed_json", "line 2 column 1"),
    ("cut-off", TEXT[:-20], "malformed_json", "line 2 column"),
    ("single-quotes", TEXT.replace(b'"', b"'"), "malformed_json", "line 2 column 2"),
    ("trailing-comma", TEXT[:-1] + b",}", "malformed_json", "line 2 column"),
    ("missing-comma", with_text(b'"charge", ', b'"charge" '), "malformed_json", "line 2 column"),
    ("missing-colon", with_text(b'"kind":', b'"kind"'), "malformed_json", "line 2 column"),
    ("two-values", TEXT + TEXT, "malformed_json", "line 2 column"),
    ("comment", b"// charge", "malformed_json", "line 2 column 1"),
    ("leading-zero", with_text(b"40000000", b"040000000"), "malformed_json", "$.billed"),
    ("plus-sign", with_text(b"40000000", b"+40000000"), "malformed_json", "$.billed.micros"),
    ("hexadecimal", with_text(b"40000000", b"0x2"), "malformed_json", "$.billed"),
    ("raw-control-character", with_text(b"ana", b"a\x01a"), "malformed_json", "$.member"),
    ("bad-escape", with_text(b"ana", b"a\\qa"), "malformed_json", "$.member"),
    ("raw-nul", with_text(b"ana", b"a\x00a"), "nul_character", "$.member"),
    ("escaped-nul", with_text(b"ana", b"a\\u0000a"), "nul_character", "$.member"),
    ("nul-between", with_text(b'"kind"', b'\x00"kind"'), "nul_character", "line 2 column"),
    ("nul-alone", b"\x00", "nul_character", "line 2 column 1"),
    ("lone-high-surrogate", with_text(b"ana", b"\\ud83d"), "lone_surrogate", "$.member"),
    ("lone-low-surrogate", with_text(b"ana", b"\\ude00"), "lone_surrogate", "$.member"),
    ("not-utf8", with_text(b"ana", b"an\xff"), "not_utf8", "line 2"),
    ("utf8-surrogate", with_text(b"ana", b"\xed\xa0\x80"), "not_utf8", "line 2"),
    ("latin-1", with_text(b"ana", "añá".encode("latin-1")), "not_utf8", "line 2"),
    ("duplicate-key", TEXT[:-1] + b', "member": "bob"}', "duplicate_key", "line 2 column"),
    ("duplicate-inner-key", with_text(b'"micros":', b'"micros": 1, "micros":'), "duplicate_key", "$.billed"),
    ("duplicate-by-escape", TEXT[:-1] + b', "\\u006dember": "bob"}', "duplicate_key", "line 2 column"),
    ("nan", with_text(b"40000000", b"NaN"), "not_a_number", "$.billed.micros"),
    ("infinity", with_text(b"40000000", b"Infinity"), "not_a_number", "$.billed.micros"),
    ("minus-infinity", with_text(b"40000000", b"-Infinity"), "not_a_number", "$.billed.micros"),
    ("5000-digits", with_text(b"40000000", b"9" * 5_000), "number_too_long", "$.billed.micros"),
    ("5000-decimals", with_text(b"40000000", b"0." + b"3" * 5_000), "number_too_long", "$.billed.micros"),
    ("giant-exponent", with_text(b"40000000", b"1e999999999"), "number_too_long", "$.billed.micros"),
    ("tiny-exponent", with_text(b"40000000", b"1e-999999999"), "number_too_long", "$.billed.micros"),
    ("deep-nesting", with_text(b'"ana"', b"[" * 5_000 + b"]" * 5_000), "too_deep", "$.member"),
    ("deep-and-open", b"[" * 100_000, "too_deep", "line 2 column"),
    ("wrong-top-level-array", b"[" + TEXT + b"]", "wrong_type", "line 2 $"),
    ("wrong-top-level-text", b'"charge"', "wrong_type", "line 2 $"),
    ("wrong-top-level-null", b"null", "wrong_type", "line 2 $"),
]


@pytest.mark.parametrize(("line", "code", "place"), [pytest.param(*case[1:], id=case[0]) for case in LINES])
def test_a_faulty_line(tmp_path: Path, line: bytes, code: str, place: str) -> None:
    good = [json.dumps({**EVENT, "event_id": name}).encode() for name in ("before", "after")]
    (tmp_path / "a.ndjson").write_bytes(b"\n".join([good[0], line, good[1]]))
    before, refused, after = read_file(tmp_path / "a.ndjson")
    assert_refusal(refused, code, place)
    assert isinstance(before, ServiceEvent)
    assert isinstance(after, ServiceEvent)


# --- One object of an array: faults of the event ----------------------------------------------------------------------

FIELDS: list[tuple[str, dict[str, Any], str, str]] = [
    ("missing-member", {"member": None}, "missing_field", ".member"),
    ("missing-source", {"source": None}, "missing_field", ".source"),
    ("missing-event-id", {"event_id": None}, "missing_field", ".event_id"),
    ("missing-kind", {"kind": None}, "missing_field", ".kind"),
    ("missing-code", {"code": None}, "missing_field", ".code"),
    ("missing-code-value", {"code": {"system": "HCPCS"}}, "missing_field", ".code.value"),
    ("missing-currency", {"currency": None}, "missing_field", ".currency"),
    ("start-offset-unknown", {"started_at": "2025-01-31T14:02:00-00:00"}, "invalid_time", ".started_at"),
    ("display-turned-round", {"display": "Visit \u202e 04.7 DSU"}, "invalid_text", ".display"),
    ("missing-start", {"started_at": None}, "missing_field", ".started_at"),
    ("missing-micros", {"billed": {"currency": "USD"}}, "missing_field", ".billed.micros"),
    ("unknown-key", {"amount": 5}, "unknown_field", ".amount"),
    ("unknown-inner-key", {"billed": {"micros": 1, "currency": "USD", "cents": 1}}, "unknown_field", ".billed.cents"),
    ("misspelt-key", {"Member": "ana"}, "unknown_field", ".Member"),
    ("member-number", {"member": 7}, "wrong_type", ".member"),
    ("member-empty", {"member": ""}, "invalid_id", ".member"),
    ("member-spaces", {"member": "ana maria"}, "invalid_id", ".member"),
    ("member-long", {"member": "a" * 201}, "invalid_text", ".member"),
    ("member-not-ascii", {"member": "añá"}, "invalid_id", ".member"),
    ("event-id-newline", {"event_id": "a\nb"}, "invalid_text", ".event_id"),
    ("code-as-text", {"code": "G2012"}, "wrong_type", ".code"),
    ("code-system-empty", {"code": {"system": "", "value": "1"}}, "invalid_id", ".code.system"),
    ("kind-unknown", {"kind": "refund"}, "invalid_kind", ".kind"),
    ("kind-list", {"kind": ["charge"]}, "invalid_kind", ".kind"),
    ("currency-unknown", {"currency": "USX"}, "unknown_currency", ".currency"),
    ("currency-small", {"currency": "usd"}, "unknown_currency", ".currency"),
    ("currency-number", {"currency": 840}, "wrong_type", ".currency"),
    ("amount-number", {"billed": 40}, "wrong_type", ".billed"),
    ("amount-decimal", {"billed": {"micros": 40.5, "currency": "USD"}}, "wrong_type", ".billed.micros"),
    ("amount-text", {"billed": {"micros": "40", "currency": "USD"}}, "wrong_type", ".billed.micros"),
    ("amount-flag", {"billed": {"micros": True, "currency": "USD"}}, "wrong_type", ".billed.micros"),
    ("amount-negative", {"billed": {"micros": -1, "currency": "USD"}}, "out_of_range", ".billed.micros"),
    ("amount-too-large", {"billed": {"micros": 2**53, "currency": "USD"}}, "out_of_range", ".billed.micros"),
    ("amount-other-currency", {"billed": {"micros": 1, "currency": "EUR"}}, "currency_mismatch", ".billed.currency"),
    ("year-10000", {"started_at": "10000-01-31T14:02:00Z"}, "invalid_time", ".started_at"),
    ("year-0001", {"started_at": "0001-01-31T14:02:00Z"}, "invalid_time", ".started_at"),
    ("year-9999", {"started_at": "9999-12-31T23:59:59-12:00"}, "invalid_time", ".started_at"),
    ("february-30", {"started_at": "2025-02-30T14:02:00Z"}, "invalid_time", ".started_at"),
    ("hour-25", {"started_at": "2025-01-31T25:02:00Z"}, "invalid_time", ".started_at"),
    ("no-offset", {"started_at": "2025-01-31T14:02:00"}, "invalid_time", ".started_at"),
    ("week-date", {"started_at": "2025-W05-5T14:02:00Z"}, "invalid_time", ".started_at"),
    ("date-only", {"started_at": "2025-01-31"}, "invalid_time", ".started_at"),
    ("time-number", {"started_at": 1738332120}, "wrong_type", ".started_at"),
    ("full-width-digits", {"started_at": "２０２５-01-31T14:02:00Z"}, "invalid_time", ".started_at"),
    ("end-before-start", {"ended_at": "2025-01-31T14:01:59Z"}, "invalid_event", ".ended_at"),
    ("quantity-zero", {"quantity": "0"}, "invalid_quantity", ".quantity"),
    ("quantity-negative", {"quantity": "-1"}, "invalid_quantity", ".quantity"),
    ("quantity-absurd", {"quantity": "1000000.000001"}, "invalid_quantity", ".quantity"),
    ("quantity-exponent", {"quantity": "1e3"}, "invalid_quantity", ".quantity"),
    ("quantity-too-fine", {"quantity": "0.0000001"}, "invalid_quantity", ".quantity"),
    ("quantity-number", {"quantity": 2}, "wrong_type", ".quantity"),
    ("quantity-word", {"quantity": "two"}, "invalid_quantity", ".quantity"),
    ("quantity-nan", {"quantity": "NaN"}, "invalid_quantity", ".quantity"),
    ("quantity-other-digits", {"quantity": "٢"}, "invalid_quantity", ".quantity"),
    ("place-of-service", {"place_of_service": "1"}, "invalid_id", ".place_of_service"),
    ("tax-negative", {"tax_ppm": -1}, "out_of_range", ".tax_ppm"),
    ("flag-as-text", {"emergency": "yes"}, "wrong_type", ".emergency"),
    ("modifiers-text", {"modifiers": "25"}, "wrong_type", ".modifiers"),
    ("modifiers-many", {"modifiers": ["25"] * 51}, "too_many", ".modifiers"),
    ("diagnosis-empty", {"diagnoses": [""]}, "invalid_id", ".diagnoses[0]"),
    ("pointer-zero", {"diagnoses": ["I10"], "diagnosis_pointers": [0]}, "out_of_range", ".diagnosis_pointers[0]"),
    ("pointer-behind", {"diagnoses": ["I10"], "diagnosis_pointers": [1, 2]}, "invalid_event", ".diagnosis_pointers[1]"),
    ("display-long", {"display": "x" * 501}, "invalid_text", ".display"),
    ("fact-null", {"facts": {"category": None}}, "wrong_type", ".facts.category"),
    ("fact-decimal", {"facts": {"rate": 0.5}}, "wrong_type", ".facts.rate"),
    ("fact-list", {"facts": {"a": []}}, "wrong_type", ".facts.a"),
    ("fact-huge", {"facts": {"a": 2**53}}, "out_of_range", ".facts.a"),
    ("fact-name", {"facts": {"Visit Class": "AMB"}}, "invalid_id", ".facts.Visit Class"),
    ("facts-many", {"facts": {f"f{n}": 1 for n in range(101)}}, "too_many", ".facts"),
    ("reversal-of-nothing", {"kind": "reversal"}, "missing_field", ".replaces"),
    ("stop-of-nothing", {"kind": "stop"}, "missing_field", ".replaces"),
    ("charge-that-replaces", {"replaces": "v-0"}, "invalid_event", ".replaces"),
    ("hold-that-replaces", {"kind": "hold", "replaces": "v-0"}, "invalid_event", ".replaces"),
    ("replaces-itself", {"kind": "replacement", "replaces": "bad"}, "invalid_event", ".replaces"),
]


@pytest.mark.parametrize(("change", "code", "place"), [pytest.param(*case[1:], id=case[0]) for case in FIELDS])
def test_a_faulty_event(tmp_path: Path, change: dict[str, Any], code: str, place: str) -> None:
    bad = {key: value for key, value in {**EVENT, **change}.items() if value is not None}
    events = [{**EVENT, "event_id": "before"}, bad, {**EVENT, "event_id": "after"}]
    (tmp_path / "a.json").write_text(json.dumps(events, ensure_ascii=False), encoding="utf-8")
    before, refused, after = read_file(tmp_path / "a.json")
    assert_refusal(refused, code, f"a.json $[1]{place}")
    assert isinstance(before, ServiceEvent)
    assert isinstance(after, ServiceEvent)


def test_every_case_has_a_name_of_its_own() -> None:
    for table in (LINES, FIELDS):
        assert len({case[0] for case in table}) == len(table)


def assert_refusal(problem: Any, code: str, place: str) -> None:
    assert isinstance(problem, DrachmError), problem
    assert isinstance(problem, InvalidMessage)
    assert (problem.code, place in problem.where) == (code, True), (problem.code, problem.where, problem.message)
    assert problem.message
    assert problem.next_step
