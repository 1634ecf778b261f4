"""Who is registered, as a batch needs to know it?

People and parties are read once and remembered by all units of work of the books. They are true at one version of the
register: when it moves on, those who changed are forgotten, and everybody else stays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

from drachm.domain.clearing import numbers
from drachm.domain.clearing.register import PartyRecord, Person, Registry
from drachm.domain.events.model import ServiceEvent
from drachm.storage.arrays import int8s
from drachm.storage.registered import Registered
from drachm.storage.remembered import Remembered, Roll
from drachm.storage.sheets import NOBODY, PARTY, PERSON, open_party, open_person
from drachm.storage.vault import DataKey, Vault

PEOPLE_MAX: Final = 400_000
"""About 3 kB each. Of up to half as many nobody is read twice; in a larger town many are, again and again."""
PARTIES_MAX: Final = 20_000
PAST_MAX: Final = 20_000
ASKED_MAX: Final = 4_096
"""Numbers of people and parties who are not remembered, or not registered at all."""

Ask = Callable[..., list[Any]]
"""Asks one statement with its values: queries/work.sql or queries/reading.sql."""
R = TypeVar("R", Person, PartyRecord)
V = TypeVar("V")


def asked(events: Iterable[ServiceEvent]) -> tuple[set[str], set[str]]:
    """Every member and every party that the events name."""
    members = {event.member for event in events}
    parties = {event.billing_party for event in events}
    parties.update([event.rendering_party for event in events])
    parties.update([event.site for event in events])
    members.discard("")
    parties.discard("")
    return members, parties


class Numbers:
    """The numbers of members, or of parties, as they were worked out before."""

    def __init__(self, tenant: int, number_of: Callable[[int, str], int], most: int) -> None:
        self._make = partial(number_of, tenant)
        self._known: Remembered[str, int] = Remembered(most)

    def of(self, ids: Collection[str]) -> dict[str, int]:
        """The numbers of these ids. One with half a character is nobody's, and left out."""
        try:
            return self._known.every(ids, self._make)
        except UnicodeEncodeError:
            whole = [one for one in ids if one.encode(errors="ignore").decode() == one]
            return self._known.every(whole, self._make)


class Register:
    """What is remembered of the register's newest version. Safe to use from several threads."""

    def __init__(self, tenant: int, vault: Vault, people: int = PEOPLE_MAX) -> None:
        self._tenant = tenant
        self._vault = vault
        self._lock = threading.Lock()
        self._version = 0
        self._people: Roll[Registered] = Roll(people)
        self._parties: Roll[PartyRecord] = Roll(PARTIES_MAX)
        # Of those only who are not remembered.
        self._member_numbers = Numbers(tenant, numbers.patient_number, ASKED_MAX)
        self._party_numbers = Numbers(tenant, numbers.party_number, ASKED_MAX)

    def read(self, members: Collection[str], parties: Collection[str], ask: Ask) -> Registry:
        """These people and parties as registered now, asking for those that are not remembered."""
        tenant = self._tenant
        version, changed = self._changes(ask)
        with self._lock:
            version = self._advance(version, changed)
            people, missing = self._people.look(members)
            records, absent = self._parties.look(parties)
        if missing:
            ids = int8s(sorted(self._member_numbers.of(missing).values()))
            found = [
                open_person(tenant, number, packed, self._opened(number, wrapped))
                for number, packed, wrapped in ask("people", ids=ids, version=version)
                if packed != NOBODY
            ]
            self._keep(version, [(one.number, one.member.id, one) for one in found], self._people)
            people.update([(one.member.id, one) for one in found])
        if absent:
            ids = int8s(sorted(self._party_numbers.of(absent).values()))
            answered = ask("parties", ids=ids, version=version)
            fetched = [open_party(tenant, number, packed) for number, packed in answered]
            self._keep(version, [(one.number, one.party.id, one) for one in fetched], self._parties)
            records.update([(one.party.id, one) for one in fetched])
        return Registry(tenant, version, people, records)

    def as_of(self, version: int, members: Collection[str], parties: Collection[str]) -> Registry | None:
        """The same without asking: None where somebody is not remembered, or as of another version."""
        with self._lock:
            if version != self._version:
                return None
            people, missing = self._people.look(members)
            records, absent = self._parties.look(parties)
        return None if missing or absent else Registry(self._tenant, version, people, records)

    def _changes(self, ask: Ask) -> tuple[int, list[tuple[int, int]] | None]:
        """The register's version, and what changed since the one that is remembered; None: whatever there is."""
        version: int = ask("version")[0][0]
        known = self._version
        if version <= known:
            return version, []
        if not len(self._people) and not len(self._parties):
            return version, None
        return version, ask("changed", after=known, version=version)

    def _advance(self, version: int, changed: list[tuple[int, int]] | None) -> int:
        """Forget what changed. Another thread may know a newer version by now: then that one holds for this one too."""
        if version <= self._version:
            return self._version
        self._version = version
        if changed is None:
            self._people.clear()
            self._parties.clear()
            return version
        self._people.drop_numbers([number for kind, number in changed if kind == PERSON])
        self._parties.drop_numbers([number for kind, number in changed if kind == PARTY])
        return version

    def _keep(self, version: int, found: Iterable[tuple[int, str, V]], roll: Roll[V]) -> None:
        with self._lock:
            # What was true at an older version need not be true now.
            if version == self._version:
                for number, name, one in found:
                    roll.enter(number, name, one)

    def _opened(self, number: int, wrapped: bytes | None) -> DataKey | None:
        return None if wrapped is None else self._vault.unwrap(number, wrapped)


class Span(NamedTuple, Generic[V]):
    """What was registered from a version on until before another."""

    since: int
    until: int
    one: V


class Past:
    """What is remembered of earlier versions. Safe to use from several threads."""

    def __init__(self, tenant: int, most: int = PAST_MAX) -> None:
        self._tenant = tenant
        self._people: Remembered[int, Span[Person]] = Remembered(most)
        self._parties: Remembered[int, Span[PartyRecord]] = Remembered(most)
        self._member_numbers = Numbers(tenant, numbers.patient_number, most)
        self._party_numbers = Numbers(tenant, numbers.party_number, most)

    def read(self, version: int, members: Collection[str], parties: Collection[str], ask: Ask) -> Registry:
        """These people and parties as registered at a version."""
        wanted, others = self._member_numbers.of(members), self._party_numbers.of(parties)
        people = self._at(version, wanted, PERSON, self._people, self._person, ask)
        records = self._at(version, others, PARTY, self._parties, self._party, ask)
        return Registry(
            self._tenant,
            version,
            {one.member.id: one for one in people},
            {one.party.id: one for one in records},
        )

    def forget(self, number: int) -> None:
        """Of a person whose earlier sheets were removed."""
        self._people.drop([number])

    def _at(
        self,
        version: int,
        wanted: Mapping[str, int],
        kind: int,
        remembered: Remembered[int, Span[R]],
        opened: Callable[[int, bytes], R],
        ask: Ask,
    ) -> list[R]:
        found, missing = [], []
        for number in wanted.values():
            span = remembered.get(number)
            if span is not None and span.since <= version < span.until:
                found.append(span.one)
            else:
                missing.append(number)
        if not missing:
            return found
        settled = ask("version")[0][0] + 1
        for number, packed, since, until in ask("sheets_at", ids=int8s(sorted(missing)), version=version, kind=kind):
            if packed == NOBODY:
                continue
            one = opened(number, packed)
            remembered.put(number, Span(since, until or settled, one))
            found.append(one)
        return found

    def _person(self, number: int, packed: bytes) -> Person:
        return open_person(self._tenant, number, packed, None)

    def _party(self, number: int, packed: bytes) -> PartyRecord:
        return open_party(self._tenant, number, packed)
