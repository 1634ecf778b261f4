"""What does a caller read when the answer is no?

One table from codes and the tree of `domain/errors.py` to HTTP: every refusal, our own or a framework's, leaves as an
RFC 9457 problem document with a stable code. The texts of the table are fixed. What an error says on top is shown
after `scrubbed`: quoted values and names that are not fields of ours may be a patient's, so they never leave.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from drachm.adapters.rest.transport.problem_table import KINDS, OF_STATUS, Kind, kind_of
from drachm.domain.errors import DrachmError

MEDIA_TYPE: Final = b"application/problem+json"
MAX_DETAIL: Final = 300
MAX_FAULTS: Final = 100

Header = tuple[bytes, bytes]

# An apostrophe inside a word is no quote: "the patient's cover"; nor does it end one: 'O'Brien'.
_QUOTED: Final = re.compile(r"(?<!\w)[bru]{0,2}'.*?'(?!\w)|\"[^\"]*\"|«[^»]*»|“[^”]*”")
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_SEGMENT: Final = re.compile(r"\[(\d{1,6})\]|([^.\[\]]+)|\[[^\]]*\]?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One faulty place of a request."""

    pointer: str
    """JSON Pointer (RFC 6901) into the body; empty for the whole body."""
    code: str
    detail: str


class Problem(DrachmError):
    """A "no" of the transport itself, or several faults at once. `code` is a word of `problem_table.KINDS`."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        where: str = "",
        retry_after: int = 0,
        headers: Sequence[Header] = (),
        faults: Sequence[Fault] = (),
        close: bool = False,
    ) -> None:
        kind = KINDS[code]
        super().__init__(message or kind.text, where=where, next_step=kind.next_step, code=code)
        self.retryable = kind.retryable
        self.retry_after = retry_after
        """Seconds; 0: no Retry-After field."""
        self.headers = tuple(headers)
        self.faults = tuple(faults)
        self.close = close
        """End the connection after this answer: the rest of the request is not worth reading."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer as values."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


def answer_of(error: BaseException, request_id: str = "", *, fields: frozenset[str] | None = None) -> Answer:
    """The problem document for any error; whatever is not a `DrachmError` says nothing but `internal`.

    `fields` are the names that may stand in a pointer; without them every name in the form of our fields may.
    """
    if not isinstance(error, DrachmError):
        return problem_answer(KINDS["internal"], request_id)
    kind = kind_of(error)
    # What is hidden and what is not there must read alike, and a fault of ours says nothing of its inside.
    fixed = kind.status >= 500 or kind.status == 404
    message = kind.text if fixed else error.message
    own = error if isinstance(error, Problem) else None
    faults = own.faults if own else ()
    if not (faults or fixed) and (pointer := pointer_of(error.where, fields)):
        faults = (Fault(pointer, kind.code, message),)
    return problem_answer(
        kind,
        request_id,
        detail=message,
        next_step=kind.next_step if fixed else error.next_step,
        retry_after=own.retry_after if own else int(kind.status == 503),
        headers=own.headers if own else (),
        faults=faults,
        close=own is not None and own.close,
    )


def status_answer(status: int, request_id: str = "", headers: Iterable[Header] = ()) -> Answer:
    """The problem document for a refusal of the framework, known by its status alone (unknown route, wrong method)."""
    kind = KINDS[OF_STATUS.get(status, "internal" if status >= 500 else "bad_request")]
    kept = tuple((name, value) for name, value in headers if name.lower() in (b"allow", b"www-authenticate"))
    return problem_answer(kind, request_id, headers=kept)


def problem_answer(
    kind: Kind,
    request_id: str = "",
    *,
    detail: str = "",
    next_step: str = "",
    retry_after: int = 0,
    headers: Iterable[Header] = (),
    faults: Sequence[Fault] = (),
    close: bool = False,
) -> Answer:
    """One kind of problem as an answer; `detail` and `next_step` are scrubbed here, so no caller can forget it."""
    document: dict[str, object] = {
        "type": f"/problems/{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": _said(detail, kind.text),
        "code": kind.code,
        "retryable": kind.retryable,
        "next_step": _said(next_step, kind.next_step),
        "request_id": request_id,
    }
    if faults:
        document["errors"] = [
            {"pointer": fault.pointer, "code": fault.code, "detail": scrubbed(fault.detail)}
            for fault in faults[:MAX_FAULTS]
        ]
    fields = [(b"content-type", MEDIA_TYPE), *headers]
    if retry_after:
        fields.append((b"retry-after", b"%d" % retry_after))
    if close:
        fields.append((b"connection", b"close"))
    return Answer(kind.status, tuple(fields), msgspec.json.encode(document))


def scrubbed(text: str) -> str:
    """`text` without anything quoted (a value of the request may stand there), on one line, of bounded length.

    >>> scrubbed("unknown plan 'Ana Diaz, HIV'")
    'unknown plan (not shown)'
    """
    plain = " ".join(_QUOTED.sub("(not shown)", text).split())
    # An unpaired quote would have hidden its other half in what follows.
    plain = re.split(r"[\"«“]|(?<!\w)[bru]{0,2}'", plain)[0].rstrip()
    return plain if len(plain) <= MAX_DETAIL else plain[: MAX_DETAIL - 3] + "..."


def pointer_of(where: str, fields: frozenset[str] | None = None) -> str:
    """The JSON Pointer that the place of an error means; empty when it names no place inside a body.

    Only indexes and names of fields survive; any other key may be a person's name and becomes ``*``.

    >>> pointer_of("body column 7 at $.lines[3].allowed")
    '/lines/3/allowed'
    """
    if "$" in where:
        path = where.partition("$")[2]
    elif found := re.fullmatch(r"[A-Za-z_]\w*([.\[].*)", where):
        # The readers' own form: in "event.billed.micros" the first word names the document, in "lines[3]" a list.
        path = where if found.group(1)[0] == "[" else found.group(1)
    else:
        return ""
    parts = [index or (name if _is_field(name, fields) else "*") for index, name in _SEGMENT.findall(path)]
    return "".join(f"/{part}" for part in parts)


def page(code: str) -> str | None:
    """The help page that a problem's `type` opens, or None for a code that does not exist."""
    kind = KINDS.get(code)
    if kind is None:
        return None
    again = "The same call may succeed later." if kind.retryable else "The same call will be refused again."
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{code}</title><h1>{html.escape(kind.title)}</h1>'
        f"<p>Code <code>{code}</code>, HTTP status {kind.status}.</p><p>{html.escape(kind.text)}</p>"
        f"<p>{html.escape(kind.next_step)}</p><p>{again}</p></html>"
    )


def index() -> list[Mapping[str, object]]:
    """Every documented code, for the reference page and `GET /problems`."""
    return [
        {
            "code": kind.code,
            "status": kind.status,
            "title": kind.title,
            "text": kind.text,
            "next_step": kind.next_step,
            "retryable": kind.retryable,
        }
        for kind in KINDS.values()
    ]


def _said(text: str, ours: str) -> str:
    # The table's own words need no scrubbing: a busy service says no thousands of times a second.
    return ours if not text or text == ours else scrubbed(text) or ours


def _is_field(name: str, fields: frozenset[str] | None) -> bool:
    return name in fields if fields is not None else _FIELD.fullmatch(name) is not None
