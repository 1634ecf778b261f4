"""Does whoever holds the link also know something that only the patient knows?

The answer (birth date, say, or a code sent to the patient) is kept only as a keyed hash. A try is taken from the
allowance before anything is compared, so that a thousand tries at the same moment are not a thousand guesses; and a
birth date has about thirty thousand values, so the allowance of one link ends for good.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.links import Link
from drachm.domain.errors import InvalidMessage

TRIES_IN_WINDOW = 5
WINDOW = timedelta(minutes=15)
TRIES_OF_LINK_VERSION = 10
ANSWER_LENGTH_MIN = 4
ANSWER_LENGTH_MAX = 100
SECRET_BYTES_MIN = 32


class Answers(Protocol):
    """What the right answer hashes to."""

    def digest(self, tenant: str, receipt: str) -> bytes | None:
        """None when this receipt has no second question: its services stay closed to links."""
        ...

    def put(self, tenant: str, receipt: str, digest: bytes, member: str = "") -> None:
        """Keep the answer's hash for a receipt; it takes the place of an earlier one.

        Named, the member whose receipt it is takes it along when erased.
        """
        ...


class Tries(Protocol):
    """How often somebody tried, shared by all processes of the service."""

    def take(self, tenant: str, receipt: str, version: int, at: datetime) -> bool:
        """Count one try and say whether it was still allowed: at most `TRIES_IN_WINDOW` within `WINDOW`, and
        `TRIES_OF_LINK_VERSION` for one version of the links. One step; counts every link to a receipt together."""
        ...

    def succeeded(self, tenant: str, receipt: str, version: int) -> None:
        """Forget the tries so far: the patient mistyped, and then knew."""
        ...


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """The second factor that compares with a kept hash."""

    secret: bytes = field(repr=False)
    answers: Answers
    tries: Tries

    def __post_init__(self) -> None:
        if len(self.secret) < SECRET_BYTES_MIN:
            raise InvalidMessage(f"a secret needs at least {SECRET_BYTES_MIN} random bytes", where="second factor")

    def agree(self, tenant: str, receipt: str, answer: str, member: str = "") -> None:
        """Keep what opens the services of a receipt from now on. Raises InvalidMessage for an answer soon guessed."""
        if sum(letter.isalnum() for letter in answer) < ANSWER_LENGTH_MIN or len(answer) > ANSWER_LENGTH_MAX:
            raise InvalidMessage(
                f"an answer has {ANSWER_LENGTH_MIN} to {ANSWER_LENGTH_MAX} letters or digits", where="second factor"
            )
        self.answers.put(tenant, receipt, answer_digest(self.secret, tenant, receipt, answer), member)

    def check(self, link: Link, answer: str, at: datetime) -> None:
        """Take a try, then compare in constant time. A receipt without a question answers like a wrong answer."""
        if not self.tries.take(link.tenant, link.receipt, link.version, at):
            raise Unauthenticated("second_factor_locked")
        kept = self.answers.digest(link.tenant, link.receipt)
        given = answer_digest(self.secret, link.tenant, link.receipt, answer[:ANSWER_LENGTH_MAX])
        same = hmac.compare_digest(given, kept if kept is not None else bytes(32))
        if kept is None or not same or len(answer) > ANSWER_LENGTH_MAX:
            raise Unauthenticated("second_factor_wrong")
        self.tries.succeeded(link.tenant, link.receipt, link.version)


def answer_digest(secret: bytes, tenant: str, receipt: str, answer: str) -> bytes:
    """What is kept of an answer; spaces, case and the width of digits do not matter, separators of a date neither."""
    plain = unicodedata.normalize("NFKC", answer).casefold()
    letters = "".join(letter for letter in plain if letter.isalnum())
    place = "\0".join(("drachm second factor", tenant, receipt, letters))
    return hmac.digest(secret, place.encode("utf-8", "replace"), hashlib.sha256)
