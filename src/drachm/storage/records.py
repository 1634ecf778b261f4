"""Where does a tenant keep what is not in its books?

Each version is a row of its own, its body sealed: under the member's data key when the record concerns exactly one
member, so that `Books.erase` erases it, else under the tenant's own. What was erased is not here any more. Parties,
members and terms are found by keyed hashes of them, looked up by equality alone (migrations/0002_service.sql).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from drachm.application.ports import Raced
from drachm.application.records import Record
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.errors import IntegrityError, Unavailable
from drachm.storage import queries
from drachm.storage.arrays import byteas, int8s, texts
from drachm.storage.enrolment import Enrolment
from drachm.storage.record_form import Written, erased_meanwhile, looked_for, lost, read, storable, written
from drachm.storage.session import Connection, Sessions
from drachm.storage.vault import DataKey, Place, Vault

TRIES: Final = 5
"""How often writers who stood in each other's way begin anew."""
_SQL: Final = queries.load("records")
_TAG_BYTES: Final = 16
ANEW: Final = frozenset({"member_profile"})
"""With which registering somebody begins, also of who was erased before."""
Values = dict[str, Any]


class PostgresRecords:
    """`Records` in PostgreSQL. Safe to use from several threads; lives as long as the books it was opened with."""

    def __init__(
        self,
        tenant: int,
        sessions: Sessions,
        vault: Vault,
        own_key: DataKey,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tenant = tenant
        self._sessions = sessions
        self._vault = vault
        self._own = patient_number(tenant, "")
        self._own_key = own_key
        self._now = now

    def get(self, kind: str, id: str) -> Record | None:
        if not storable(kind, id):
            return None
        return next(iter(self._opened(kind, self._look("newest", kind=kind, id=id))), None)

    def history(self, kind: str, id: str) -> list[Record]:
        if not storable(kind, id):
            return []
        return list(self._opened(kind, self._look("history", kind=kind, id=id)))

    def find(
        self,
        kind: str,
        *,
        after: str = "",
        limit: int = 100,
        parties: Collection[str] | None = None,
        members: Collection[str] | None = None,
        terms: Collection[str] = (),
    ) -> list[Record]:
        looked_for([kind, after], "search")
        for name, words in (("parties", parties), ("members", members), ("terms", terms)):
            looked_for(words, name)
        narrowed = parties is not None or members is not None
        within = self._tags(kind, parties or (), members or (), ())
        each = self._tags(kind, (), (), terms)
        if narrowed and not within:
            return []
        found: list[Record] = []
        with self._sessions.transaction("reader") as conn:
            query, values = self._bearing(conn, kind, each, within)
            while (wanted := limit - len(found)) > 0:
                rows = self._ask(conn, query, kind=kind, after=after, limit=wanted, **values)
                found += self._opened(kind, rows)
                if len(rows) < wanted:
                    break
                after = rows[-1][0]  # Some were erased: go on behind them.
        return found

    def by_time(
        self,
        kind: str,
        *,
        newest: bool,
        behind: tuple[datetime, str] | None = None,
        limit: int = 100,
        parties: Collection[str] | None = None,
        members: Collection[str] | None = None,
        terms: Collection[str] = (),
    ) -> list[Record]:
        looked_for([kind, behind[1] if behind is not None else ""], "search")
        for name, words in (("parties", parties), ("members", members), ("terms", terms)):
            looked_for(words, name)
        within, each = self._tags(kind, parties or (), members or (), ()), self._tags(kind, (), (), terms)
        if (parties is not None or members is not None) and not within:
            return []
        found: list[Record] = []
        with self._sessions.transaction("reader") as conn:
            _, values = self._bearing(conn, kind, each, within)
            values = {"either": byteas([]), "each": byteas([]), "within": byteas([]), "narrowed": False, **values}
            while (wanted := limit - len(found)) > 0:
                at, after = behind or (None, "")
                place: Values = {"newest": newest, "at": at, "after": after, "limit": wanted}
                rows = self._ask(conn, "by_time", kind=kind, **place, **values)
                found += self._opened(kind, rows)
                if len(rows) < wanted:
                    break
                behind = rows[-1][3], rows[-1][0]  # Some were erased: go on behind them.
        return found

    def put(self, records: Sequence[Record]) -> list[Record]:
        at = self._now()
        new = [written(record, at) for record in records]
        for again in range(TRIES):
            try:
                return self._put(records, new)
            except Raced:
                if again == TRIES - 1:
                    break
        raise Unavailable("other writers kept being faster", where="records")

    def _put(self, records: Sequence[Record], new: Sequence[Written]) -> list[Record]:
        patients = sorted({self._patient(one.record) for one in new})
        people = [one for one in patients if one != self._own]
        strict = {self._patient(one.record) for one in new if one.record.kind not in ANEW} - {self._own}
        # Two writers of the same records meet at the first of them, in whichever order they were named.
        order = sorted(range(len(new)), key=lambda at: (new[at].record.kind, new[at].record.id))
        kept: dict[int, Record] = {}
        with self._sessions.transaction("registrar") as conn:
            enrolment = Enrolment(conn, self._tenant, self._vault)
            if people:
                self._ask(conn, "not_erased_now", patients=int8s(people))
            if strict and enrolment.erased_of(sorted(strict)):
                raise erased_meanwhile()
            wrapped = enrolment.data_keys(patients)
            for at in order:
                kept[at] = self._write(conn, records[at], new[at], wrapped)
        return [kept[at] for at in range(len(new))]

    def _write(self, conn: Connection, asked: Record, new: Written, wrapped: dict[int, bytes]) -> Record:
        record = new.record
        place = {"tenant": self._tenant, "kind": record.kind, "id": record.id}

        def tell(query: str, **values: object) -> list[Any]:
            cursor = conn.execute(_SQL[query], {**place, **values}, binary=True)
            return cursor.fetchall() if cursor.description else []

        found = tell("follow", version=asked.version) if asked.version else tell("add")
        if not found and not asked.version:
            found = self._after_erasure(tell)
        if not found:
            raise lost(asked)
        record = replace(record, version=found[0][0])
        patient = self._patient(record)
        tags = byteas(self._tags(record.kind, record.parties, record.members, record.terms))
        tell(
            "add_version",
            version=record.version,
            patient=patient,
            at=record.at,
            author=record.author,
            parties=texts(sorted(record.parties)),
            members=texts(sorted(record.members)),
            tags=tags,
            body=self._seal(record, self._vault.unwrap(patient, wrapped[patient]), new.text),
        )
        if record.version > 1:
            tell("drop_tags", version=record.version, tags=tags)
        tell("add_tags", tags=tags)
        return record

    def _after_erasure(self, tell: Callable[..., list[Any]]) -> list[Any]:
        """The version behind one that was erased: such a record is not here, and may be written anew."""
        newest = tell("newest")
        if not newest or not _is_erased(*newest[0][-2:]):
            return []
        return tell("follow", version=newest[0][1])

    def _patient(self, record: Record) -> int:
        """Whose data key seals the body."""
        return patient_number(self._tenant, next(iter(record.members))) if len(record.members) == 1 else self._own

    def _seal(self, record: Record, key: DataKey, text: bytes) -> bytes:
        position, name, revision = _place(record.kind, record.id, record.version)
        return self._vault.seal([(key, position, name, revision, text)])[0]

    def _opened(self, kind: str, rows: Iterable[Any]) -> Iterable[Record]:
        for name, version, patient, at, author, parties, members, body, wrapped in rows:
            if _is_erased(body, wrapped):
                continue
            try:
                text = self._vault.open(patient, wrapped, _place(kind, name, version), body)
            except IntegrityError as error:
                raise IntegrityError(error.message, where=f"{kind} record, version {version}") from None
            said, terms = read(text)
            yield Record(kind, name, said, version, frozenset(parties), frozenset(members), terms, author, at)

    def _tags(
        self, kind: str, parties: Collection[str], members: Collection[str], terms: Collection[str]
    ) -> list[bytes]:
        """Keyed hashes; of different kinds and sorts of words none are alike."""
        words = [(sort, word) for sort, some in (("p", parties), ("m", members), ("t", terms)) for word in some]
        return sorted({self._tag(f"{sort}\0{kind}\0{word}") for sort, word in words})

    def _tag(self, word: str) -> bytes:
        return hmac.digest(self._own_key.secret, b"drachm record tag\0" + word.encode(), hashlib.sha256)[:_TAG_BYTES]

    def _bearing(self, conn: Connection, kind: str, each: list[bytes], within: list[bytes]) -> tuple[str, Values]:
        """The statement that finds what bears every tag of `each` and, if there are any, one of `within`."""
        if not each and not within:
            return "page", {}
        if not each:
            either, rest = within, []
        else:
            rarest = self._ask(conn, "rarest", kind=kind, tags=byteas(each))[0][0] if len(each) > 1 else each[0]
            either, rest = [rarest], [tag for tag in each if tag != rarest]
        values = {"either": byteas(either), "each": byteas(rest), "within": byteas(within)}
        return "page_bearing", {**values, "narrowed": bool(each) and bool(within)}

    def _look(self, query: str, **values: object) -> list[Any]:
        with self._sessions.transaction("reader") as conn:
            return self._ask(conn, query, **values)

    def _ask(self, conn: Connection, query: str, **values: object) -> list[Any]:
        return conn.execute(_SQL[query], {"tenant": self._tenant, **values}, binary=True).fetchall()


def _place(kind: str, id: str, version: int) -> Place:
    """Where a body belongs; journal rows have positions above 0, so none of them is ever meant."""
    return Place(-version, hashlib.sha256(f"record\0{kind}\0{id}".encode()).digest()[:16], 0)


def _is_erased(body: bytes, wrapped: bytes | None) -> bool:
    """The key it was sealed under is gone, whether or not the member has another one since."""
    return wrapped is None or wrapped[:4] != body[:4]
