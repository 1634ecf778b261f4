"""Has this intention been carried out before? (Idempotency-Key, draft-ietf-httpapi-idempotency-key-header-07)

The key belongs to one caller and one route. The same key with the same content gets the first answer again, marked;
with other content it is refused; while the first call is still working, the second is told to wait. A refusal that
promises "the same call may succeed later" is not kept, so the same key may try again: the use case behind it derives
its own natural key from this one, therefore a second run has no second effect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal, Protocol

from drachm.adapters import jsonsafe
from drachm.adapters.rest.transport.problem_table import kind_of
from drachm.adapters.rest.transport.problems import Answer, Problem, answer_of
from drachm.domain.errors import DrachmError, InvalidMessage

KEEP_SECONDS: Final = 90 * 86_400
NAME_BYTES: Final = 16
REPLAYED: Final = (b"idempotency-replayed", b"true")
_KEY: Final = re.compile(r'"([\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})', re.ASCII)
_NOT_KEPT: Final = frozenset((408, 429, 503))


@dataclass(frozen=True, slots=True)
class Begun:
    """What the store knows of a key: `new` (carry on), `working`, `other` content, or the `done` answer."""

    state: Literal["new", "working", "other", "done"]
    answer: Answer | None = None


class KeyStore(Protocol):
    """Keeps keys and answers. A database fulfils it in the transaction of the effect itself."""

    async def begin(self, slot: bytes, content: bytes) -> Begun:
        """Claim `slot` (hash of caller, route and key) for `content` (hash of the request); exactly one claim wins."""

    async def finish(self, slot: bytes, answer: Answer) -> None:
        """Keep the answer for at least `KEEP_SECONDS`."""

    async def release(self, slot: bytes) -> None:
        """Forget the claim: nothing was decided."""


class MemoryKeys:
    """Keys of one process, for tests and the sandbox. Claims of a process that died are gone with it."""

    def __init__(self, now: Callable[[], float], *, keep_seconds: float = KEEP_SECONDS, most: int = 100_000) -> None:
        self._now, self._keep, self._most = now, keep_seconds, most
        self._slots: dict[bytes, tuple[bytes, float, Answer | None]] = {}

    async def begin(self, slot: bytes, content: bytes) -> Begun:
        self._forget()
        known = self._slots.get(slot)
        if known is None:
            self._slots[slot] = (content, self._now(), None)
            return Begun("new")
        if known[0] != content:
            return Begun("other")
        return Begun("working") if known[2] is None else Begun("done", known[2])

    async def finish(self, slot: bytes, answer: Answer) -> None:
        content, _, _ = self._slots[slot]
        self._slots[slot] = (content, self._now(), answer)

    async def release(self, slot: bytes) -> None:
        self._slots.pop(slot, None)

    def _forget(self) -> None:
        # Oldest first. A claim that is still working is never forgotten for age.
        before = self._now() - self._keep
        for slot, (_, since, answer) in list(self._slots.items())[:8]:
            if answer is not None and (since < before or len(self._slots) > self._most):
                del self._slots[slot]


async def once(
    store: KeyStore,
    *,
    key: str | None,
    caller: str,
    route: str,
    body: bytes,
    act: Callable[[], Awaitable[Answer]],
    request_id: str = "",
) -> Answer:
    """Run `act` once per key and give its answer to every repetition.

    Raises `idempotency_key_missing`, `idempotency_key_invalid`, `idempotency_in_flight` (409, Retry-After) or
    `idempotency_key_reused` (422). Validate before: a request that cannot be read shall not use up its key. A final
    refusal of `act` is an answer too and is kept; anything else that it raises passes on and frees the key.
    """
    slot = slot_of(caller, route, read_key(key))
    begun = await store.begin(slot, content_hash(body))
    if begun.state == "other":
        raise Problem("idempotency_key_reused")
    if begun.state == "working":
        raise Problem("idempotency_in_flight", retry_after=1)
    if begun.answer is not None:
        return Answer(begun.answer.status, (*begun.answer.headers, REPLAYED), begun.answer.body)
    try:
        answer = await act()
    except BaseException as error:
        if not isinstance(error, DrachmError) or kind_of(error).retryable or kind_of(error).status >= 500:
            await store.release(slot)
            raise
        answer = answer_of(error, request_id)
    if answer.status in _NOT_KEPT:
        await store.release(slot)
    else:
        await store.finish(slot, answer)
    return answer


def name_of(caller: str, key: str) -> bytes:
    """16 bytes that stand for every call of this caller with this key."""
    return sha256(json.dumps([caller, key]).encode()).digest()[:NAME_BYTES]


def slot_of(caller: str, route: str, key: str) -> bytes:
    """What stands for one call: its `name_of`, and 16 bytes that the route goes into."""
    return name_of(caller, key) + sha256(json.dumps([caller, route, key]).encode()).digest()[:NAME_BYTES]


def read_key(field: str | None) -> str:
    """The key inside the field, with or without the quotes that the draft asks for."""
    if field is None:
        raise Problem("idempotency_key_missing")
    found = _KEY.fullmatch(field.strip())
    if found is None:
        raise Problem("idempotency_key_invalid")
    return found.group(1) or found.group(2)


def content_hash(body: bytes) -> bytes:
    """SHA-256 of what a body says: the order of keys and blanks does not make another request."""
    if not body:
        return sha256(b"").digest()
    try:
        value = jsonsafe.loads(body, "body")
    except InvalidMessage:
        return sha256(body).digest()
    # A Decimal is not an integer of the same value: it is told apart by its own text.
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=lambda number: ["decimal", str(number)])
    return sha256(text.encode()).digest()
