"""Which form has the body, and which form may the answer have?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from drachm.adapters.rest.transport.problems import Problem

JSON: Final = b"application/json"
NDJSON: Final = b"application/x-ndjson"


def require_media(fields: Mapping[bytes, bytes], allowed: Collection[bytes] = (JSON,)) -> bytes:
    """The body's media type without parameters; `unsupported_media_type` (415) unless it is one of `allowed`.

    A charset other than UTF-8 is refused too: JSON has no other (RFC 8259 section 8.1).
    """
    media, _, parameters = fields.get(b"content-type", b"").partition(b";")
    media = media.strip().lower()
    charset = parameters.lower().partition(b"charset=")[2].partition(b";")[0].strip().strip(b'"')
    if media in allowed and charset in (b"", b"utf-8"):
        return media
    shown = b", ".join(sorted(allowed))
    # RFC 9110 15.5.16: Accept in a 415 says what would have been taken.
    raise Problem("unsupported_media_type", f"Send {shown.decode()} in UTF-8.", headers=[(b"accept", shown)])


def require_acceptable(fields: Mapping[bytes, bytes], offered: bytes = JSON) -> None:
    """Raise `not_acceptable` (406) when Accept rules `offered` out; no Accept takes everything (RFC 9110 12.5.1)."""
    accept = fields.get(b"accept")
    if accept is None or accept in (offered, b"*/*"):
        return
    best: tuple[int, float] = (-1, 0.0)
    for part in accept.split(b","):
        name, *parameters = [piece.strip().lower() for piece in part.split(b";")]
        exactness = {b"*/*": 0, offered.partition(b"/")[0] + b"/*": 1, offered: 2}.get(name, -1)
        if exactness >= best[0]:
            best = max(best, (exactness, _quality(parameters)))
    if best[0] < 0 or best[1] <= 0:
        raise Problem("not_acceptable", f"The answer exists as {offered.decode()} only.")


def _quality(parameters: Collection[bytes]) -> float:
    for parameter in parameters:
        if parameter.startswith(b"q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 1.0
    return 1.0
