"""How does the readers' index follow the journal?

How no row is ever skipped. Positions are reserved before a row is written, and writers commit in any order: what is
there up to position P says nothing about what is still to come below P. So the follower reads the highest reserved
position P first, and then asks who is writing: whoever has reserved a position holds a lock on the sequence, and on the
journal, until the end of the transaction, and PostgreSQL lets go of locks only after a commit can be seen. When every
transaction that was writing then has ended, all rows up to P that will ever be are there, and the index goes on to P;
until then it stays where it was. New writers do not hold it up: they have positions above P. Hence what is indexed is
always a whole beginning of the journal, and a cursor into it neither loses nor doubles a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from drachm.application.follow import faces_of
from drachm.application.journal_index import Indexed
from drachm.application.ports import Books
from drachm.storage.arrays import byteas, int8s, texts
from drachm.storage.index_rows import KINDS, IndexRows, status_number
from drachm.storage.lately import Lately
from drachm.storage.session import Connection, Sessions
from drachm.storage.vault import Vault

_NUMBERS: Final = {kind: number for number, kind in enumerate(KINDS)}
_BETWEEN: Final = "\x1f"


class _Barrier(NamedTuple):
    """The index may go up to `position` once none of `writing` is at work any more."""

    position: int
    writing: frozenset[str]


class Following(IndexRows):
    """The writing half of the index."""

    def __init__(self, books: Books, sessions: Sessions, vault: Vault, lately: Lately, secret: bytes) -> None:
        super().__init__(books, sessions, vault, lately, secret)
        self._barrier: _Barrier | None = None
        self._seen = -1
        """The highest reserved position when nothing more was to index: while it stands, a look is one question."""

    def follow(self, limit: int = 1000) -> int:
        """Index up to `limit` journal rows that came since the last time; how many there were.

        0 as well while another follower is at work, and while somebody who is still writing may yet bring a row below.
        """
        with self._sessions.transaction("writer") as conn:
            reserved: int = self._ask(conn, "reserved")[0][0]
            if reserved == self._seen:
                return 0
            # What a crash takes with it is followed again: nobody waits for the disk.
            conn.execute("SET LOCAL synchronous_commit = off")
            if not self._ask(conn, "follow_alone")[0][0]:
                return 0
            after = self._followed(conn)
            until = self._whole_until(conn, after)
            count, whole = self._index(conn, after, until, limit) if until > after else (0, after)
        if whole >= reserved:
            self._seen = reserved
        return count

    def rebuild(self) -> int:
        """Forget everything and follow again from the first row, as one change; how many rows there are."""
        with self._sessions.transaction("writer") as conn:
            self._ask(conn, "follow_alone_at_last")
            # What is not whole yet follows later.
            until = self._followed(conn)
            for name in ("drop_rows", "drop_parties"):
                self._tell(conn, name)
            count, at = 0, 0
            while at < until:
                done, at = self._index(conn, at, until, 1000)
                count += done
        return count

    def _whole_until(self, conn: Connection, after: int) -> int:
        """Up to which position no row can come any more; the order of the two looks is what makes it true."""
        reserved: int = self._ask(conn, "reserved")[0][0]
        if reserved <= after:
            return after
        writing = frozenset(one for (one,) in self._ask(conn, "writing"))
        barrier, whole = self._barrier, after
        if barrier is not None and barrier.writing.isdisjoint(writing):
            whole, barrier = max(whole, barrier.position), None
        if not writing:
            whole, barrier = reserved, None
        elif barrier is None:
            barrier = _Barrier(reserved, writing)
        self._barrier = barrier
        return whole

    def _index(self, conn: Connection, after: int, until: int, limit: int) -> tuple[int, int]:
        """Index rows behind `after`; how many there were, and up to where the index is whole now."""
        ask = partial(self._ask, conn)
        opened = self._opened_between(ask, after, until, limit)
        faces = faces_of(opened, self._books, lambda before: self._before(ask, before))
        heads = self._heads(ask, [row.stored for row in opened])
        shown = [
            self._shown(row.stored, face, heads[row.stored.key])
            for row, face in zip(opened, faces, strict=True)
            if face is not None
        ]
        self._write(conn, shown)
        whole = opened[-1].stored.position if len(opened) == limit else until
        if opened:
            self._tell(conn, "set_followed", position=whole)
        for row, face in zip(opened, faces, strict=True):
            if row.said is not None and face is not None:
                row.said.day = face.day
        self._lately.keep(after, whole, opened)
        return len(opened), whole

    def _write(self, conn: Connection, shown: Sequence[Indexed]) -> None:
        if not shown:
            return
        joined = [_BETWEEN.join(sorted(one.parties)) for one in shown]
        days = [one.day.isoformat() for one in shown]
        positions, visits = [one.position for one in shown], [bytes.fromhex(one.visit) for one in shown]
        self._tell(
            conn,
            "add_rows",
            positions=int8s(positions),
            heads=int8s([one.first for one in shown]),
            revisions=int8s([one.revision for one in shown]),
            kinds=int8s([_NUMBERS[one.kind] for one in shown]),
            statuses=int8s([status_number(one.status) for one in shown]),
            days=texts(days),
            moments=texts([one.posted_at.isoformat() for one in shown]),
            keys=byteas([one.key for one in shown]),
            visits=byteas(visits),
            members=texts([one.member for one in shown]),
            providers=texts([one.provider for one in shown]),
            sources=texts([one.source for one in shown]),
            parties=texts(joined),
        )
        # Of several later rows of one event in one go the last counts: rows come in order.
        later = {one.first: at for at, one in enumerate(shown) if one.revision}
        concerned = [(party, one.position) for one in shown for party in one.parties]
        concerned += [(party, one.first) for one in shown if one.revision for party in one.parties]
        names, places = [party for party, _ in concerned], [position for _, position in concerned]
        self._tell(conn, "add_parties", parties=texts(names), positions=int8s(places))
        if later:
            newest = list(later.values())
            self._tell(
                conn,
                "move_heads",
                heads=int8s(list(later)),
                positions=int8s([positions[at] for at in newest]),
                statuses=int8s([status_number(shown[at].status) for at in newest]),
                days=texts([days[at] for at in newest]),
                visits=byteas([visits[at] for at in newest]),
                parties=texts([joined[at] for at in newest]),
            )
