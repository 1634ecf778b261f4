"""Every statement has a name, a purpose and a caller."""

from __future__ import annotations

from pathlib import Path

import pytest

from drachm.domain.errors import IntegrityError
from drachm.storage import queries

ROOMS = sorted(path.stem for path in queries.FOLDER.glob("*.sql"))


def test_a_file_is_read_by_name_without_its_comments() -> None:
    text = "-- About the file.\n\n-- name: one\n-- Why.\n-- Why else.\nSELECT 1\nFROM x;\n\n"
    assert queries.parse(text + "-- name: two\n-- Why.\nSELECT 2;\n", "room") == {
        "one": "SELECT 1\nFROM x",
        "two": "SELECT 2",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-- name: one\n-- Why.\nSELECT 1;\n-- name: one\n-- Why.\nSELECT 2;", "used twice"),
        ("-- name: one\nSELECT 1;", "no line of purpose"),
        ("-- name: one\n-- Why.\n", "not one statement"),
        ("-- name: one\n-- Why.\nSELECT 1; DROP TABLE journal;", "not one statement"),
    ],
)
def test_a_careless_file_is_refused(text: str, problem: str) -> None:
    with pytest.raises(IntegrityError, match=problem):
        queries.parse(text, "room")


@pytest.mark.parametrize("room", ROOMS)
def test_every_statement_has_a_caller(room: str) -> None:
    source = "".join(path.read_text() for path in Path(queries.__file__).parent.glob("*.py"))
    assert [name for name in queries.load(room) if f'"{name}"' not in source] == []
