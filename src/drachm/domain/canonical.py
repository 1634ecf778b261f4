"""Which bytes stand for a document?

Identity of a plan, a price book or an event's content is the SHA-256 of its canonical JSON: sorted keys, UTF-8, no
spaces, no floats (RFC 8785 restricted to strings, integers, booleans, null, arrays and objects).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from drachm.domain.errors import InvalidMessage


def canonical_bytes(document: Any) -> bytes:
    """The canonical JSON bytes of `document`; `InvalidMessage` when it holds a float or another type JSON lacks."""
    _refuse_floats(document, "$")
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def content_hash(document: Any) -> str:
    """SHA-256 of the canonical bytes, in lower-case hexadecimal."""
    return hashlib.sha256(canonical_bytes(document)).hexdigest()


def _refuse_floats(value: Any, where: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidMessage("a key is not text", where=where, code="invalid_document")
            _refuse_floats(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse_floats(item, f"{where}[{index}]")
    elif value is not None and not isinstance(value, str | int):
        raise InvalidMessage(
            f"a {type(value).__name__} cannot stand in a hashed document",
            where=where,
            next_step="Write amounts as integers of micro-units and rates as parts per million.",
            code="invalid_document",
        )
