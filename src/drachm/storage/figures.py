"""What do many charges say together, read back from PostgreSQL? How it is kept up: `figure_following.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

from drachm.application.figures import AGES, Age, Agreement, HalfHour, Overview, Queue, Sums
from drachm.application.fold import FROM_CARE, FROM_RECEIPT
from drachm.application.ports import Ids
from drachm.domain.clearing.model import STATUSES
from drachm.domain.figures.hiding import Group
from drachm.domain.figures.spans import Count
from drachm.storage.arrays import int8s, texts
from drachm.storage.figure_following import FigureFollowing, Words
from drachm.storage.postgres import PostgresBooks
from drachm.storage.session import Connection

_CARE: Final = 1
_REFUSALS: Final = 2


class PostgresFigures(FigureFollowing):
    """The figures of one tenant (`application.figures.Figures`). Safe to use from several threads."""

    def months(self, parties: Collection[str] | None) -> list[tuple[date, int]]:
        """(first day of a month, charges), newest first."""
        with self._sessions.transaction("reader") as conn:
            return [(month, number) for month, number in self._figure(conn, "months", **_whose(parties))]

    def overview(
        self, parties: Collection[str] | None, since: date, until: date, today: date, now: datetime
    ) -> Overview:
        """Figures of the charges of some whole months."""
        whose = _whose(parties)
        days = {**whose, "since": since, "until": until}
        with self._sessions.transaction("reader") as conn:
            # A reader sees one moment: what is said of the same charges agrees.
            followed = self._figure(conn, "followed")[0][0]
            sums = [Sums(currency, *map(int, row)) for currency, *row in self._figure(conn, "sums", **days)]
            times: dict[int, list[Count]] = {FROM_CARE: [], FROM_RECEIPT: []}
            for measure, edge, number in self._figure(conn, "times", **days):
                times[measure].append(Count(edge, number))
            steps = int8s([last + 1 for last in AGES])
            ageing = self._figure(conn, "ageing", **whose, today=today, steps=steps)
            ago = {name: now - timedelta(hours=hours) for name, hours in (("hour", 1), ("day", 24), ("week", 168))}
            queue = [Queue._make(row) for row in self._figure(conn, "queue", **whose, **ago)]
            books = self._figure(conn, "books", **whose)
            newest = self._figure(conn, "newest_position")[0][0]
            return Overview(
                sums,
                times[FROM_CARE],
                times[FROM_RECEIPT],
                [Age(currency, step, int(insurers), int(due)) for currency, step, insurers, due in ageing],
                self._mix(conn, _CARE, days),
                self._mix(conn, _REFUSALS, days),
                queue,
                [Agreement(currency, int(lines), int(posted)) for currency, lines, posted in books],
                max(0, newest - followed),
            )

    def half_hours(self, since: datetime) -> list[HalfHour]:
        """What the engine answered since then, oldest first."""
        found: dict[tuple[datetime, int], list[Count]] = defaultdict(list)
        with self._sessions.transaction("reader") as conn:
            for began, status, edge, number in self._figure(conn, "hours", since=since):
                found[began, status].append(Count(edge, number))
        return [HalfHour(began, STATUSES[status], counts) for (began, status), counts in found.items()]

    def _mix(self, conn: Connection, what: int, days: dict[str, object]) -> list[tuple[str, Group]]:
        return [
            (currency, Group(self._words.open(word, sealed), number, int(agreed)))
            for currency, sealed, word, number, agreed in self._figure(conn, "mix", what=what, **days)
        ]


def open_figures(books: PostgresBooks, master_key: bytes, ids: Ids) -> PostgresFigures:
    """The figures of open books; they share their connections and close with them."""
    words = Words(master_key, books.tenant)
    return PostgresFigures(books, books.sessions, books.vault, books.lately, words, ids.random_bytes)


def _whose(parties: Collection[str] | None) -> dict[str, object]:
    # A name that cannot be stored is nobody's.
    known = [one for one in parties or () if "\0" not in one and one.isprintable()]
    return {"all": parties is None, "parties": texts(known)}
