"""Which SQL does storage speak?

All of it stands in `queries/*.sql`, each statement under its name and a line of purpose:

    -- name: queue
    -- Pended events, oldest first.
    SELECT ...
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from drachm.domain.errors import ensure

FOLDER: Final = Path(__file__).parent / "queries"
_NAME: Final = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


@cache
def load(room: str) -> Mapping[str, str]:
    """The statements of one file by name. Raises IntegrityError for a name used twice, no purpose or no statement."""
    return MappingProxyType(parse((FOLDER / f"{room}.sql").read_text("utf-8"), room))


def parse(text: str, room: str) -> dict[str, str]:
    """The statements of a file's text; what stands before the first name is its preface."""
    _, *parts = _NAME.split(text)
    found: dict[str, str] = {}
    for name, part in zip(parts[::2], parts[1::2], strict=True):
        lines = part.strip().splitlines()
        statement = "\n".join(line for line in lines if not line.startswith("--")).strip().removesuffix(";")
        ensure(name not in found, "a query name is used twice", where=f"{room}.{name}")
        ensure(bool(lines) and lines[0].startswith("-- "), "a query has no line of purpose", where=f"{room}.{name}")
        ensure(bool(statement) and ";" not in statement, "a query is not one statement", where=f"{room}.{name}")
        found[name] = statement
    return found
