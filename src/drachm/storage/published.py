"""Which documents are published, compiled, and may this one join them?"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from drachm.domain.benefits import Plan, load_plan
from drachm.domain.catalog import Books, PriceBook, load_price_book
from drachm.domain.clearing.documents import Documents
from drachm.domain.errors import Conflict, InvalidMessage, ensure
from drachm.domain.funding.expenses import ExpenseRules, load_expense_rules
from drachm.domain.succession import clash, late

Published = Plan | PriceBook | ExpenseRules

KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Published]]] = {
    "plan": load_plan,
    "price_book": load_price_book,
    "expense_rules": load_expense_rules,
}
ARRANGED_MAX: Final = 16
"""Of how many states of the shelf the arranged documents are kept."""


def compile_document(kind: str, document: Mapping[str, Any]) -> Published:
    """The document, checked. Raises InvalidMessage for an unknown kind and as the kind's own reader does."""
    if kind not in KINDS:
        raise InvalidMessage(
            f"a document of kind {kind[:40]!r} cannot be published",
            where="kind",
            next_step=f"Publish one of: {', '.join(KINDS)}.",
            code="invalid_document",
        )
    return KINDS[kind](document)


def ensure_fits(new: Published, others: Iterable[Published]) -> None:
    """Raises Conflict for a version that is here with other content, or one that cannot take over (`succession`).

    Raises InvalidMessage when price books would lean on each other in a circle.
    """
    same_kind = [other for other in others if type(other) is type(new)]
    versions = [other for other in same_kind if other.id == new.id]
    for other in versions:
        if other.version == new.version:
            raise Conflict(
                "this version is published with other content",
                where=f"{new.id} {new.version}",
                next_step="Published documents never change: publish the change as a new version.",
            )
    found = late(new, versions) or clash(new, versions)
    if found is not None:
        raise Conflict(found.message, where=f"{new.id} {new.version}", next_step=found.next_step)
    if isinstance(new, PriceBook):
        Books([*(other for other in same_kind if isinstance(other, PriceBook)), new])


class Shelf:
    """Compiled documents by hash, and arranged as they stood at a version. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._compiled: dict[str, Published] = {}
        self._version = -1
        self._listed: list[tuple[int, str]] = []
        """(the version from which on it is here, hash), in that order."""
        self._arranged: dict[int, Documents] = {}
        """By how many documents there were."""

    def missing(self, hashes: Iterable[str]) -> list[str]:
        """Those not compiled yet."""
        return [one for one in hashes if one not in self._compiled]

    def put(self, stored_hash: str, kind: str, document: Mapping[str, Any]) -> None:
        """Compile a stored document. Raises IntegrityError when it is not the one its hash names."""
        compiled = compile_document(kind, document)
        ensure(compiled.hash == stored_hash, "a published document was changed", where=f"document {stored_hash}")
        self._compiled[stored_hash] = compiled

    def of(self, hashes: Iterable[str]) -> list[Published]:
        """The compiled documents of these hashes."""
        return [self._compiled[one] for one in hashes]

    def fill(self, version: int, listed: list[tuple[int, str]]) -> None:
        """Take the list of all documents, as (since, hash) in that order, true at a version; each is compiled."""
        with self._lock:
            if version > self._version:
                self._version, self._listed = version, listed

    def at(self, version: int) -> Documents | None:
        """The documents that were here at a version; None when something newer than what is known here is asked."""
        with self._lock:
            if version > self._version:
                return None
            count = bisect_right(self._listed, version, key=lambda one: one[0])
            documents = self._arranged.pop(count, None) or _arranged(self.of(one for _, one in self._listed[:count]))
            self._arranged[count] = documents
            while len(self._arranged) > ARRANGED_MAX:
                del self._arranged[next(iter(self._arranged))]
            return documents


def _arranged(compiled: list[Published]) -> Documents:
    plans = [one for one in compiled if isinstance(one, Plan)]
    expenses = [one for one in compiled if isinstance(one, ExpenseRules)]
    return Documents(plans, Books([one for one in compiled if isinstance(one, PriceBook)]), expenses)
