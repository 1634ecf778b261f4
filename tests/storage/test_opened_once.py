"""A row is opened once for all who follow the journal, and whoever finds nothing opens it for themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from drachm.application.body import write_body
from drachm.application.follow import Opened
from drachm.application.ports import Stored
from drachm.bootstrap import SystemIds
from drachm.domain.ledger.model import EntryKind
from drachm.storage.figures import PostgresFigures, open_figures
from drachm.storage.journal_index import PostgresIndex, open_index
from drachm.storage.lately import Lately
from drachm.storage.vault import Vault

KEY = bytes(range(32))
NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)


def row(position: int) -> Opened:
    stored = Stored(position, b"k" * 16, 0, None, False, EntryKind.CHARGE, "posted", NOON, b"", b"")
    return Opened(stored, None, NOON)


def kept(lately: Lately, after: int, until: int, positions: list[int]) -> None:
    lately.keep(after, until, [row(position) for position in positions])


def taken(lately: Lately, after: int, until: int, limit: int = 100) -> tuple[list[int], int] | None:
    found = lately.take(after, until, limit)
    return None if found is None else ([one.stored.position for one in found[0]], found[1])


def test_rows_are_taken_in_order_up_to_where_they_are_whole() -> None:
    lately = Lately()
    kept(lately, 0, 10, [1, 2, 5])
    kept(lately, 10, 13, [11, 13])
    assert taken(lately, 0, 99, limit=2) == ([1, 2], 2)
    assert taken(lately, 2, 11) == ([5, 11], 11)
    assert taken(lately, 11, 99) == ([13], 13)
    assert taken(lately, 13, 99) is None


def test_whoever_is_ahead_of_what_is_kept_takes_the_rest_only() -> None:
    lately = Lately()
    kept(lately, 0, 6, [1, 2, 5])
    assert taken(lately, 3, 6) == ([5], 6)


def test_a_gap_or_a_step_back_begins_anew() -> None:
    lately = Lately()
    kept(lately, 0, 3, [1, 3])
    kept(lately, 5, 8, [6, 8])
    assert taken(lately, 0, 8) is None
    assert taken(lately, 4, 8) is None
    assert taken(lately, 5, 8) == ([6, 8], 8)
    kept(lately, 0, 2, [1, 2])
    assert taken(lately, 0, 2) == ([1, 2], 2)


def test_the_oldest_are_forgotten_and_then_nothing_is_whole_from_there() -> None:
    lately = Lately(3)
    kept(lately, 0, 9, [1, 2, 4, 7, 9])
    assert taken(lately, 0, 9) is None
    assert taken(lately, 2, 9) == ([4, 7, 9], 9)


def test_a_stretch_without_rows_is_whole_too() -> None:
    lately = Lately()
    kept(lately, 4, 9, [])
    assert taken(lately, 4, 9) == ([], 9)


@pytest.fixture
def index(postgres: Any) -> PostgresIndex:
    return open_index(postgres, KEY)


@pytest.fixture
def figures(postgres: Any) -> PostgresFigures:
    return open_figures(postgres, KEY, SystemIds())


@pytest.fixture
def posted(postgres: Any, draft: Any, visit: Any, post: Any) -> Callable[[str], int]:
    def one(name: str) -> int:
        body = write_body(visit(event_id=name), NOON, bytes(16), 1)
        (position,) = post(postgres, draft(name, body=body))
        return int(position)

    return one


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The positions of bodies that were opened."""
    found: list[int] = []
    really = Vault.open

    def look(self: Vault, patient: int, wrapped: bytes | None, place: Any, sealed: bytes) -> bytes:
        found.append(place.position)
        return really(self, patient, wrapped, place, sealed)

    monkeypatch.setattr(Vault, "open", look)
    return found


def test_the_figures_take_what_the_index_has_opened(
    index: PostgresIndex, figures: PostgresFigures, posted: Any, opened: list[int]
) -> None:
    positions = [posted("one"), posted("two"), posted("three")]
    assert (index.follow(), figures.follow()) == (3, 3)
    assert opened == positions


def test_after_a_crash_the_figures_open_for_themselves(
    postgres: Any, index: PostgresIndex, figures: PostgresFigures, posted: Any, opened: list[int]
) -> None:
    first = posted("one")
    index.follow()
    postgres.lately.forget()  # what was in memory is gone
    second = posted("two")
    index.follow()
    assert figures.follow() == 2
    assert opened == [first, second, first, second]
    assert figures.follow() == 0


def test_what_breaks_in_the_figures_is_read_again(
    index: PostgresIndex, figures: PostgresFigures, posted: Any, opened: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    position = posted("one")
    index.follow()
    with monkeypatch.context() as broken:
        broken.setattr(PostgresFigures, "_write", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            figures.follow()
    assert figures.follow() == 1
    assert opened == [position, position]


def test_nothing_of_an_erased_person_is_kept(
    postgres: Any, index: PostgresIndex, figures: PostgresFigures, posted: Any, opened: list[int]
) -> None:
    posted("one")
    index.follow()
    postgres.erase("ana")
    assert postgres.lately.take(0, 99, 99) is None
    assert figures.follow() == 1
