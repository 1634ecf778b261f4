"""What can go wrong, and what should the caller do next?

Three forms of "no": a denial the patient will read is a value (`Adjudication`); a "no" that ends the line is raised as
one of these classes and recorded as the event's outcome; an impossibility is an `IntegrityError` and stops posting.
Messages carry identifiers, never names, diagnoses or any other health data.
"""

from __future__ import annotations


class DrachmError(Exception):
    """Root of every error this product raises on purpose.

    `code` is stable and documented, `where` names the place (a path such as ``lines[3].allowed`` or an identifier),
    `next_step` says what the caller can do, `retryable` whether the same call may succeed later.
    """

    code = "error"
    retryable = False
    default_next_step = "Read the message; if it is unclear, ask with the code and the place."

    def __init__(self, message: str, *, where: str = "", next_step: str = "", code: str = "") -> None:
        self.message = message
        self.where = where
        self.next_step = next_step or self.default_next_step
        if code:
            self.code = code
        super().__init__(f"{where}: {message}" if where else message)


class InvalidMessage(DrachmError):
    """The input cannot be read as what it claims to be (HTTP 400, HL7 AE/AR, X12 999)."""

    code = "invalid_message"
    default_next_step = "Correct the named place and send the message again."


class Refused(DrachmError):
    """A rule says no to this event for ever, as it stands (HTTP 422). `code` is a word of `reasons`."""

    code = "refused"
    default_next_step = "Correct what the reason names and send it as a new event."

    def __init__(self, reason: str, message: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(message, where=where, next_step=next_step, code=reason)
        self.reason = reason


class Pended(DrachmError):
    """It cannot be decided yet (unknown code, member, currency): the event waits in a work queue and clears later."""

    code = "pended"
    default_next_step = "Supply what is missing; the event then clears under the same key as a new revision."

    def __init__(self, reason: str, message: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(message, where=where, next_step=next_step, code=reason)
        self.reason = reason


class Forbidden(DrachmError):
    """The caller may not do or see this (HTTP 403)."""

    code = "forbidden"
    default_next_step = "Ask the owner of the record for access."


class Conflict(DrachmError):
    """The same key with other content, or a stale version (HTTP 409)."""

    code = "conflict"
    default_next_step = "Read the first answer for this key; send changed content under a new key that replaces it."


class Unavailable(DrachmError):
    """Something we depend on (database, payer, rail) does not answer (HTTP 503)."""

    code = "unavailable"
    retryable = True
    default_next_step = "Try the same call again with the same key in a few seconds."


class IntegrityError(DrachmError):
    """Books, hashes or documents disagree: halt, tell the operator, never retry."""

    code = "integrity"
    default_next_step = "Stop posting and run `drachm audit`; it names the first row that disagrees."


def ensure(holds: bool, message: str, *, where: str = "") -> None:
    """Stop posting when an invariant is broken; stays on in production (unlike `assert`)."""
    if not holds:
        raise IntegrityError(message, where=where)
