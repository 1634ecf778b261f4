"""Who is registered, read back in pages from PostgreSQL: always as the reader, whom row security holds."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.funding.mandate import NO_MANDATE, Mandate
from drachm.domain.funding.model import Pot
from drachm.domain.periods import Period
from drachm.storage import queries
from drachm.storage.arrays import texts
from drachm.storage.session import Sessions
from drachm.storage.sheets import mandate_of, pot_of

_SQL: Final = queries.load("register")


class PostgresRegister:
    """The register of one tenant (`application.register.Register`). Safe to use from several threads."""

    def __init__(self, tenant: int, sessions: Sessions) -> None:
        self._tenant = tenant
        self._sessions = sessions
        self._changing = threading.Lock()
        self._payers: tuple[int, Mapping[str, frozenset[str]]] = (0, {})
        """Of how many plan documents, and what they say."""

    def parties(
        self, *, after: str = "", limit: int = 100, ids: Collection[str] | None = None, roles: Collection[str] = ()
    ) -> list[Party]:
        """Parties in order of id; of these ids only, and with any of these roles."""
        found = self._ask("parties", after=after, limit=limit, ids=_some(ids), roles=texts(_whole(roles)))
        return [Party(key, tuple(words), *rest) for key, words, *rest in found]

    def members(
        self,
        *,
        after: str = "",
        limit: int = 100,
        ids: Collection[str] | None = None,
        parties: Collection[str] | None = None,
        members: Collection[str] | None = None,
    ) -> list[Member]:
        """Members in order of id, narrowed to payers and members."""
        reach = self._reach(parties, members)
        return [Member(*row) for row in self._ask("members", after=after, limit=limit, ids=_some(ids), **reach)]

    def coverages(
        self,
        *,
        after: str = "",
        limit: int = 100,
        ids: Collection[str] | None = None,
        of: str = "",
        parties: Collection[str] | None = None,
        members: Collection[str] | None = None,
    ) -> list[Coverage]:
        """Coverages in order of id, narrowed to payers and members."""
        found = self._ask(
            "coverages", after=after, limit=limit, ids=_some(ids), of=_readable(of), **self._reach(parties, members)
        )
        return [
            Coverage(key, member, plan, Period(first, end), rank, policy, facts)
            for key, member, plan, first, end, rank, policy, facts in found
        ]

    def contracts(
        self,
        *,
        after: tuple[str, str] = ("", ""),
        limit: int = 100,
        id: bytes = b"",
        parties: Collection[str] | None = None,
    ) -> list[Contract]:
        """Every term of up to `limit` contracts, in order of provider, payer and first day."""
        everybody, some = parties is None, texts(_whole(parties or ()))
        found = self._ask(
            "contracts", provider=after[0], payer=after[1], limit=limit, id=id, everybody=everybody, parties=some
        )
        return [
            Contract(provider, payer, book, Period(first, end), network)
            for provider, payer, book, first, end, network in found
        ]

    def pots(self, member: str) -> list[Pot]:
        """A member's pots as they were enrolled."""
        return [pot_of(*row) for row in self._ask("pots", member=_readable(member))]

    def mandate(self, member: str) -> Mandate:
        """What a member lets be paid without asking, as it stands; `NO_MANDATE` where nothing was said."""
        found = self._ask("mandate", member=_readable(member))
        return mandate_of(found[0][0]) if found else NO_MANDATE

    def budgeted(self) -> frozenset[str]:
        """Members whose mandate has a budget."""
        return frozenset(member for (member,) in self._ask("budgeted"))

    def family(self, family: str) -> list[Member]:
        """Everybody who is registered in a family now."""
        return [Member(*row) for row in self._ask("family", family=_readable(family))] if family else []

    def families(
        self,
        *,
        after: str = "",
        limit: int = 100,
        parties: Collection[str] | None = None,
        members: Collection[str] | None = None,
    ) -> list[str]:
        """Families that somebody belongs to now, in order of id, narrowed to payers and members."""
        return [one for (one,) in self._ask("families", after=after, limit=limit, **self._reach(parties, members))]

    def payers(self) -> Mapping[str, frozenset[str]]:
        """Plan id -> the payers of its published versions."""
        count = self._ask("plan_count")[0][0]
        if count != self._payers[0]:
            found: dict[str, set[str]] = {}
            for plan, payer in self._ask("payers"):
                found.setdefault(plan, set()).add(payer)
            self._payers = count, {plan: frozenset(payers) for plan, payers in found.items()}
        return self._payers[1]

    def price_books(self) -> frozenset[str]:
        """Ids of the published price books."""
        return frozenset(book for (book,) in self._ask("price_books"))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One change at a time, in all processes."""
        # One connection of this process waits, not all of the pool: whoever is in there needs another.
        with self._changing, self._sessions.transaction("reader") as conn:
            conn.execute(_SQL["alone"], {"tenant": self._tenant})
            yield

    def _reach(self, parties: Collection[str] | None, members: Collection[str] | None) -> dict[str, object]:
        wanted = frozenset(parties or ())
        plans = [plan for plan, payers in self.payers().items() if payers & wanted] if wanted else []
        return {
            "everybody": parties is None and members is None,
            "parties": texts(_whole(wanted)),
            "members": texts(_whole(members or ())),
            "only": _some(members) if not wanted and members is not None else None,
            "plans": texts(plans),
        }

    def _ask(self, query: str, **values: object) -> list[Any]:
        with self._sessions.transaction("reader") as conn:
            return conn.execute(_SQL[query], {"tenant": self._tenant, **values}, binary=True).fetchall()


def _some(ids: Collection[str] | None) -> object:
    return None if ids is None else texts(_whole(ids))


def _whole(ids: Collection[str]) -> list[str]:
    """The ids that PostgreSQL can hold: one with NUL or half a character names nobody."""
    return [one for one in ids if _readable(one) == one]


def _readable(id: str) -> str:
    return id.replace("\0", "�").encode(errors="replace").decode()
