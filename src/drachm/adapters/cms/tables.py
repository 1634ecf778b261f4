"""How is a CMS file read?

Row by row, plain or gzip, below whatever header lines stand above the column names. Amounts are exact decimals and
become whole millionths; a file that is not as expected is named with its line.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from drachm.domain.errors import InvalidMessage
from drachm.domain.money import micros

Row = dict[str, str]


def rows(folder: Path, name: str, *columns: str) -> Iterator[tuple[str, Row]]:
    """Each row of `folder/name` (or `name.gz`) as (place, column -> trimmed text), for rows that fill `columns[0]`.

    The header is the first line that holds every one of `columns`. Raises `InvalidMessage` when the file is missing,
    has no such line, or a row has other cells than the header (a comma outside quotes moves every figure behind it).
    """
    path = _existing(folder, name)
    with _opened(path) as stream:
        header: list[str] = []
        key = 0
        reader = csv.reader(stream)
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if not header:
                header = row if set(columns) <= set(row) else []
                key = header.index(columns[0]) if header else 0
                continue
            place = f"{name}:{reader.line_num}"
            # CMS closes some files with footnotes, a line of commas, or the end-of-file character of an old system.
            if not any(row[1:]) or (row[key : key + 1] or ["?"]) == [""]:
                continue
            if len(row) < len(header) or any(row[len(header) :]):
                raise _bad_file(f"the row has {len(row)} cells, the header {len(header)}", place)
            yield place, dict(zip(header, row, strict=False))
    if not header:
        raise _bad_file(f"no line holds the columns {', '.join(columns)}", name)


def exists(folder: Path, name: str) -> bool:
    """True when the file is there, plain or gzip."""
    return (folder / name).is_file() or (folder / f"{name}.gz").is_file()


def millionths(text: str, place: str) -> int:
    """A published decimal as whole millionths: amounts in micros, relative values and indices in millionths."""
    value = micros(text.replace(",", "").removeprefix("$"), where=place)
    if value < 0:
        raise _bad_file("an amount is negative", place)
    return value


def _existing(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise InvalidMessage(
        f"the file {name} (or {name}.gz) is missing",
        where=str(folder),
        next_step="Name the folder that holds the CMS files; adapters/cms/README.md lists them.",
        code="missing_file",
    )


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig", newline="")
        ) as stream:
            yield stream
    except UnicodeDecodeError:
        raise InvalidMessage(
            "the bytes are not UTF-8", where=path.name, next_step="Save the file as UTF-8.", code="invalid_file"
        ) from None
    except (OSError, EOFError, csv.Error, zlib.error) as error:
        raise _bad_file(f"cannot be read: {type(error).__name__}", path.name) from None


def _bad_file(problem: str, where: str) -> InvalidMessage:
    return InvalidMessage(
        problem,
        where=where,
        next_step="Fetch the file again as CMS publishes it; adapters/cms/README.md says which columns are read.",
        code="invalid_file",
    )
