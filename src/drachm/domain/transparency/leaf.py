"""Can anyone check?

Each journal row becomes one leaf of the log. Its canonical bytes hold ids, amounts and a salted commitment to the
event's content, so the log proves everything and tells nothing: erase the salt with the patient's data key and the
commitment can no longer be tried against guesses.

Layout (version 1), all integers big-endian: ``b"drachm-leaf-1\\n"``, tenant u32, event key 16 bytes, revision u16,
entry kind u8, outcome u8, posted_at i64 (microseconds since 1970 UTC), superseded key 16 bytes or zeros, superseded
revision u16, currency 3 bytes, entry count u8, per entry account i64, amount i64, source u8, then the commitment, 32
bytes. The leaf hash is SHA-256 over 0x00 and these bytes (RFC 9162 section 2.1.1).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

NO_KEY: Final = bytes(16)
_MAGIC: Final = b"drachm-leaf-1\n"
_HEAD: Final = ">14sI16sHBBq16sH3sB"
_ENTRY: Final = "qqB"


def commitment(salt: bytes, content: bytes) -> bytes:
    """SHA-256 over a 16-byte salt and the canonical bytes of an event's content."""
    return hashlib.sha256(salt + content).digest()


def leaf_bytes(
    tenant: int,
    key: bytes,
    revision: int,
    kind: int,
    outcome: int,
    posted_at: int,
    superseded_key: bytes,
    superseded_revision: int,
    currency: str,
    entries: Sequence[int],
    commitment: bytes,
) -> bytes:
    """The canonical bytes of a leaf, as laid out above.

    `posted_at` is microseconds since 1970 UTC; `entries` are of each entry account id, amount in micros and source, one
    after the other.
    """
    count = len(entries) // 3
    return _layout(count)(
        *(_MAGIC, tenant, key, revision, kind, outcome, posted_at, superseded_key, superseded_revision),
        currency.encode("ascii"),
        count,
        *entries,
        commitment,
    )


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 9162 2.1.1: the hash of a log entry is SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


@lru_cache(maxsize=64)
def _layout(entries: int) -> Callable[..., bytes]:
    return struct.Struct(_HEAD + _ENTRY * entries + "32s").pack


def event_key(tenant: int, source: str, event_id: str) -> bytes:
    """The 16 bytes that stand for (tenant, source, event id) for ever; half a character has a key as well."""
    return hashlib.sha256(f"{tenant}\x1f{source}\x1f{event_id}".encode(errors="surrogatepass")).digest()[:16]
