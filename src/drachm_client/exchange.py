"""What is sent, what came back, and when is it sent again? All of it without a socket or a clock.

`converse` is one call as a conversation: it says what to do next (send, wait) and is told what happened. The clients of
`client.py` and `async_client.py` do as it says, each in its own way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import msgspec

from drachm_client.errors import BY_STATUS, Document, Problem, Unknown, Unreachable, Unreadable

T = TypeVar("T")

FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 5.0
DEADLINE: Final = 30.0
LATER: Final = (429, 502, 503, 504)
"""Statuses that may be another a moment later."""
_LEAST: Final = 0.05
"""Seconds below which another attempt is not worth beginning."""
_NOTHING_BEGUN: Final = frozenset(("rate_limited", "busy", "draining", "not_ready", "too_many_connections"))
"""Refusals that promise that nothing was begun: any call may be sent again."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One operation of the interface."""

    name: str
    method: str
    path: str
    repeatable: bool = False
    """A second run has no second effect: by its key, by its event id, or because it changes nothing."""
    keyed: bool = False
    accept: str = "application/json"
    form: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing(Generic[T]):
    """One call, ready to be sent as often as needed."""

    spec: Spec
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    read: Callable[[Incoming], T]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A whole answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer. `sent`: the service may have read the request."""

    sent: bool
    cause: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send the call; give up after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so many seconds."""

    seconds: float


Step = Send | Wait
Conversation = Generator[Step, Incoming | Lost | None, Incoming]


def converse(
    call: Outgoing[Any], deadline: float, now: Callable[[], float], jitter: Callable[[], float]
) -> Conversation:
    """Send until there is an answer that counts, or `deadline` seconds have passed.

    `now` is a clock that never goes back, `jitter` gives numbers from 0 to 1. Raises `Unknown` or `Unreachable`.
    """
    end, wait = now() + deadline, FIRST_WAIT
    in_doubt = ""
    while True:
        found = yield Send(max(_LEAST, end - now()))
        assert found is not None
        if isinstance(found, Lost):
            in_doubt = in_doubt or (found.cause if found.sent else "")
            if in_doubt and not call.spec.repeatable:
                raise Unknown(call, in_doubt)
            pause, last = wait, found.cause
        elif not _again(call, found):
            return found
        else:
            pause, last = max(wait, retry_after(found)), ""
        pause *= 1 + jitter() / 2
        wait = min(wait * 2, LONGEST_WAIT)
        if now() + pause + _LEAST > end:
            if in_doubt and _changes(call):
                raise Unknown(call, in_doubt)
            if isinstance(found, Incoming):
                return found
            raise Unknown(call, last) if found.sent and _changes(call) else Unreachable(f"{call.spec.name}: {last}")
        yield Wait(pause)


def result(call: Outgoing[T], answer: Incoming) -> T:
    """What the answer says. Raises the `Problem` that it is, or `Unreadable`."""
    if answer.status < 400:
        return call.read(answer)
    problem = problem_of(answer)
    if answer.status >= 500 and _changes(call) and problem.code not in _NOTHING_BEGUN:
        # A fault in the middle: what was begun may have been done.
        raise Unknown(call, f"{answer.status} {problem.code}") from problem
    raise problem


def problem_of(answer: Incoming) -> Problem:
    """The exception for an answer of 400 and above."""
    try:
        document = msgspec.json.decode(answer.content, type=Document)
    except msgspec.MsgspecError:
        request_id = answer.headers.get("request-id", "")
        document = Document(
            code="not_a_problem_document", detail="something in between answered", request_id=request_id
        )
    kind = BY_STATUS.get(answer.status, Problem)
    return kind(answer.status, document, retry_after(answer))


def retry_after(answer: Incoming) -> float:
    """Seconds that the answer asks to wait; 0: it does not say."""
    try:
        seconds = float(answer.headers.get("retry-after", "0"))
    except ValueError:
        return 0
    return min(max(seconds, 0), 3600) if math.isfinite(seconds) else 0


def reader(kind: type[T]) -> Callable[[Incoming], T]:
    """Reads a JSON answer as one of the models."""

    def read(answer: Incoming) -> T:
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.MsgspecError as error:
            raise Unreadable(f"the answer ({answer.status}) cannot be read: {error}") from None

    return read


def fill(path: str, values: Mapping[str, str]) -> str:
    """A path with its parameters; whatever they hold stays one piece of the path."""
    for name, value in values.items():
        if value in ("", ".", ".."):
            raise ValueError(f"{name} is empty, or would change the path")
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def _again(call: Outgoing[Any], answer: Incoming) -> bool:
    if answer.status == 409 and call.spec.keyed:
        return problem_of(answer).code == "idempotency_in_flight"
    if answer.status not in LATER:
        return False
    return call.spec.repeatable or answer.status == 429 or problem_of(answer).code in _NOTHING_BEGUN


def _changes(call: Outgoing[Any]) -> bool:
    return call.spec.method != "GET"
