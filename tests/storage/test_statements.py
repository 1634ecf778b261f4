"""Statements that are prepared once on a connection stay there, whatever the driver does beside them."""

from __future__ import annotations

from typing import Any

from drachm.domain.clearing.world import Needs
from drachm.storage.postgres import open_books
from drachm.storage.statements import Prepared

NOTHING = Needs(frozenset(), frozenset())


class Ids:
    @staticmethod
    def random_bytes(count: int) -> bytes:
        return bytes(count)


def test_an_undone_transaction_forgets_no_statement(database: str) -> None:
    """By itself the driver prepares what it has seen five times, and forgets everything after a rollback."""
    with open_books(database, 1, master_key=bytes(32), ids=Ids()) as books:
        with books.work() as work:
            work.lock(NOTHING, 1)
        conn: Any = books.sessions.begin("writer")
        assert isinstance(conn, Prepared)
        assert b"take_hold" in conn.known, "the one connection that there is"
        for number in range(12):
            conn.execute("SELECT %s::bigint", (number,))
        books.sessions.end("writer", conn)
        with books.work() as work:
            assert work.lock(NOTHING, 1).first_position > 0
