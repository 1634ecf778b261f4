"""Is this really JSON, and only one possible reading of it?

Every adapter reads JSON through this file. Stricter than the standard library: UTF-8 only (a leading byte-order mark is
tolerated), no duplicate keys, no NaN or Infinity, no NUL, no lone surrogates, bounded nesting, numbers and size. Whole
numbers become `int`, all others `Decimal`; a float is never made. Each refusal is an `InvalidMessage` that names line,
column and path. Its code is one of `malformed_json`, `not_utf8`, `nul_character`, `lone_surrogate`, `duplicate_key`,
`not_a_number`, `number_too_long`, `too_deep`, `too_large`, `unreadable_file`.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, cast

from drachm.adapters.jsonplace import MAX_DEPTH, MAX_DIGITS, check, element_spans, exact, fault, place
from drachm.domain.errors import InvalidMessage

MAX_BYTES: Final = 64 * 1024 * 1024
"""Largest document unless the caller says otherwise; the largest known patient record has 4 MB."""
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
"""Largest line of an NDJSON file."""

_SUSPECT: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_GZIP_MAGIC: Final = b"\x1f\x8b"


def loads(data: bytes, where: str = "document", *, max_bytes: int = MAX_BYTES) -> Any:
    """The one value that `data` holds. Raises `InvalidMessage`; `where` begins the place it names.

    >>> loads(b'{"net": 12.50, "units": 2}')
    {'net': Decimal('12.50'), 'units': 2}
    """
    _refuse_size(len(data), max_bytes, where)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        # Every byte becomes one character, so the place counts bytes.
        raise fault(
            "not_utf8", "the bytes are not UTF-8", place(data.decode("latin-1"), problem.start, where)
        ) from None
    return _value(text, where, 0, len(text), "$")


def elements(data: bytes, where: str, key: str = "", *, max_bytes: int = MAX_BYTES) -> tuple[Any, list[Any]]:
    """Read a faulty document element by element, so that one bad element does not take the others with it.

    The elements are those of the outermost array, or of the array under `key` of the outermost object. Returns the
    document with that array empty, and for each element its value or the `InvalidMessage` that refuses it. Raises
    `InvalidMessage` when the fault lies outside the elements or the brackets do not close: nothing can be trusted then.
    """
    _refuse_size(len(data), max_bytes, where)
    text = data.decode("utf-8-sig", "surrogateescape")
    spans = element_spans(text, key)
    if spans is None:
        loads(data, where, max_bytes=max_bytes)
        raise fault("malformed_json", f"there is no closed array {key!r}", where)
    first, last = spans[0][0], spans[-1][1]
    shell = text[:first] + text[last:]
    document = _value(shell, where, 0, len(shell), "$")
    root = f"$.{key}" if key else "$"
    if len(spans) == 1 and not text[first:last].strip():
        return document, []
    return document, [_element(text, where, start, end, f"{root}[{i}]") for i, (start, end) in enumerate(spans)]


def lines(
    stream: IO[bytes], where: str, *, max_line_bytes: int = MAX_LINE_BYTES
) -> Iterator[tuple[str, bytes | InvalidMessage]]:
    """The non-empty lines of an NDJSON stream with their places; a line over the limit is one refusal, then on."""
    number = 0
    while line := stream.readline(max_line_bytes + 1):
        number += 1
        here = f"{where} line {number}"
        if len(line) > max_line_bytes and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(max_line_bytes)
            yield here, fault("too_large", f"the line has more than {max_line_bytes} bytes", here)
        elif line.strip(b" \t\r\n\xef\xbb\xbf"):
            yield here, line


@contextmanager
def opened(path: Path, where: str) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked when it is gzip; a file that cannot be read raises `unreadable_file`."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _GZIP_MAGIC
            plain.seek(0)
            if packed:
                with gzip.open(plain, "rb") as unpacked:
                    yield cast(IO[bytes], unpacked)
            else:
                yield plain
    except (OSError, EOFError, zlib.error) as problem:
        why = getattr(problem, "strerror", None) or "what was packed is cut off or damaged"
        raise fault("unreadable_file", f"the file cannot be read: {why}", where) from None


def read_whole(stream: IO[bytes], where: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """All bytes of a stream, never more than `max_bytes`: a small packed file may hold a very large one."""
    data = stream.read(max_bytes + 1)
    _refuse_size(len(data), max_bytes, where)
    return data


def _refuse_size(size: int, max_bytes: int, where: str) -> None:
    if size > max_bytes:
        raise fault("too_large", f"the document has more than {max_bytes} bytes", where)


def _element(text: str, where: str, start: int, end: int, root: str) -> Any:
    try:
        return _value(text, where, start, end, root)
    except InvalidMessage as problem:
        return problem


def _value(text: str, where: str, start: int, end: int, root: str) -> Any:
    whole = start == 0 and end == len(text)
    piece = text if whole else text[start:end]
    try:
        value = _DECODER.decode(piece)
        # The fast reader counts neither depth nor bad characters; both are looked for without a call per value.
        if not (_too_deep(value) or _SUSPECT.search(piece) or (not whole and not _is_utf8(piece))):
            return value
    except (ValueError, RecursionError):
        value = None
    try:
        check(text, where, start=start, end=end, root=root)
    except RecursionError:
        raise fault("too_deep", f"there are more than {MAX_DEPTH} levels", f"{where} at {root}") from None
    if value is None and piece.strip() != "null":
        raise fault("malformed_json", "the text is not JSON", f"{where} at {root}")
    return value


def _is_utf8(piece: str) -> bool:
    try:
        piece.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        level = [
            item
            for holder in level
            for item in (holder.values() if type(holder) is dict else holder)
            if type(item) is dict or type(item) is list
        ]
    return bool(level)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError
    return int(text)


def _constant(text: str) -> None:
    raise ValueError(text)


# Every ValueError of these hooks sends the text to `check`, which names the place.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=exact, parse_constant=_constant
)
