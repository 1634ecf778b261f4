"""Where does the next page of a list begin, without letting callers make up places of their own?

A cursor is opaque text: where the page begins, until when the cursor holds, and an HMAC-SHA256 over both and over what
it belongs to (caller, route, filters). A cursor of another list, another filter or another tenant is refused, so it
can never widen what somebody sees. It is signed, not sealed: put identifiers and times into it, never a name.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from drachm.adapters.rest.transport.problems import Problem

MAC_BYTES: Final = 16
MAX_LENGTH: Final = 512
KEY_BYTES_MIN: Final = 32
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

Place = Sequence[str | int]


class Cursors:
    """Signs and reads cursors. The first key signs; the others are still believed, so keys can be rotated."""

    def __init__(self, keys: Sequence[bytes], now: Callable[[], float], *, seconds: int = 86_400) -> None:
        if not keys or any(len(key) < KEY_BYTES_MIN for key in keys):
            raise ValueError(f"cursors need keys of at least {KEY_BYTES_MIN} bytes")
        self._keys, self._now, self._seconds = tuple(keys), now, seconds

    def write(self, place: Place, *, caller: str, route: str, filters: Mapping[str, str]) -> str:
        """The cursor for the page that begins after `place`. `now` is in seconds since 1970."""
        payload = msgspec.json.encode([int(self._now()) + self._seconds, *place])
        mac = _mac(self._keys[0], payload, _context(caller, route, filters))
        return base64.urlsafe_b64encode(mac + payload).rstrip(b"=").decode()

    def read(self, cursor: str, *, caller: str, route: str, filters: Mapping[str, str]) -> list[str | int]:
        """The place inside a cursor of ours. Raises `invalid_cursor` or `expired_cursor`."""
        mac, payload = _unpacked(cursor)
        context = _context(caller, route, filters)
        # Every key is tried, so that the time taken does not tell which one signed.
        if sum([hmac.compare_digest(_mac(key, payload, context), mac) for key in self._keys]) != 1:
            raise Problem("invalid_cursor")
        until, *place = msgspec.json.decode(payload, type=list[str | int])
        if self._now() >= int(until):
            raise Problem("expired_cursor")
        return place


def read_limit(text: str | None, *, default: int = 20, most: int = 100) -> int:
    """How many rows a page has: the query's `limit`. Raises `bad_request` unless it is 1 to `most`."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= most):
        raise Problem("bad_request", f"limit is a whole number from 1 to {most}")
    return int(text)


def _unpacked(cursor: str) -> tuple[bytes, bytes]:
    if len(cursor) > MAX_LENGTH or not _SHAPE.fullmatch(cursor):
        raise Problem("invalid_cursor")
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except binascii.Error:
        raise Problem("invalid_cursor") from None
    # The last character may carry bits that mean nothing: only one text may stand for one cursor.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != cursor or len(raw) <= MAC_BYTES:
        raise Problem("invalid_cursor")
    return raw[:MAC_BYTES], raw[MAC_BYTES:]


def _mac(key: bytes, payload: bytes, context: bytes) -> bytes:
    return hmac.digest(key, b"drachm cursor 1\0" + sha256(context).digest() + payload, "sha256")[:MAC_BYTES]


def _context(caller: str, route: str, filters: Mapping[str, str]) -> bytes:
    # As JSON, so that no two different contexts have the same bytes.
    return msgspec.json.encode([caller, route, sorted(filters.items())])
