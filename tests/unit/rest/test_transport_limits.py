"""What one request may bring: sizes, gzip, media types, time, and what log lines may say."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
import zlib
from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.adapters.rest.service.shapes import read_shape
from drachm.adapters.rest.transport.limits import Deadlines, Intake
from drachm.adapters.rest.transport.logs import AccessLog, SafeFormatter
from drachm.adapters.rest.transport.media import require_acceptable, require_media
from drachm.adapters.rest.transport.problems import Problem
from drachm.domain.errors import DrachmError

CANARY = "Zofia-Canary-1941-HIV"


def take(
    pieces: list[bytes], fields: dict[bytes, bytes] | None = None, *, limit: int = 1_000_000, ratio: int = 100
) -> tuple[bytes, int]:
    """The body as the application sees it, and how many pieces were read."""
    read = 0

    async def receive() -> MutableMapping[str, Any]:
        nonlocal read
        read += 1
        if read > len(pieces):
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": pieces[read - 1], "more_body": read < len(pieces)}

    async def main() -> bytes:
        return await Intake(fields or {}, receive, limit, ratio).whole()

    try:
        return asyncio.run(main()), read
    except Problem as problem:
        problem.add_note(str(read))
        raise


def refused(code: str, *arguments: Any, **named: Any) -> int:
    with pytest.raises(Problem) as caught:
        take(*arguments, **named)
    assert caught.value.code == code
    assert caught.value.close
    return int(caught.value.__notes__[0])


PACKED = {b"content-encoding": b"gzip"}


@given(st.lists(st.binary(max_size=2_000), min_size=1, max_size=8))
def test_a_body_arrives_whole_plain_or_packed(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    assert take(pieces)[0] == body
    packed = gzip.compress(body)
    assert take([packed[i : i + 7] for i in range(0, len(packed), 7)], PACKED)[0] == body


def test_a_declared_size_over_the_limit_is_refused_before_anything_is_read() -> None:
    assert refused("too_large", [b"x"], {b"content-length": b"1000001"}) == 0


def test_a_body_that_grows_over_the_limit_is_refused_at_the_piece_that_does() -> None:
    assert refused("too_large", [b"x" * 400] * 100, limit=1_000) == 3


def test_a_packed_body_is_measured_unpacked() -> None:
    noise = os.urandom(50_000).hex().encode()
    assert take([gzip.compress(noise)], PACKED, limit=100_000)[0] == noise
    refused("too_large", [gzip.compress(noise + b"x")], PACKED, limit=100_000)


@pytest.mark.parametrize("size", [10_000_000, 100_000_000])
def test_a_bomb_is_refused_after_a_small_part(size: int) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()
    assert len(bomb) < size / 900
    refused("gzip_ratio", [bomb], PACKED, limit=1_000_000_000)
    refused("too_large", [bomb], PACKED, limit=1_000_000, ratio=10_000)


def test_small_bodies_may_pack_well() -> None:
    body = b'{"display": "' + b" " * 60_000 + b'"}'
    assert take([gzip.compress(body)], PACKED)[0] == body


WHOLE, OTHER = gzip.compress(b"whole", mtime=0), gzip.compress(b"b", mtime=0)


@pytest.mark.parametrize(
    "body",
    [
        b"not gzip at all", b"\x1f\x8b", WHOLE[:-1], WHOLE + OTHER, WHOLE + b"tail", WHOLE[:-8] + b"\0" * 8,
        zlib.compress(b"zlib, not gzip"), b"",
    ],
)  # fmt: skip
def test_a_broken_packing_is_refused(body: bytes) -> None:
    refused("malformed_gzip", [body], PACKED)


@pytest.mark.parametrize("coding", [b"br", b"deflate", b"gzip, gzip", b"x", b""])
def test_other_packings_are_refused(coding: bytes) -> None:
    assert refused("unsupported_content_encoding", [b"x"], {b"content-encoding": coding}) == 0


def test_a_caller_that_leaves_in_the_middle_is_noticed() -> None:
    async def main() -> bytes:
        messages = iter([{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> MutableMapping[str, Any]:
            return next(messages)

        return await Intake({}, receive, 100, 100).whole()

    with pytest.raises(Problem) as caught:
        asyncio.run(main())
    assert caught.value.code == "incomplete_body"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"), (b"{", "malformed_json"), (b"nul", "malformed_json"), (b"{} {}", "malformed_json"),
        (b"\xff", "not_utf8"), (b'"\\ud800"', "lone_surrogate"), (b'"\\u0000"', "nul_character"),
        (b'{"a":1,"a":2}', "duplicate_key"), (b"NaN", "not_a_number"), (b"-Infinity", "not_a_number"),
        (b"1" * 5_000, "number_too_long"), (b"1e999999", "number_too_long"), (b"[" * 10_000, "too_deep"),
        (b"[" * 65 + b"]" * 65, "too_deep"), (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too_deep"),
    ],
)  # fmt: skip
def test_what_is_not_one_safe_json_value_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(DrachmError) as caught:
        read_shape(body, Any)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("media", "good"),
    [
        (b"application/json", True), (b"Application/JSON; charset=UTF-8", True),
        (b'application/json;charset="utf-8"', True),
        (b"application/json; charset=latin-1", False), (b"text/json", False), (b"", False),
        (b"application/jsonx", False),
    ],
)  # fmt: skip
def test_media_types(media: bytes, good: bool) -> None:
    if good:
        assert require_media({b"content-type": media}) == b"application/json"
        return
    with pytest.raises(Problem) as caught:
        require_media({b"content-type": media})
    assert caught.value.code == "unsupported_media_type"
    assert dict(caught.value.headers) == {b"accept": b"application/json"}


@pytest.mark.parametrize(
    ("accept", "good"),
    [
        (None, True), (b"*/*", True), (b"application/json", True), (b"text/html, */*;q=0.1", True),
        (b"application/*", True), (b"APPLICATION/JSON;q=0.5", True), (b"application/json;q=0, */*", False),
        (b"text/html", False), (b"application/xml;q=1", False), (b"*/*;q=0", False), (b"", False),
        (b"application/json-patch+json", False), (b"*/*;q=0, application/json", True),
    ],
)  # fmt: skip
def test_accept(accept: bytes | None, good: bool) -> None:
    fields = {} if accept is None else {b"accept": accept}
    if good:
        require_acceptable(fields)
        return
    with pytest.raises(Problem) as caught:
        require_acceptable(fields)
    assert caught.value.code == "not_acceptable"


def test_work_that_takes_too_long_is_ended_and_told_apart_from_other_ends() -> None:
    async def main() -> tuple[list[str], int]:
        deadlines, said = Deadlines(0.1), []
        deadlines.start(asyncio.get_running_loop())

        async def work(seconds: float, name: str) -> None:
            task = asyncio.current_task()
            assert task is not None
            deadlines.running[task] = asyncio.get_running_loop().time()
            try:
                await asyncio.sleep(seconds)
                said.append(f"{name} done")
            except asyncio.CancelledError:
                said.append(f"{name} {'overdue' if deadlines.overdue(task) else 'cancelled'}")
            finally:
                deadlines.running.pop(task, None)

        slow, quick, other = (asyncio.create_task(work(*job)) for job in ((500, "slow"), (0, "quick"), (500, "other")))
        await asyncio.sleep(0)
        other.cancel()
        await asyncio.wait([slow, quick, other], timeout=200)
        deadlines.stop()
        return sorted(said), slow.cancelling()

    assert asyncio.run(main()) == (["other cancelled", "quick done", "slow overdue"], 0)


def test_an_access_line_is_json_with_nothing_of_the_request(tmp_path: Any) -> None:
    with (tmp_path / "log").open("wb") as file:
        log = AccessLog(file.fileno())
        log.start()
        log.line("req_1", "GET", "/v1/patients/{patient}", 200, 0.0123, 45, 'key "1"')
        log.stop()
    line = json.loads((tmp_path / "log").read_text())
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "request", "request_id": "req_1", "method": "GET", "route": "/v1/patients/{patient}", "status": 200,
        "ms": 12.3, "bytes": 45, "caller": 'key "1"',
    }  # fmt: skip


def test_a_reader_that_stops_reading_costs_lines_not_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drachm.adapters.rest.transport.logs.LINES_MAX", 10)
    reading, writing = os.pipe()
    log = AccessLog(writing)
    for _ in range(25):
        log.line("req_1", "GET", "/", 200, 0, 0, "")
    log.start()
    log.stop()
    lines = [json.loads(line) for line in os.read(reading, 65_536).splitlines()]
    os.close(reading)
    os.close(writing)
    assert len(lines) == 11
    assert lines[-1] == {"event": "log_lines_dropped", "count": 15}


def test_no_log_record_shows_what_an_exception_or_another_library_says() -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        caught = (ValueError, error, error.__traceback__)
    formatter = SafeFormatter()
    for name, message in (
        ("drachm.transport", "it broke"),
        ("psycopg.pool", f"insert of {CANARY} failed"),
        ("asyncio", f"Task exception was never retrieved\nfuture: <Task exception=ValueError({CANARY!r})>"),
    ):
        record = logging.LogRecord(name, logging.ERROR, "f.py", 1, message, (), caught)
        line = formatter.format(record)
        assert CANARY not in line
        assert json.loads(line)["error"] == "ValueError"
        assert "test_no_log_record" in json.loads(line)["at"][-1]
