"""Where is it kept that a call was made, and what it was answered?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from drachm.application.operations_log import CLAIM_SECONDS, KEEP_DAYS, Claimed, Kept
from drachm.application.ports import Ids
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.errors import ensure
from drachm.storage import queries
from drachm.storage.session import Connection, Sessions
from drachm.storage.vault import DataKey, Place, Vault

_SQL: Final = queries.load("operations")
_CLAIM_BYTES: Final = 16
_PAGE: Final = 500


class PostgresOperations:
    """`OperationsLog` in PostgreSQL, as long as the books it was opened with. Safe to use from several threads."""

    def __init__(
        self,
        tenant: int,
        sessions: Sessions,
        vault: Vault,
        own_key: DataKey,
        ids: Ids,
        *,
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        self._tenant = tenant
        self._sessions = sessions
        self._vault = vault
        self._own = patient_number(tenant, "")
        self._own_key = own_key
        self._ids = ids
        self._claim_seconds = claim_seconds

    def begin(self, name: bytes, slot: bytes, content: bytes) -> Claimed:
        place = {"name": name, "slot": slot}
        claim = self._ids.random_bytes(_CLAIM_BYTES)
        # What stands in the way may be gone at the next look; then the place is free.
        for _ in range(3):
            with self._sessions.transaction("registrar") as conn:
                values = {"content": content, "claim": claim, "seconds": self._claim_seconds}
                if self._ask(conn, "claim", **place, **values):
                    return Claimed("new", claim)
                found = self._ask(conn, "slot", **place, patient=self._own)
            if found:
                return self._known(slot, content, *found[0])
        return Claimed("working")

    def finish(self, name: bytes, slot: bytes, claim: bytes, answer: bytes) -> None:
        sealed = self._vault.seal([(self._own_key, 0, slot, 0, answer)])[0]
        with self._sessions.transaction("registrar") as conn:
            self._ask(conn, "finish", name=name, slot=slot, answer=sealed)
            self._ask(conn, "sweep", days=KEEP_DAYS)

    def release(self, name: bytes, slot: bytes, claim: bytes) -> None:
        with self._sessions.transaction("registrar") as conn:
            self._ask(conn, "release", name=name, slot=slot, claim=claim)

    def replace(self, words: Collection[bytes], instead: bytes) -> int:
        after, number = (b"", b""), 0
        while True:
            with self._sessions.transaction("reader") as conn:
                page = self._ask(conn, "answers", patient=self._own, name=after[0], slot=after[1], limit=_PAGE)
            meant = []
            for name, slot, answer, wrapped in page:
                after = name, slot
                if any(word in self._open(slot, answer, wrapped) for word in words):
                    meant.append(after)
            for name, slot in meant:
                sealed = self._vault.seal([(self._own_key, 0, slot, 0, instead)])[0]
                with self._sessions.transaction("registrar") as conn:
                    self._ask(conn, "answer_anew", name=name, slot=slot, answer=sealed)
            number += len(meant)
            if len(page) < _PAGE:
                return number

    def of(self, name: bytes) -> list[Kept]:
        with self._sessions.transaction("reader") as conn:
            found = self._ask(conn, "of_name", name=name, patient=self._own)
        return [
            Kept(begun_at, done_at, b"" if answer is None else self._open(slot, answer, wrapped))
            for slot, begun_at, done_at, answer, wrapped in found
        ]

    def _known(self, slot: bytes, content: bytes, known: bytes, answer: bytes | None, wrapped: bytes) -> Claimed:
        if known != content:
            return Claimed("other")
        return Claimed("working") if answer is None else Claimed("done", answer=self._open(slot, answer, wrapped))

    def _open(self, slot: bytes, sealed: bytes, wrapped: bytes) -> bytes:
        # Journal rows have positions above 0 and records below: nothing else is at 0.
        answer = self._vault.open(self._own, wrapped, Place(0, slot, 0), sealed)
        ensure(answer != b"", "a kept answer was sealed under another key", where="operation")
        return answer

    def _ask(self, conn: Connection, query: str, **values: object) -> list[Any]:
        cursor = conn.execute(_SQL[query], {"tenant": self._tenant, **values}, binary=True)
        return cursor.fetchall() if cursor.description else []
