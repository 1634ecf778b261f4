"""A page that sorts a list asks for all of it, as far as a page can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drachm.adapters.rest.service.asking import Asker
from drachm.adapters.rest.service.shapes import Page


class Hundreds(Asker):
    """An interface that has `count` numbers, in pages."""

    count = 0

    def ask(
        self,
        name: str,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> Any:
        assert query is not None
        first, size = int(query.get("cursor", "0")), int(query["limit"])
        after = min(first + size, self.count)
        return Page(data=list(range(first, after)), next=str(after) if after < self.count else None)


def asked(count: int, **said: Any) -> list[int]:
    asker = Hundreds(None)  # type: ignore[arg-type]  # it asks nobody
    Hundreds.count = count
    return asker.ask_all("list_numbers", **said)


def test_every_page_of_a_list_is_asked_for() -> None:
    assert asked(0) == []
    assert asked(100) == list(range(100))
    assert asked(250) == list(range(250))


def test_a_list_without_end_is_left_somewhere() -> None:
    assert len(asked(10_000)) == 500
    assert len(asked(10_000, most=1_000)) == 1_000
