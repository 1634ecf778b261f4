"""What can go wrong with a call, so that a program can act on it?

Everything is a `ClientError`. `Problem`: the service said no, one class per status. `Unknown`: nobody knows whether the
call took effect; `client.resolve(unknown)` finds out. `Unreachable`: the call could not be sent and had no effect.
`Unreadable`: an answer came that is none of this interface's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from drachm_client.exchange import Outgoing

T = TypeVar("T")


class Fault(msgspec.Struct, frozen=True):
    """One faulty place of a request."""

    pointer: str
    """JSON Pointer (RFC 6901) into the body."""
    code: str
    detail: str


class Document(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457) as it came."""

    code: str
    title: str = ""
    detail: str = ""
    next_step: str = ""
    request_id: str = ""
    retryable: bool = False
    errors: tuple[Fault, ...] = ()


class ClientError(Exception):
    """Root of everything this package raises."""


class Problem(ClientError):
    """The service said no. `code` is stable; `next_step` says what to do; name `request_id` when you ask about it."""

    def __init__(self, status: int, document: Document, retry_after: float = 0) -> None:
        self.status = status
        self.document = document
        self.code = document.code
        self.detail = document.detail
        self.next_step = document.next_step
        self.request_id = document.request_id
        self.retryable = document.retryable
        self.faults = document.errors
        self.retry_after = retry_after
        """Seconds that the service asks to wait; 0: it did not say."""
        super().__init__(f"{status} {document.code}: {document.detail} [{document.request_id}]")

    @property
    def pointers(self) -> tuple[str, ...]:
        """The faulty places of the body."""
        return tuple(fault.pointer for fault in self.faults)


class BadRequest(Problem):
    """400: the request cannot be read."""


class Unauthenticated(Problem):
    """401: the credential proves nothing."""


class Forbidden(Problem):
    """403: the caller may not do this."""


class NotFound(Problem):
    """404: nothing is here, or nothing that the caller may see."""


class Conflict(Problem):
    """409: it contradicts what is here already."""


class Changed(Problem):
    """412: the thing is not in the version that If-Match names."""


class TooLarge(Problem):
    """413: the body is larger than this address takes."""


class Invalid(Problem):
    """422: the request can be read, but not done."""


class VersionNeeded(Problem):
    """428: a change needs the ETag of the version that was read."""


class Busy(Problem):
    """429: too many calls or too much work, still so at the deadline; nothing was begun."""


class ServerFault(Problem):
    """500: their fault; whether it took effect is not known for a call without a key."""


class Unavailable(Problem):
    """503: not now, still so at the deadline."""


class Unknown(ClientError, Generic[T]):
    """The deadline passed, or the connection broke, after the call was sent: it may have taken effect.

    `key` is the Idempotency-Key, or the event id of a service event; empty for a call that has neither, which is not
    sent twice. `client.resolve(unknown)` finds out. Keep `key` where it survives this process.
    """

    def __init__(self, call: Outgoing[T], cause: str) -> None:
        self.call = call
        self.operation = call.spec.name
        self.key = call.key
        self.cause = cause
        known = f" with key {call.key}" if call.key else ""
        super().__init__(f"{call.spec.name}{known}: {cause}; whether it took effect is not known")


class Unreachable(ClientError):
    """No connection could be made before the deadline: the call had no effect."""


class Unreadable(ClientError):
    """The answer is none of this interface's: another server, or a proxy in between."""


BY_STATUS: Final[Mapping[int, type[Problem]]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Changed,
    413: TooLarge,
    422: Invalid,
    428: VersionNeeded,
    429: Busy,
    500: ServerFault,
    503: Unavailable,
}
