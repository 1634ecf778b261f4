"""Which documents are published, compiled, and may this one join them?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from drachm.domain.benefits import Plan, load_plan
from drachm.domain.catalog import Books, PriceBook, load_price_book
from drachm.domain.clearing.documents import Documents
from drachm.domain.errors import Conflict, InvalidMessage, ensure

Published = Plan | PriceBook

KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Published]]] = {
    "plan": load_plan,
    "price_book": load_price_book,
}


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
    """Raises Conflict for a version that is here with other content, or one whose days overlap another version's.

    Raises InvalidMessage when price books would lean on each other in a circle.
    """
    same_kind = [other for other in others if type(other) is type(new)]
    for other in same_kind:
        if other.id != new.id:
            continue
        if other.version == new.version:
            raise Conflict(
                "this version is published with other content",
                where=f"{new.id} {new.version}",
                next_step="Published documents never change: publish the change as a new version.",
            )
        if other.effective.overlaps(new.effective):
            raise Conflict(
                f"its days overlap those of version {other.version}",
                where=f"{new.id} {new.version}",
                next_step="Give versions of one id days that do not overlap (`effective` is half-open).",
            )
    if isinstance(new, PriceBook):
        Books([*(other for other in same_kind if isinstance(other, PriceBook)), new])


class Shelf:
    """Compiled documents by hash, and all of them as `Documents`. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._compiled: dict[str, Published] = {}
        self._mark: object = None
        self._documents = Documents()

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

    def at(self, mark: object) -> Documents | None:
        """All documents as they stood at this mark; None when they changed since they were arranged."""
        with self._lock:
            return self._documents if self._mark == mark else None

    def arrange(self, mark: object, hashes: Iterable[str]) -> Documents:
        """All documents of these hashes, remembered under the mark."""
        compiled = self.of(hashes)
        plans = [one for one in compiled if isinstance(one, Plan)]
        documents = Documents(plans, Books([one for one in compiled if isinstance(one, PriceBook)]))
        with self._lock:
            self._mark, self._documents = mark, documents
        return documents
