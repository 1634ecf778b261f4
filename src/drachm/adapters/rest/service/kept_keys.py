"""How do Idempotency-Keys outlive the process, and how does a caller ask what became of one?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import anyio
import msgspec
from anyio.to_thread import run_sync

from drachm.adapters import jsonsafe
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.shapes import View
from drachm.adapters.rest.transport.idempotency import NAME_BYTES, Begun, name_of, read_key
from drachm.adapters.rest.transport.problems import Answer, Problem, answer_of
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.operations_log import OperationsLog


class _Kept(msgspec.Struct, array_like=True):
    """An answer on its way into the log."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Kept).decode


class KeptKeys:
    """`transport.idempotency.KeyStore` over the log of one tenant, for one process.

    What is claimed here and never answered, because the process died, may be claimed again by anybody after
    `operations_log.CLAIM_SECONDS`; the natural key of the use case behind the call makes the second run harmless.
    """

    def __init__(self, log: Callable[[], OperationsLog]) -> None:
        self._log = log
        """Asked in a worker thread: it may have to open the tenant first."""
        self._claims: dict[bytes, bytes] = {}

    async def begin(self, slot: bytes, content: bytes) -> Begun:
        claimed = await run_sync(lambda: self._log().begin(*_parts(slot), content))
        if claimed.state == "new":
            self._claims[slot] = claimed.claim
        if claimed.state == "done":
            return Begun("done", _answer(claimed.answer))
        return Begun(claimed.state)

    async def finish(self, slot: bytes, answer: Answer) -> None:
        claim = self._claims.pop(slot, b"")
        kept = _encode(_Kept(answer.status, list(answer.headers), answer.body))
        # What was done is done: a caller who hung up does not keep its answer from being kept.
        with anyio.CancelScope(shield=True):
            await run_sync(lambda: self._log().finish(*_parts(slot), claim, kept))

    async def release(self, slot: bytes) -> None:
        claim = self._claims.pop(slot, b"")
        with anyio.CancelScope(shield=True):
            await run_sync(lambda: self._log().release(*_parts(slot), claim))


class OperationView(View):
    """What became of a call."""

    key: str
    state: str
    """`in_progress`, `done`; more words may come."""
    begun_at: str
    done_at: str | None
    status: int | None
    """HTTP status of its answer; null while it is worked on."""
    body: Any
    """The body of its answer; null while it is worked on, and for an answer without one."""


@operation("get_operation_by_key", answer=OperationView)
def get_operation_by_key(call: Call) -> OperationView:
    """The newest call that this caller made with the key. Others cannot ask for it, whatever their role."""
    call.reach()
    try:
        key = read_key(call.path["key"])
    except Problem:
        call.permit(None)  # No call was ever made with what is no key.
        raise
    found = call.market.operations.of(name_of(call.caller.subject, key))
    # Nobody but the caller finds it, so the caller is whom it is about.
    own = frozenset(tie.member for tie in call.caller.members)
    call.permit(call.resource(key, parties=call.caller.parties, members=own) if found else None)
    newest = found[-1]
    answer = _answer(newest.answer) if newest.answer else None
    return OperationView(
        key=key,
        state="done" if answer else "in_progress",
        begun_at=write_instant(newest.begun_at),
        done_at=_instant(newest.done_at),
        status=answer.status if answer else None,
        body=jsonsafe.loads(answer.body, "$") if answer and answer.body else None,
    )


def _parts(slot: bytes) -> tuple[bytes, bytes]:
    """Name and slot, as `idempotency.slot_of` put them together."""
    return slot[:NAME_BYTES], slot[NAME_BYTES:]


def gone() -> bytes:
    """What stands from now on in the place of an answer that told of somebody who was erased."""
    answer = answer_of(Problem("person_erased"))
    return _encode(_Kept(answer.status, list(answer.headers), answer.body))


def _answer(kept: bytes) -> Answer:
    answer = _decode(kept)
    return Answer(answer.status, tuple(answer.headers), answer.body)


def _instant(at: datetime | None) -> str | None:
    return None if at is None else write_instant(at)
