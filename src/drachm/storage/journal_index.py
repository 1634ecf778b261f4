"""Which journal rows concern whom, kept in PostgreSQL? How the index is kept up: `index_following.py`."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from drachm.application.follow import faces_of
from drachm.application.journal_index import Indexed, Looked, Waiting, Wanted
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.ledger.model import EntryKind
from drachm.storage.arrays import byteas, int8s, texts
from drachm.storage.index_following import Following
from drachm.storage.index_rows import indexed, status_number
from drachm.storage.postgres import PostgresBooks

_WANTED: Final[Mapping[Wanted, int]] = {"events": 0, "charges": 1, "receipts": 2}
_LAST: Final = 2**63 - 1
_FEW_DAYS: Final = 31
_OWN: Final = ("anybody", "own_parties", "own_members")


class PostgresIndex(Following):
    """The readers' index of one tenant (`journal_index.JournalIndex`). Safe to use from several threads."""

    def page(
        self,
        wanted: Wanted,
        *,
        parties: Collection[str] | None,
        members: Collection[str] | None,
        before: int = 0,
        limit: int = 100,
        member: str = "",
        party: str = "",
        visit: str = "",
        status: str = "",
        since: date | None = None,
        until: date | None = None,
    ) -> list[Indexed]:
        """Newest first, from before position `before` (0: from the newest). `parties` and `members` narrow to rows that
        concern any of either (both None: the whole tenant); the others narrow further.

        Events and charges stand where their first row stands, and show their newest; so a later answer moves nothing.
        """
        asked: dict[str, Any] = {"since": since, "until": until, "member": member, "party": party}
        if wanted == "events" and status == "pended" and not visit:
            return self.waiting(parties=parties, members=members, before=before, limit=limit, **asked)
        asked |= {"visit": _visit_bytes(visit) if visit else b"", "before": before or _LAST, "limit": limit}
        ways, days = _ways(parties, members, member, party), _days(since, until)
        if days and not member:
            ways |= {"all": False, "parties": texts([]), "members": texts([])}
        asked |= {"wanted": _WANTED[wanted], "status": status_number(status), **ways}
        asked["days"] = [] if member else days
        return [indexed(values) for values in self._read("page", **asked)]

    def waiting(
        self,
        *,
        parties: Collection[str] | None,
        members: Collection[str] | None,
        before: int = 0,
        limit: int = 100,
        member: str = "",
        party: str = "",
        provider: str = "",
        reason: str = "",
        since: date | None = None,
        until: date | None = None,
    ) -> list[Indexed]:
        """The events that wait, newest first, like a page of `events` of that status; by reason and provider too."""
        ways = _ways(parties, members, member, party)
        asked: dict[str, object] = {name: ways[name] for name in _OWN}
        asked |= {"since": since, "until": until, "member": member, "party": party, "visit": b""}
        asked |= {"provider": provider, "reason": reason, "before": before or _LAST, "limit": limit}
        return [indexed(values) for values in self._read("waiting", **asked)]

    def waiting_groups(
        self, *, parties: Collection[str] | None, members: Collection[str] | None, long_ago: datetime
    ) -> list[Waiting]:
        """All that waits, added up."""
        ways = _ways(parties, members, "", "")
        asked: dict[str, object] = {name: ways[name] for name in _OWN}
        found = self._read("waiting_groups", **asked, long_ago=long_ago)
        return [
            Waiting(reason, provider, frozenset(seen.split("\x1f")) - {""}, number, oldest, late)
            for reason, provider, seen, number, oldest, late in found
        ]

    def after(
        self, position: int, *, parties: Collection[str] | None, members: Collection[str] | None, limit: int = 100
    ) -> list[Indexed]:
        """Rows behind a position, oldest first: for streams and for machines that keep up."""
        ways = _ways(parties, members, "", "")
        asked = {name: ways[name] for name in ("all", "parties", "members")}
        return [indexed(values) for values in self._read("after", **asked, after=position, limit=limit)]

    def revised(self, after: int, until: int, limit: int) -> list[Indexed]:
        """Rows of charges in the place of an earlier row of the same charge, behind a position up to another, oldest
        first."""
        kind = int(EntryKind.REVISION)
        return [indexed(values) for values in self._read("revised", after=after, until=until, limit=limit, kind=kind)]

    def of_key(self, key: bytes) -> list[int]:
        """Positions of every revision of an event, oldest first; from the journal itself, so never late."""
        return self.of_keys([key]).get(key, [])

    def of_keys(self, keys: Collection[bytes]) -> dict[bytes, list[int]]:
        """The same of several events; one that is not here is left out."""
        found: dict[bytes, list[int]] = {}
        for key, position in self._read("positions_of_key", keys=byteas(list(dict.fromkeys(keys)))):
            found.setdefault(key, []).append(position)
        return found

    def documents(self, hashes: Collection[str]) -> dict[str, tuple[str, str]]:
        """Content hash -> (id, version) of published plans and price books, as far as they are here."""
        asked = self._read("document_names", hashes=texts(list(dict.fromkeys(hashes))))
        return {one: (name, version) for one, name, version in asked}

    def of_visit(
        self, visit: str, *, parties: Collection[str] | None, members: Collection[str] | None
    ) -> list[Indexed]:
        """Every row of a visit, oldest first."""
        return self.of_visits([visit], parties=parties, members=members)

    def of_visits(
        self,
        visits: Collection[str],
        *,
        parties: Collection[str] | None,
        members: Collection[str] | None,
        limit: int = 10_000,
    ) -> list[Indexed]:
        """The rows of some visits, oldest first; `limit` of them at most."""
        ways = _ways(parties, members, "", "")
        asked = {name: ways[name] for name in _OWN}
        asked["visits"] = byteas([_visit_bytes(visit) for visit in dict.fromkeys(visits)])
        asked["limit"] = limit
        return [indexed(values) for values in self._read("visits", **asked)]

    def open_holds(self, members: Collection[str], limit: int = 100) -> list[Indexed]:
        """Events of these members that hold something and were neither delivered nor ended."""
        return [indexed(values) for values in self._read("open_holds", members=texts(list(members)), limit=limit)]

    def posted_behind(self, members: Collection[str]) -> bool:
        """Whether anything of these members was posted that is not in the index yet."""
        patients = sorted({patient_number(self.tenant, one) for one in members})
        behind: bool = self._read("posted_behind", patients=int8s(patients))[0][0]
        return behind

    def look(self, positions: Collection[int]) -> list[Looked]:
        """The journal's rows at these positions, as far as there are any, in order; read afresh, so never late."""
        wanted = sorted({position for position in positions if 0 < position <= _LAST})
        if not wanted:
            return []
        # Each question has a connection of its own: opening bodies asks others, and who held one while waiting for the
        # next could wait for ever.
        found = self._read("rows_at", positions=int8s(wanted))
        opened = self._opened(self._read, found)
        faces = faces_of(opened, self._books, lambda before: self._before(self._read, before))
        heads = self._heads(self._read, [row.stored for row in opened])
        erased = [row.stored.position for row in opened if not row.stored.body]
        known = self._read("indexed_at", positions=int8s(erased)) if erased else []
        # Whom it concerned stands in the index, if it was here before the erasure.
        remembered = {row.position: row for row in map(indexed, known)}
        looked = []
        for values, row, face in zip(found, opened, faces, strict=True):
            if face is not None:
                by_position, by_key, by_kind = values[-3:]
                kind = EntryKind(by_kind) if by_kind is not None else None
                shown = remembered.get(values[0]) or self._shown(row.stored, face, heads[row.stored.key])
                looked.append(Looked(shown, row.stored, by_position or 0, by_key or b"", kind))
        return looked

    def followed(self) -> int:
        """Up to which position the index is whole."""
        with self._sessions.transaction("reader") as conn:
            return self._followed(conn)

    def lag(self) -> int:
        """How many journal positions the index is behind."""
        with self._sessions.transaction("reader") as conn:
            newest: int = self._ask(conn, "newest_position")[0][0]
            return max(0, newest - self._followed(conn))


def open_index(books: PostgresBooks, master_key: bytes) -> PostgresIndex:
    """The readers' index of open books; it shares their connections and closes with them."""
    secret = hmac.digest(master_key, b"drachm readers' index 1", sha256)
    return PostgresIndex(books, books.sessions, books.vault, books.lately, secret)


def _ways(
    parties: Collection[str] | None, members: Collection[str] | None, member: str, party: str
) -> dict[str, object]:
    """By which way rows are looked for: the narrowest word that was asked for, else all that the caller reaches."""
    whole = parties is None and members is None
    by_parties, by_members = list(parties or ()), list(members or ())
    if member:
        by_parties, by_members = [], [member]
    elif party:
        by_parties, by_members = [party], []
    return {
        "all": whole and not (member or party),
        "parties": texts(by_parties),
        "members": texts(by_members),
        "anybody": whole,
        "own_parties": texts(list(parties or ())),
        "own_members": texts(list(members or ())),
    }


def _days(since: date | None, until: date | None) -> list[date]:
    """The days of a short span: looked up one by one, however much there was before and after. Empty: of a long one."""
    if since is None or until is None or not 0 <= (until - since).days < _FEW_DAYS:
        return []
    return [since + timedelta(days=number) for number in range((until - since).days + 1)]


def _visit_bytes(visit: str) -> bytes:
    return bytes.fromhex(visit)
