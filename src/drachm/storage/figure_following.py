"""How do the figures follow the journal?

Up to where the readers' index is whole, the journal is whole (`index_following.py` says why); the figures take in what
it has, in order, a piece in one transaction: rows and their sums are never apart. Words that tell what care it was
stand beside the numbers as keyed hashes; the words themselves are sealed under a key of their own.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Sequence
from functools import partial
from hashlib import blake2b, sha256
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drachm.application.fold import CARE, Folded, Looked, fold, told_of
from drachm.application.follow import Opened
from drachm.application.ports import Books
from drachm.domain.clearing.model import STATUS_NUMBERS
from drachm.domain.errors import IntegrityError
from drachm.storage import queries
from drachm.storage.arrays import byteas, int8s, texts
from drachm.storage.index_rows import IndexRows
from drachm.storage.lately import Lately
from drachm.storage.session import Connection, Sessions
from drachm.storage.vault import Vault

AT_ONCE: Final = 1_000
_SQL: Final = queries.load("figures")
_DROPS: Final = ("drop_days", "drop_mix", "drop_times", "drop_hours", "drop_books")
_NONCE: Final = 12


class Words:
    """Words that stand beside numbers: as a hash that needs our key, and sealed."""

    def __init__(self, master_key: bytes, tenant: int) -> None:
        secret = hmac.digest(master_key, b"drachm figures 1", sha256)
        self._hashing = hmac.digest(secret, b"hash %d" % tenant, sha256)
        self._cipher = AESGCM(hmac.digest(secret, b"seal %d" % tenant, sha256))

    def hashed(self, word: str) -> bytes:
        """What stands for the word."""
        return blake2b(word.encode(errors="surrogatepass"), digest_size=16, key=self._hashing).digest()

    def seal(self, word: str, random: bytes) -> bytes:
        """The word, bound to its hash; `random` has 12 bytes."""
        return random + self._cipher.encrypt(random, word.encode(errors="surrogatepass"), self.hashed(word))

    def open(self, hashed: bytes, sealed: bytes) -> str:
        """The word again. Raises IntegrityError when it was changed, or is another's."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], hashed).decode(errors="surrogatepass")
        except (InvalidTag, ValueError):
            raise IntegrityError("a word of the figures was changed", where=f"figure_word {hashed.hex()}") from None


class FigureFollowing(IndexRows):
    """The writing half of the figures."""

    def __init__(
        self, books: Books, sessions: Sessions, vault: Vault, lately: Lately, words: Words, random: Any
    ) -> None:
        super().__init__(books, sessions, vault, lately)
        self._words = words
        self._random = random

    def follow(self, limit: int = AT_ONCE) -> int:
        """Take in up to `limit` journal rows that the readers' index has; how many there were."""
        with self._sessions.transaction("reader") as conn:
            after, until = self._figure(conn, "followed")[0]
        if until <= after:
            return 0
        with self._sessions.transaction("writer") as conn:
            # What a crash takes with it is taken in again: nobody waits for the disk.
            conn.execute("SET LOCAL synchronous_commit = off")
            if not self._figure(conn, "follow_alone")[0][0]:
                return 0
            after, until = self._figure(conn, "followed")[0]
            count, _ = self._take_in(conn, after, until, limit)
        return count

    def rebuild(self) -> int:
        """Forget everything and take in all rows again, as one change; how many there were."""
        with self._sessions.transaction("writer") as conn:
            self._put(conn, "follow_alone_at_last")
            _, until = self._figure(conn, "followed")[0]
            for name in _DROPS:
                self._put(conn, name)
            count, at = 0, 0
            while at < until:
                done, at = self._take_in(conn, at, until, AT_ONCE)
                count += done
        return count

    def _take_in(self, conn: Connection, after: int, until: int, limit: int) -> tuple[int, int]:
        """Take in rows behind `after`; how many there were, and up to where the figures are whole now."""
        if until <= after:
            return 0, after
        rows, whole = self._lately.take(after, until, limit) or self._read_anew(conn, after, until, limit)
        self._write(conn, fold(self._looked_at(conn, rows)))
        self._put(conn, "add_books", after=after, until=whole)
        self._put(conn, "set_followed", position=whole)
        return len(rows), whole

    def _read_anew(self, conn: Connection, after: int, until: int, limit: int) -> tuple[list[Opened], int]:
        found = self._ask(conn, "rows_between", after=after, until=until, limit=limit)
        return self._opened(partial(self._ask, conn), found), found[-1][0] if len(found) == limit else until

    def _looked_at(self, conn: Connection, rows: Sequence[Opened]) -> list[Looked]:
        earlier = self._targets(conn, {row.stored.supersedes for row in rows if row.stored.supersedes})
        told = told_of([*rows, *earlier], self._books)
        targets = dict(zip([row.stored.position for row in earlier], told[len(rows) :], strict=True))
        looked = []
        for row, one in zip(rows, told, strict=False):
            place = row.stored.supersedes
            looked.append(Looked(row.stored, one, targets.get(place) if place else None, occurred_at=row.occurred_at))
        lost = [row.stored.position for row in looked if row.lost]
        if not lost:
            return looked
        legs: dict[int, list[Any]] = {position: [] for position in lost}
        for position, *leg in self._figure(conn, "legs_of", positions=int8s(lost)):
            legs[position].append(tuple(leg))
        return [row._replace(legs=legs.get(row.stored.position, ())) for row in looked]

    def _targets(self, conn: Connection, positions: Collection[int]) -> list[Opened]:
        if not positions:
            return []
        ask = partial(self._ask, conn)
        return self._opened(ask, ask("rows_at", positions=int8s(sorted(positions))))

    def _write(self, conn: Connection, folded: Folded) -> None:
        tell = partial(self._put, conn)
        if folded.days:
            places, sums = list(folded.days), list(zip(*folded.days.values(), strict=True))
            tell(
                "add_days",
                **_places(places),
                charges=int8s(sums[0]),
                denied=int8s(sums[1]),
                billed=_numerics(sums[2]),
                insurers=_numerics(sums[3]),
                patients=_numerics(sums[4]),
                due=_numerics(sums[5]),
                forgone=_numerics(sums[6]),
            )
        if folded.mix:
            self._write_mix(conn, folded)
        if folded.times:
            times = list(folded.times)
            tell(
                "add_times",
                providers=texts([one[0] for one in times]),
                days=texts([one[1].isoformat() for one in times]),
                measures=int8s([one[2] for one in times]),
                edges=int8s([one[3] for one in times]),
                numbers=int8s(list(folded.times.values())),
            )
        if folded.hours:
            hours = list(folded.hours)
            tell(
                "add_hours",
                began=texts([one[0].isoformat() for one in hours]),
                statuses=int8s([STATUS_NUMBERS[one[1]] for one in hours]),
                edges=int8s([one[2] for one in hours]),
                numbers=int8s(list(folded.hours.values())),
            )

    def _write_mix(self, conn: Connection, folded: Folded) -> None:
        hashes = {word: self._words.hashed(word) for *_, word in folded.mix}
        sealed = [self._words.seal(word, self._random(_NONCE)) for word in hashes]
        self._put(conn, "add_words", words=byteas(list(hashes.values())), sealed=byteas(sealed))
        cells = list(folded.mix)
        self._put(
            conn,
            "add_mix",
            providers=texts([one[0] for one in cells]),
            months=texts([one[1].isoformat() for one in cells]),
            currencies=texts([one[2] for one in cells]),
            whats=int8s([1 if one[3] == CARE else 2 for one in cells]),
            words=byteas([hashes[one[4]] for one in cells]),
            charges=int8s([sums[0] for sums in folded.mix.values()]),
            agreed=_numerics([sums[1] for sums in folded.mix.values()]),
        )

    def _figure(self, conn: Connection, query: str, **values: object) -> list[Any]:
        return conn.execute(_SQL[query], {"tenant": self.tenant, **values}, binary=True).fetchall()

    def _put(self, conn: Connection, query: str, **values: object) -> None:
        conn.execute(_SQL[query], {"tenant": self.tenant, **values})


def _places(places: Sequence[Any]) -> dict[str, object]:
    return {
        "providers": texts([one[0] for one in places]),
        "days": texts([one[1].isoformat() for one in places]),
        "currencies": texts([one[2] for one in places]),
    }


def _numerics(values: Sequence[int]) -> object:
    """Sums may pass 64 bits, so they travel as text."""
    return texts([str(value) for value in values])
