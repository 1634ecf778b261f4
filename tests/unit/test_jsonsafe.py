"""JSON is read strictly, exactly, and every refusal names its place."""

from __future__ import annotations

import gzip
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.adapters import jsonsafe
from drachm.domain.errors import InvalidMessage


def refusal(data: bytes, **limits: int) -> InvalidMessage:
    with pytest.raises(InvalidMessage) as refused:
        jsonsafe.loads(data, "doc", **limits)
    return refused.value


def test_numbers_are_exact() -> None:
    value = jsonsafe.loads(
        b'{"net": 28.104000000000003, "units": 2, "big": 900719925474099312345, "small": 1e-3, "zero": -0.0}'
    )
    assert value["net"] == Decimal("28.104000000000003")
    assert type(value["units"]) is int
    assert value["big"] == 900719925474099312345
    assert value["small"] == Decimal("0.001")
    assert not any(isinstance(number, float) for number in value.values())


def test_a_byte_order_mark_and_full_surrogate_pairs_are_tolerated() -> None:
    assert jsonsafe.loads(b'\xef\xbb\xbf["\\ud83d\\ude00", "\\\\u0000", "\\\\ud800"]') == ["😀", "\\u0000", "\\ud800"]


def test_place_has_line_column_and_path() -> None:
    problem = refusal(b'{"a": [\n  {"b": 1},\n  {"b": 1, "b": 2}]}')
    assert problem.code == "duplicate_key"
    assert problem.where == "doc line 3 column 12 at $.a[1]"
    assert problem.next_step


def test_depth_limit_is_exact() -> None:
    assert jsonsafe.loads(b"[" * 64 + b"]" * 64) is not None
    assert refusal(b"[" * 65 + b"]" * 65).code == "too_deep"
    assert refusal(b'{"a":' * 65 + b"1" + b"}" * 65).code == "too_deep"
    assert refusal(b"[" * 500_000).code == "too_deep"


def test_number_limit_is_exact() -> None:
    assert jsonsafe.loads(b"9" * 60) == int("9" * 60)
    assert refusal(b"9" * 61).code == "number_too_long"
    assert jsonsafe.loads(b"1e400") == Decimal("1e400")
    assert refusal(b"1e401").code == "number_too_long"


def test_size_limit() -> None:
    assert jsonsafe.loads(b"[1]", max_bytes=3) == [1]
    assert refusal(b"[1]", max_bytes=2).code == "too_large"


def test_elements_spares_the_good_ones() -> None:
    data = (
        b'{"kind": "Bundle", "entry": [{"a": "]},{"},\n {"b": NaN},\n'
        b' {"c": 1, "c": 2}, {"d": "\xff"}, {"e": 5}], "end": [1]}'
    )
    document, found = jsonsafe.elements(data, "doc", "entry")
    assert document == {"kind": "Bundle", "entry": [], "end": [1]}
    assert (found[0], found[4]) == ({"a": "]},{"}, {"e": 5})
    assert [problem.code for problem in found[1:4]] == ["not_a_number", "duplicate_key", "lone_surrogate"]
    assert found[1].where == "doc line 2 column 8 at $.entry[1].b"


def test_elements_of_an_outermost_array() -> None:
    document, found = jsonsafe.elements(b'[1, {"a": tru}, [3]]', "doc")
    assert document == []
    assert found[0] == 1
    assert found[1].where == "doc column 11 at $[1].a"
    assert found[2] == [3]


@pytest.mark.parametrize(
    "data",
    [
        b'{"entry": [{"a": 1}, {"b": ',
        b'{"entry": [{"a": 1]}',
        b'{"entry": {"a": 1}}',
        b'{"x": 1, "x": 2, "entry": [1]}',
        b"7",
    ],
)
def test_elements_trusts_nothing_when_brackets_or_the_rest_are_faulty(data: bytes) -> None:
    with pytest.raises(InvalidMessage):
        jsonsafe.elements(data, "doc", "entry")


def test_key_of_elements_counts_in_the_outermost_object_only() -> None:
    document, found = jsonsafe.elements(b'{"a": {"entry": [1]}, "b": "entry", "entry": [2]}', "doc", "entry")
    assert found == [2]
    assert document == {"a": {"entry": [1]}, "b": "entry", "entry": []}


def test_one_bad_line_is_one_refusal() -> None:
    stream = io.BytesIO(b'{"a": 1}\n\n{"a": \n' + b"x" * 5_000 + b'\n{"a": 2}')
    found = [
        line if isinstance(line, bytes) else line.code for _, line in jsonsafe.lines(stream, "f", max_line_bytes=100)
    ]
    assert found == [b'{"a": 1}\n', b'{"a": \n', "too_large", b'{"a": 2}']


def test_places_of_lines_count_empty_ones() -> None:
    places = [place for place, _ in jsonsafe.lines(io.BytesIO(b"\n1\n \n2"), "f")]
    assert places == ["f line 2", "f line 4"]


def test_packed_files_are_unpacked_within_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b"0" * 5_000_000))
    with jsonsafe.opened(path, "a") as stream, pytest.raises(InvalidMessage) as refused:
        jsonsafe.read_whole(stream, "a", max_bytes=1_000)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"[1, 2]" * 100, mtime=0)[:-12], b"\x1f\x8bnot gzip at all", None],
    ids=["cut short", "not gzip", "not there"],
)
def test_unreadable_files_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.json.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidMessage) as refused, jsonsafe.opened(path, "a") as stream:
        jsonsafe.read_whole(stream, "a")
    assert refused.value.code == "unreadable_file"


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_json_writes_we_read_back(value: Any, ascii_only: bool) -> None:
    assert jsonsafe.loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.lists(VALUES, max_size=5))
def test_elements_agrees_with_loads_on_good_documents(values: list[Any]) -> None:
    data = json.dumps({"x": [[]], "entry": values}).encode()
    assert jsonsafe.elements(data, "doc", "entry") == ({"x": [[]], "entry": []}, values)


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0d8 1eE.-+aNtrue\0', max_size=40).map(str.encode))
def test_nothing_but_our_refusal_is_ever_raised(data: bytes) -> None:
    if (problem := problem_of(data)) is None:
        assert json.loads(data.decode("utf-8-sig"), parse_float=Decimal) == jsonsafe.loads(data, "doc")
    else:
        assert problem.where.startswith("doc")
        assert problem.code != "malformed_json" or not strictly_json(data)


def problem_of(data: bytes) -> InvalidMessage | None:
    try:
        jsonsafe.loads(data, "doc")
    except InvalidMessage as problem:
        return problem
    return None


def strictly_json(data: bytes) -> bool:
    try:
        json.loads(data.decode("utf-8-sig"))
    except ValueError:
        return False
    return True
