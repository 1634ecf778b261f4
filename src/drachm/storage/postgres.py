"""Where do a tenant's books live? In PostgreSQL, embedded or any server by URL.

The rooms behind this door: `work` posts, `reading` reads back, `enrolment` and `published` say who and what there is,
`vault` encrypts, `session` speaks to the server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from drachm.application.operations_log import CLAIM_SECONDS
from drachm.application.ports import ConstraintFired, Ids
from drachm.domain.canonical import canonical_bytes
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.clearing.register import Registry
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import DrachmError, IntegrityError
from drachm.domain.funding.mandate import Mandate
from drachm.domain.funding.model import Pot
from drachm.storage import queries
from drachm.storage.enrolment import Enrolment, checked, erasable, not_storable
from drachm.storage.lately import Lately
from drachm.storage.library import Library
from drachm.storage.operations import PostgresOperations
from drachm.storage.published import Shelf, compile_document, ensure_fits
from drachm.storage.reading import PostgresReading
from drachm.storage.records import PostgresRecords
from drachm.storage.session import Connection, Sessions
from drachm.storage.sheets import mandates_of
from drachm.storage.vault import DataKey, Vault
from drachm.storage.work import Known, PostgresWork

_ENROLMENT: Final = queries.load("enrolment")


def open_books(url: str, tenant: int, *, master_key: bytes, ids: Ids) -> PostgresBooks:
    """The books of one tenant; the tenant's row is made when it is not here yet.

    Raises Unavailable when the database does not answer, InvalidMessage for a key that is not 32 bytes long, and
    IntegrityError when the schema is another version's or the master key is not the one the data keys are wrapped with.
    """
    vault = Vault(master_key, tenant, ids)
    sessions = Sessions(url, tenant)
    try:
        with sessions.transaction("owner") as conn:
            conn.execute(_ENROLMENT["add_tenant"], {"tenant": tenant, "name": f"tenant {tenant}"})
        patient = patient_number(tenant, "")
        with sessions.transaction("registrar") as conn:
            own = Enrolment(conn, tenant, vault).data_keys([patient])[patient]
        library = Library(tenant, sessions, vault, ids)
        vault.find_codebook = library.find
        own_key = vault.unwrap(patient, own)
        library.open()
        return PostgresBooks(tenant, sessions, vault, library, own_key)
    except DrachmError:
        sessions.close()
        raise


class PostgresBooks(PostgresReading):
    """One tenant's books (`ports.Books`). Safe to use from several threads; close them when done."""

    def __init__(self, tenant: int, sessions: Sessions, vault: Vault, library: Library, own_key: DataKey) -> None:
        super().__init__(tenant, sessions, vault)
        self._known = Known(tenant, vault, library, own_key)
        self._shelf = Shelf()
        self.lately = Lately()
        """Journal rows as the first of those who follow opened them."""

    def work(self) -> PostgresWork:
        """A unit of work: one transaction that posts a batch."""
        return PostgresWork(self.tenant, self.sessions, self.vault, self._known)

    def registry_at(self, version: int, members: Collection[str], parties: Collection[str]) -> Registry:
        """As in reading. What postings remember is asked first: most of what is decided again was decided just now."""
        known = self._known.register.as_of(version, members, parties)
        return known if known is not None else super().registry_at(version, members, parties)

    def records(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> PostgresRecords:
        """What the tenant keeps beside the books, over the same connections."""
        return PostgresRecords(self.tenant, self.sessions, self.vault, self._known.own_key, now)

    def operations(self, ids: Ids, *, claim_seconds: float = CLAIM_SECONDS) -> PostgresOperations:
        """What became of calls that move money, over the same connections."""
        known = self._known
        return PostgresOperations(
            self.tenant, self.sessions, self.vault, known.own_key, ids, claim_seconds=claim_seconds
        )

    def enrol(
        self,
        *,
        parties: Iterable[Party] = (),
        members: Iterable[Member] = (),
        coverages: Iterable[Coverage] = (),
        contracts: Iterable[Contract] = (),
        pots: Iterable[Pot] = (),
        mandates: Mapping[str, Mandate] | None = None,
    ) -> None:
        """Insert or replace, by id, in one transaction; the register's version goes up by one.

        A pot starts at 0 whatever `avail` says; a member's shard never changes. Raises InvalidMessage for a row that
        cannot be stored and Conflict for a pot that is here in another currency; nothing is kept then.
        """
        coverages, contracts, pots = checked(coverages, contracts, pots)
        said = mandates_of(mandates)
        try:
            with self.sessions.transaction("registrar") as conn:
                enrolment = Enrolment(conn, self.tenant, self.vault)
                enrolment.write(list(parties), list(members), coverages, contracts, pots, said)
        except ConstraintFired as refusal:
            raise not_storable(refusal.message, refusal.where) from None
        except (OverflowError, UnicodeEncodeError):
            raise not_storable("a number has more than 64 bits, or a text half a character", "enrolment") from None

    def freeze(self, member: str, currency: str, reason: str) -> None:
        """Freeze the pots of a member's own money in a currency, or (no reason) thaw them."""
        with self.sessions.transaction("registrar") as conn:
            Enrolment(conn, self.tenant, self.vault).freeze(member, currency, reason)

    def erase(self, member: str) -> None:
        """Delete the member's data key: every body sealed under it is unreadable from now on, in every copy.

        How the member was registered before is forgotten too; how the member is registered now stays. Raises
        InvalidMessage for no member at all: what is kept of unknown members has a key of its own.
        """
        patient = erasable(self.tenant, member)
        with self.sessions.transaction("registrar") as conn:
            Enrolment(conn, self.tenant, self.vault).erase(member, patient)
        self._past.forget(patient)
        self.lately.forget()

    def erase_people(self, members: Collection[str], ensure: Callable[[], None]) -> None:
        """Erase these people whole: data keys, registration, names in the readers' index and beside records.

        `ensure` is asked when nobody posts and nobody writes of them any more; when it raises, nothing is erased. What
        stays: journal rows, accounts, pots without their holder, running totals. Done twice it changes nothing more.
        Raises InvalidMessage for no member at all.
        """
        people = {one: erasable(self.tenant, one) for one in members}
        with self.sessions.transaction("registrar") as conn:
            enrolment = Enrolment(conn, self.tenant, self.vault)
            enrolment.alone_with(list(people.values()))
            ensure()
            enrolment.erase_people(people)
        for patient in people.values():
            self._past.forget(patient)
        self.lately.forget()
        # Nobody waits for this: what was found by these words does not open any more.
        with self.sessions.transaction("registrar") as conn:
            Enrolment(conn, self.tenant, self.vault).blank_records(list(people.values()))

    def publish(self, kind: str, document: Mapping[str, object]) -> str:
        """Store a document of one of `published.KINDS` by content hash (idempotent); returns the hash.

        Raises InvalidMessage for a document that is not one, and Conflict for a version that is here with other content
        or cannot take over from the versions that are here.
        """
        new = compile_document(kind, document)
        with self.sessions.transaction("registrar") as conn:
            # Publishing is one at a time: two versions cannot both find room.
            since = Enrolment(conn, self.tenant, self.vault).next_version()
            hashes = [one for _, one in self._compile_all(conn)]
            if new.hash in hashes:
                conn.rollback()
                return new.hash
            ensure_fits(new, self._shelf.of(hashes))
            row = {"hash": new.hash, "kind": kind, "id": new.id, "version": new.version, "since": since}
            text = canonical_bytes(document).decode()
            conn.execute(_ENROLMENT["add_document"], {"tenant": self.tenant, **row, "body": text})
        return new.hash

    def documents(self, version: int | None = None) -> Documents:
        """The published documents, compiled and cached: all of them, or those that were here at a register version."""
        found = None if version is None else self._shelf.at(version)
        if found is None:
            with self.sessions.transaction("reader") as conn:
                newest = self._ask(conn, "version")[0][0]
                found = self._shelf.at(newest)
                if found is None:
                    self._shelf.fill(newest, self._compile_all(conn))
            found = self._shelf.at(newest if version is None else min(version, newest))
        if found is None:
            raise IntegrityError("the list of published documents went back in time", where="documents")
        return found

    def close(self) -> None:
        """Let go of the connections."""
        self.sessions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _compile_all(self, conn: Connection) -> list[tuple[int, str]]:
        """Since when each published document is here, and its hash; those not met before are compiled."""
        listed = [(since, one) for since, one in self._ask(conn, "document_list")]
        missing = self._shelf.missing([one for _, one in listed])
        if missing:
            for stored_hash, kind, body in self._ask(conn, "document_bodies", hashes=missing):
                self._shelf.put(stored_hash, kind, json.loads(body))
        return listed
