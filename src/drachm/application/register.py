"""Who is registered, as an answer to a caller? The register read back in pages, always of one tenant.

`ports.Books` writes the register and hands the clearing line what it needs; this is what people look things up in.
Lists are in order of id, from behind a place, so that a page never shifts when somebody is added.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.funding.mandate import Mandate
from drachm.domain.funding.model import Pot


class Register(Protocol):
    """The register of one tenant."""

    def parties(
        self, *, after: str = "", limit: int = 100, ids: Collection[str] | None = None, roles: Collection[str] = ()
    ) -> list[Party]:
        """Parties in order of id; of these ids only, and with any of these roles (none named: whatever they are)."""

    def members(
        self,
        *,
        after: str = "",
        limit: int = 100,
        ids: Collection[str] | None = None,
        parties: Collection[str] | None = None,
        members: Collection[str] | None = None,
    ) -> list[Member]:
        """Members in order of id; of these ids only.

        `parties` and `members` narrow to those whom one of `parties` registered (record `member_profile`), treats,
        covers or covered, and to these `members` (both None: the whole tenant).
        """

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
        """Coverages in order of id; of these ids only, or `of` one member.

        `parties` and `members` narrow to coverages that one of `parties` pays, to those of members whom one of them
        registered or treats, and to those of `members` (both None: the whole tenant).
        """

    def contracts(
        self,
        *,
        after: tuple[str, str] = ("", ""),
        limit: int = 100,
        id: bytes = b"",
        parties: Collection[str] | None = None,
    ) -> list[Contract]:
        """Every term of up to `limit` contracts, in order of provider, payer and first day, from behind a (provider,
        payer). `id`: that of one contract (`domain/coverage/agreements.py`); `parties` narrows to those to whom one of
        these is a party."""

    def pots(self, member: str) -> list[Pot]:
        """A member's pots as they were enrolled; `avail` is 0."""

    def mandate(self, member: str) -> Mandate:
        """What a member lets be paid without asking, as it stands; `NO_MANDATE` where nothing was said."""

    def budgeted(self) -> frozenset[str]:
        """Members whose mandate has a budget."""

    def family(self, family: str) -> list[Member]:
        """Everybody who is registered in a family now, in order of id."""

    def families(
        self,
        *,
        after: str = "",
        limit: int = 100,
        parties: Collection[str] | None = None,
        members: Collection[str] | None = None,
    ) -> list[str]:
        """Ids of families that somebody belongs to now, in order; narrowed to those of these `members` and of members
        whom one of `parties` covers or covered (both None: the whole tenant)."""

    def payers(self) -> Mapping[str, frozenset[str]]:
        """Plan id -> the payers of its published versions."""

    def price_books(self) -> frozenset[str]:
        """Ids of the published price books."""

    def alone(self) -> AbstractContextManager[None]:
        """While it is held, nobody else changes register and records together: what was read in there stays true.

        For a few reads and writes; not for clearing, and not within itself.
        """
