"""Records of one tenant in dictionaries: for tests, the demo and a first look."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from drachm.application.records import Record
from drachm.storage.record_form import looked_for, lost, written


class MemoryRecords:
    """`Records` that end with the process. Safe to use from several threads."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._kept: dict[tuple[str, str], list[Record]] = {}
        self._erased: set[tuple[str, str, int]] = set()
        self._lock = threading.Lock()

    def get(self, kind: str, id: str) -> Record | None:
        with self._lock:
            return self._newest(kind, id)

    def history(self, kind: str, id: str) -> list[Record]:
        with self._lock:
            return [each for each in self._kept.get((kind, id), ()) if not self._is_erased(each)]

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
        fit = [one for one in self._fitting(kind, parties, members, terms) if one.id > after]
        return fit[: max(limit, 0)]

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
        fit = [(one.at, one.id, one) for one in self._fitting(kind, parties, members, terms) if one.at is not None]
        fit.sort(key=lambda one: one[:2], reverse=newest)
        if behind is not None:
            fit = [one for one in fit if (one[:2] < behind if newest else one[:2] > behind)]
        return [one for _, _, one in fit[: max(limit, 0)]]

    def _fitting(
        self, kind: str, parties: Collection[str] | None, members: Collection[str] | None, terms: Collection[str]
    ) -> list[Record]:
        """What is found, in order of id."""
        for name, words in (("parties", parties), ("members", members), ("terms", terms)):
            looked_for(words, name)
        narrowed = parties is not None or members is not None
        with self._lock:
            newest = [self._newest(*key) for key in sorted(self._kept) if key[0] == kind]
        return [
            each
            for each in newest
            if each is not None
            and each.terms.issuperset(terms)
            and (
                not narrowed or not each.parties.isdisjoint(parties or ()) or not each.members.isdisjoint(members or ())
            )
        ]

    def put(self, records: Sequence[Record]) -> list[Record]:
        at = self._now()
        new = [written(record, at).record for record in records]
        with self._lock:
            before = {(one.kind, one.id): list(self._kept.get((one.kind, one.id), ())) for one in records}
            kept: list[Record] = []
            try:
                for asked, record in zip(records, new, strict=True):
                    kept.append(self._put(asked, record))
            except BaseException:
                self._kept.update(before)
                raise
        return kept

    def erase(self, member: str) -> None:
        """What `Books.erase` does to the records of a store in a database: what concerns this one member is gone."""
        with self._lock:
            for versions in self._kept.values():
                self._erased |= {(one.kind, one.id, one.version) for one in versions if one.members == {member}}

    def _put(self, asked: Record, record: Record) -> Record:
        versions = self._kept.setdefault((asked.kind, asked.id), [])
        newest = self._newest(asked.kind, asked.id)
        if asked.version != (newest.version if newest is not None else 0):
            raise lost(asked)
        if versions and newest is None:
            # Erased, and here again: versions are never used twice.
            record = replace(record, version=versions[-1].version + 1)
        versions.append(record)
        return record

    def _newest(self, kind: str, id: str) -> Record | None:
        versions = self._kept.get((kind, id))
        return None if not versions or self._is_erased(versions[-1]) else versions[-1]

    def _is_erased(self, record: Record) -> bool:
        return (record.kind, record.id, record.version) in self._erased
