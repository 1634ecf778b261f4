"""How is a journal row read for the readers' index, and what is written of it there?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from drachm.application.follow import Face, Opened, opened_body
from drachm.application.handed import Handed
from drachm.application.journal_index import Indexed
from drachm.application.ports import Books, Stored
from drachm.domain.clearing.model import STATUSES
from drachm.domain.errors import IntegrityError
from drachm.domain.ledger.model import EntryKind
from drachm.storage import queries
from drachm.storage.arrays import byteas, int8s
from drachm.storage.lately import Lately
from drachm.storage.rows import stored_of
from drachm.storage.session import Connection, Sessions
from drachm.storage.vault import Vault

KINDS: Final = ("", "charge", "reversal", "replacement", "hold", "stop", "top_up")
"""What the numbers in `journal_index.kind` mean."""

_SQL: Final = queries.load("journal_index")
_PLANNED_ANEW: Final = ("page", "waiting", "after", "visits")
_STORED: Final = 12
"""How many fields of a row `stored_of` takes."""

Ask = Callable[..., list[Any]]
"""Asks one statement with its values."""


class IndexRows:
    """What reading and writing the index share; `ask` says on which connection a question is asked."""

    def __init__(self, books: Books, sessions: Sessions, vault: Vault, lately: Lately, secret: bytes = b"") -> None:
        self.tenant = books.tenant
        self._books = books
        self._sessions = sessions
        self._vault = vault
        self._lately = lately
        self._secret = secret

    def _opened(self, ask: Ask, found: Sequence[Any]) -> list[Opened]:
        """Rows with their bodies. One that does not open counts as erased here; the audit names it."""
        rows = []
        for values in found:
            stored = self._stored(values)
            rows.append(Opened(stored, opened_body(stored), values[_STORED]))
        bare = [row.stored.position for row in rows if not row.stored.body]
        if not bare:
            return rows
        owners: dict[int, list[tuple[str, str]]] = {position: [] for position in bare}
        for position, kind, owner in ask("owners_at", positions=int8s(bare)):
            owners[position].append((kind, owner))
        return [row._replace(owners=owners.get(row.stored.position, ())) for row in rows]

    def _opened_between(self, ask: Ask, after: int, until: int, limit: int) -> list[Opened]:
        """The next rows behind `after`, `limit` and not beyond `until`: as their writer has just said them, where it
        did and where they still open, else opened."""
        if not self._lately.has_heard():
            return self._opened(ask, ask("rows_between", after=after, until=until, limit=limit))
        found = ask("bare_rows_between", after=after, until=until, limit=limit)
        heard = self._lately.heard(found[-1][0] if len(found) == limit else until)
        rows: list[Opened | None] = []
        for *bare, leaf, occurred_at, opens in found:
            said = heard.get(bare[0])
            # The leaf commits to all of the row: what was said of it is what stands there.
            rows.append(_said(bare, occurred_at, said) if said and opens and said.leaf == leaf else None)
        missing = [values[0] for values, row in zip(found, rows, strict=True) if row is None]
        anew = iter(self._opened(ask, ask("rows_at", positions=int8s(missing))) if missing else ())
        return [row if row is not None else next(anew) for row in rows]

    def _stored(self, values: Sequence[Any]) -> Stored:
        with suppress(IntegrityError):
            return stored_of(values[:_STORED], self._vault)
        # Under no key it reads as erased.
        *open_fields, _, patient, _ = values[:_STORED]
        return stored_of((*open_fields, b"\0", patient, None), self._vault)

    def _before(self, ask: Ask, positions: Sequence[int]) -> dict[int, Opened]:
        found = ask("rows_at", positions=int8s(positions))
        return {row.stored.position: row for row in self._opened(ask, found)}

    def _heads(self, ask: Ask, rows: Sequence[Stored]) -> dict[bytes, int]:
        """The position of the first row of each event."""
        heads = {row.key: row.position for row in rows if row.revision == 0}
        missing = list({row.key for row in rows} - heads.keys())
        if missing:
            for key, position in ask("positions_of_key", keys=byteas(missing)):
                heads.setdefault(key, position)
        return heads

    def _shown(self, stored: Stored, face: Face, first: int) -> Indexed:
        words = "\0".join((str(self.tenant), *face.visit)).encode(errors="surrogatepass")
        visit = blake2b(words, digest_size=16, key=self._secret).hexdigest()
        return Indexed(
            *(stored.position, stored.key, stored.revision, face.kind, stored.status, face.member, face.provider),
            *(face.parties, visit, face.source, face.day, stored.posted_at, first),
        )

    def _followed(self, conn: Connection) -> int:
        found = self._ask(conn, "followed")
        return int(found[0][0]) if found else 0

    def _read(self, query: str, **values: object) -> list[Any]:
        with self._sessions.transaction("reader") as conn:
            return self._ask(conn, query, **values)

    def _ask(self, conn: Connection, query: str, **values: object) -> list[Any]:
        # Lists are planned each time, for what they are narrowed to: one plan for all filters reads too much for each.
        prepare = False if query in _PLANNED_ANEW else None
        return conn.execute(_SQL[query], {"tenant": self.tenant, **values}, binary=True, prepare=prepare).fetchall()

    def _tell(self, conn: Connection, query: str, **values: object) -> None:
        conn.execute(_SQL[query], {"tenant": self.tenant, **values})


def _said(bare: Sequence[Any], occurred_at: datetime, said: Handed) -> Opened:
    position, key, revision, supersedes, kind, status, posted_at = bare
    before = int.from_bytes(supersedes, "big") if supersedes else None
    stored = Stored(
        *(position, key, revision, before, False, EntryKind(kind), STATUSES[status], posted_at, said.leaf, said.body)
    )
    return Opened(stored, opened_body(stored), occurred_at, (), said)


def indexed(values: Sequence[Any]) -> Indexed:
    """A row of the index, as the queries select it."""
    position, key, revision, kind, status, member, provider, parties, visit, source, day, posted_at, first = values
    return Indexed(
        *(position, key, revision, KINDS[kind], STATUSES[status], member, provider, frozenset(parties)),
        *(visit.hex(), source, day, posted_at, first),
    )


def status_number(status: str) -> int:
    """The number of a status; -1 for none."""
    return STATUSES.index(status) if status else -1
