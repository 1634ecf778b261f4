"""Which events does this text or file hold, and what is wrong with the others?

Every text is first read in the quick way; what that does not accept is read strictly, and the strict reader's event or
refusal is the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from drachm.adapters import jsonsafe
from drachm.adapters.eventjson.quick import array_elements, quick_event, quick_events
from drachm.adapters.eventjson.read import read_event
from drachm.domain.errors import DrachmError, InvalidMessage
from drachm.domain.events.model import ServiceEvent

Read = ServiceEvent | InvalidMessage
"""An event, or why it is none."""


def read_event_bytes(data: bytes, where: str = "event") -> ServiceEvent:
    """The event of one JSON object (see docs/reference/event-json.md).

    Raises `InvalidMessage`: those of `jsonsafe.loads` for the text, those of `read_event` for what it says.
    """
    event = quick_event(data) if len(data) <= jsonsafe.MAX_BYTES else None
    return event if event is not None else read_event(jsonsafe.loads(data, where), f"{where} $")


def read_events_bytes(data: bytes, where: str = "events") -> list[Read]:
    """The events of an array, or of one object: for each its event or the `InvalidMessage` that refuses it.

    Raises `InvalidMessage` when the array itself cannot be read: nothing can be trusted then.
    """
    if len(data) <= jsonsafe.MAX_BYTES:
        quick = quick_events(data)
        if quick is not None:
            return [*quick]
        found = _one_by_one(data, where)
        if found is not None:
            return found
    return _strictly(data, where)


def read_lines_bytes(data: bytes, where: str = "events") -> list[Read]:
    """The events of NDJSON: for each line that is not empty its event or the `InvalidMessage` that refuses it."""
    return [_from_line(line, place) for place, line in jsonsafe.lines(BytesIO(data), where)]


def read_file(path: Path) -> Iterator[ServiceEvent | DrachmError]:
    """The events of a ``.json`` file (one object or an array) or an ``.ndjson`` file, either may be gzip.

    A faulty event, line or array element is yielded as the error that names its place, and the reading goes on.
    """
    where = path.name
    try:
        with jsonsafe.opened(path, where) as stream:
            if path.name.removesuffix(".gz").endswith((".ndjson", ".jsonl")):
                for place, line in jsonsafe.lines(stream, where):
                    yield _from_line(line, place)
            else:
                yield from read_events_bytes(jsonsafe.read_whole(stream, where), where)
    except InvalidMessage as problem:
        yield problem


def _from_line(line: bytes | InvalidMessage, place: str) -> Read:
    if isinstance(line, InvalidMessage):
        return line
    try:
        return read_event_bytes(line, place)
    except InvalidMessage as problem:
        return problem


def _one_by_one(data: bytes, where: str) -> list[Read] | None:
    """Only the elements that need it are read strictly; None when the text itself is faulty.

    The place of such a fault is counted from the beginning of the document.
    """
    elements = array_elements(data)
    if elements is None:
        event = quick_event(data)
        return None if event is None else [event]
    found: list[Read] = []
    for index, element in enumerate(elements):
        event = quick_event(element)
        if event is None:
            try:
                # As deep in brackets as it stands in the document.
                (value,) = jsonsafe.loads(b"[%b]" % element)
            except InvalidMessage:
                return None
            found.append(_from_value(value, f"{where} $[{index}]"))
        else:
            found.append(event)
    return found


def _strictly(data: bytes, where: str) -> list[Read]:
    try:
        document = jsonsafe.loads(data, where)
    except InvalidMessage as problem:
        if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            raise
        try:
            _, elements = jsonsafe.elements(data, where)
        except InvalidMessage:
            raise problem from None
    else:
        if not isinstance(document, list):
            return [_from_value(document, f"{where} $")]
        elements = document
    return [_from_value(value, f"{where} $[{index}]") for index, value in enumerate(elements)]


def _from_value(value: Any, place: str) -> Read:
    try:
        return value if isinstance(value, InvalidMessage) else read_event(value, place)
    except InvalidMessage as refused:
        return refused
