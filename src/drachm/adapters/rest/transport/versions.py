"""Is the caller changing the thing it has read? (ETag, If-Match, If-None-Match: RFC 9110 section 13)"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from drachm.adapters.rest.transport.problems import Problem

_TAGS: Final = re.compile(r'\s*(?:(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*|$))+')
_TAG: Final = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
MAX_LENGTH: Final = 1_024


def etag(*version: object) -> str:
    """A strong entity tag for what makes a thing this version: its id with a revision, or the hash of a document."""
    return '"' + sha256("\0".join(map(str, version)).encode()).hexdigest()[:32] + '"'


def require_match(if_match: str | None, current: str | None, *, required: bool = True) -> None:
    """Let a change through only in the version that the caller has read.

    `current` is the thing's tag, None when it does not exist. Raises `precondition_required` (428), `invalid_if_match`
    (400) or `precondition_failed` (412).
    """
    if if_match is None:
        if required:
            raise Problem("precondition_required")
        return
    if if_match.strip() == "*":
        matches = current is not None
    else:
        # Strong comparison: a weak tag never matches (RFC 9110 13.1.1).
        matches = any(not weak and tag == current for weak, tag in _read(if_match))
    if not matches:
        raise Problem("precondition_failed", headers=[(b"etag", current.encode())] if current else ())


def unchanged(if_none_match: str | None, current: str) -> bool:
    """True when a reader has this version already and 304 is the whole answer; an unreadable field counts as absent."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    try:
        return any(tag == current for _, tag in _read(if_none_match))
    except Problem:
        return False


def _read(field: str) -> list[tuple[str, str]]:
    if len(field) > MAX_LENGTH or not _TAGS.fullmatch(field):
        raise Problem("invalid_if_match")
    return _TAG.findall(field)
