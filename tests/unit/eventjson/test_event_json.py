"""Our own JSON form says every event exactly, and reads nothing that is not said."""

from __future__ import annotations

import gzip
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from drachm.adapters import jsonsafe
from drachm.adapters.eventjson import read_event, read_file, write_event
from drachm.adapters.eventjson.read import KEYS
from drachm.domain.errors import DrachmError
from drachm.domain.events.model import Code, ServiceEvent

MINIMAL: dict[str, Any] = {
    "source": "clinic", "event_id": "v-1", "kind": "charge", "member": "ana", "currency": "USD",
    "code": {"system": "HCPCS", "value": "G2012"}, "started_at": "2025-01-31T14:02:00Z",
}  # fmt: skip

IDS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:#/|@+=~*^-]{0,30}\Z")
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40)
INSTANTS = st.integers(-(2 * 10**15), 7 * 10**15).map(
    lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)


@st.composite
def events(draw: st.DrawFn) -> ServiceEvent:
    event_id, start = draw(IDS), draw(INSTANTS)
    kind = draw(st.sampled_from(("charge", "reversal", "replacement", "hold", "stop")))
    diagnoses = tuple(draw(st.lists(IDS, max_size=5)))
    pointers = st.lists(st.integers(1, len(diagnoses)), max_size=4) if diagnoses else st.just([])
    refers = kind in ("reversal", "replacement", "stop")
    references = st.just("") | IDS
    return ServiceEvent(
        source=draw(IDS),
        event_id=event_id,
        kind=kind,  # type: ignore[arg-type]
        member=draw(IDS),
        code=Code(draw(st.sampled_from(("HCPCS", "local", "http://snomed.info/sct"))), draw(IDS)),
        currency=draw(st.sampled_from(("USD", "JPY", "KWD", "CNY"))),
        started_at=start,
        ended_at=draw(st.none() | st.integers(0, 10**12).map(lambda us: start + timedelta(microseconds=us % 10**10))),
        modifiers=tuple(draw(st.lists(IDS, max_size=4))),
        quantity=draw(st.integers(1, 10**12)),
        unit=draw(st.sampled_from(("each", "minute", "mL"))),
        billed=draw(st.none() | st.integers(0, 2**53 - 1)),
        billing_party=draw(references),
        rendering_party=draw(references),
        site=draw(references),
        place_of_service=draw(st.sampled_from(("", "02", "11"))),
        visit=draw(references),
        admission=draw(references),
        claim=draw(references),
        line=draw(references),
        authorisation=draw(references),
        tax_ppm=draw(st.integers(0, 1_000_000)),
        tax_category=draw(WORDS),
        diagnoses=diagnoses,
        diagnosis_pointers=tuple(draw(pointers)),
        replaces=draw(IDS.filter(lambda name: name != event_id)) if refers else "",
        emergency=draw(st.booleans()),
        essential=draw(st.booleans()),
        display=draw(WORDS),
        facts=draw(
            st.dictionaries(
                st.from_regex(r"\A[a-z][a-z0-9_]{0,20}\Z"),
                WORDS | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans(),
                max_size=5,
            )
        ),
    )


@given(events())
def test_what_we_write_we_read_back(event: ServiceEvent) -> None:
    data = json.dumps(write_event(event)).encode()
    again = read_event(jsonsafe.loads(data))
    assert again == event


def test_every_field_of_the_event_has_its_key() -> None:
    assert {field.name for field in fields(ServiceEvent)} == KEYS


def test_defaults_are_left_out() -> None:
    assert write_event(read_event(MINIMAL)) == MINIMAL


def test_instants_come_out_in_utc() -> None:
    event = read_event({**MINIMAL, "started_at": "2025-01-31T23:30:00.250000-05:00"})
    assert event.started_at == datetime(2025, 2, 1, 4, 30, 0, 250_000, tzinfo=UTC)
    assert write_event(event)["started_at"] == "2025-02-01T04:30:00.250000Z"


def test_quantities_are_exact() -> None:
    event = read_event({**MINIMAL, "quantity": "0.000001"})
    assert event.quantity == 1
    assert write_event(read_event({**MINIMAL, "quantity": "2.50"}))["quantity"] == "2.5"
    assert read_event({**MINIMAL, "quantity": "1000000"}).quantity == 10**12


def lines_of(path: Path) -> list[str]:
    return [found.where if isinstance(found, DrachmError) else found.event_id for found in read_file(path)]


def test_files_of_every_form(tmp_path: Path) -> None:
    second = {**MINIMAL, "event_id": "v-2"}
    made = {
        "one.json": json.dumps(MINIMAL).encode(),
        "two.json": json.dumps([MINIMAL, second]).encode(),
        "two.json.gz": gzip.compress(json.dumps([MINIMAL, second]).encode()),
        "two.ndjson": f"{json.dumps(MINIMAL)}\n\n{json.dumps(second)}\n".encode(),
        "two.ndjson.gz": gzip.compress(f"{json.dumps(MINIMAL)}\r\n{json.dumps(second)}".encode()),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
        assert lines_of(tmp_path / name) == (["v-1"] if name == "one.json" else ["v-1", "v-2"]), name


def test_a_faulty_event_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    good, second = json.dumps(MINIMAL), json.dumps({**MINIMAL, "event_id": "v-2"})
    twice = good[:-1] + ', "kind": "hold"}'
    (tmp_path / "a.json").write_text(f"[{good},\n{twice},\n{{}},\n{second}]")
    assert lines_of(tmp_path / "a.json") == [
        "v-1",
        f"a.json line 2 column {len(good) + 2} at $[1]",
        "a.json $[2].source",
        "v-2",
    ]
    (tmp_path / "b.ndjson").write_text(f"{good}\n{twice}\n[]\n{second}")
    assert lines_of(tmp_path / "b.ndjson")[0::3] == ["v-1", "v-2"]
    assert lines_of(tmp_path / "b.ndjson")[2] == "b.ndjson line 3 $"


def test_an_unclosed_file_is_one_refusal(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f"[{json.dumps(MINIMAL)}, {{")
    (found,) = read_file(tmp_path / "a.json")
    assert isinstance(found, DrachmError)
    assert found.code == "malformed_json"


def test_a_missing_file_is_one_refusal(tmp_path: Path) -> None:
    (found,) = read_file(tmp_path / "none.json")
    assert isinstance(found, DrachmError)
    assert found.code == "unreadable_file"
