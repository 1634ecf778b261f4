"""What do the rows of a Synthea CSV table say?

Synthea writes one record a physical line (commas and line ends in texts become spaces), so an unclosed quote spoils its
own line only. Rows keep their line number; a faulty row is a problem and the table goes on.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from drachm.adapters import jsonsafe
from drachm.adapters.jsonplace import fault
from drachm.domain.errors import DrachmError, InvalidMessage

MAX_ROW_BYTES: Final = 64 * 1024
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """The wanted cells of one line, by column name."""

    cells: dict[str, str]
    place: str

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def identifier(self, column: str) -> str:
        found = self.cells[column]
        if not _ID.fullmatch(found):
            raise self.refusal(column, "invalid_id", "this is not an id", "Use 1 to 64 letters, digits, '-', '.', '_'.")
        return found

    def token(self, column: str) -> str:
        """An id or code that may be empty."""
        return self.identifier(column) if self.cells[column] else ""

    def where(self, column: str) -> str:
        return f"{self.place} {column}"

    def refusal(self, column: str, code: str, message: str, next_step: str = "") -> InvalidMessage:
        return InvalidMessage(message, where=self.where(column), next_step=next_step, code=code)


def table_path(folder: Path, table: str) -> Path | None:
    """The file of a table, plain or gzip."""
    return next((p for p in (folder / f"{table}.csv", folder / f"{table}.csv.gz") if p.is_file()), None)


def rows(folder: Path, table: str, columns: Sequence[str], problems: list[DrachmError]) -> Iterator[Row]:
    """The rows of a table, with the wanted columns; what cannot be read is added to `problems`."""
    path = table_path(folder, table)
    if path is None:
        problems.append(fault("missing_table", f"there is no {table}.csv", folder.name, "Export all tables."))
        return
    try:
        yield from _read(path, columns, problems)
    except InvalidMessage as problem:
        problems.append(problem)


def _read(path: Path, columns: Sequence[str], problems: list[DrachmError]) -> Iterator[Row]:
    with jsonsafe.opened(path, path.name) as stream:
        header: list[str] = []
        for place, line in jsonsafe.lines(stream, path.name, max_line_bytes=MAX_ROW_BYTES):
            try:
                cells = _cells(line, place)
                if not header:
                    header = [name.strip().upper() for name in cells]
                    _refuse_header(header, columns, place)
                elif len(cells) != len(header):
                    message = f"the row has {len(cells)} cells, the header {len(header)}"
                    raise fault("ragged_row", message, place, "Check the commas of this row.")
                else:
                    found = dict(zip(header, cells, strict=True))
                    yield Row({column: found[column] for column in columns}, place)
            except InvalidMessage as problem:
                problems.append(problem)
                if not header or problem.code == "missing_column":
                    return


def _cells(line: bytes | InvalidMessage, place: str) -> list[str]:
    if isinstance(line, InvalidMessage):
        raise line
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise fault("not_utf8", "the bytes are not UTF-8", place) from None
    if "\0" in text:
        raise fault("nul_character", "the row holds a NUL character", place)
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration):
        raise fault("malformed_csv", "the quotes of the row do not close", place, "Check the quotes.") from None


def _refuse_header(header: list[str], columns: Sequence[str], place: str) -> None:
    missing = [column for column in columns if column not in header]
    if missing:
        message = f"the table has no column {', '.join(missing)}"
        raise fault("missing_column", message, place, "Export with a Synthea version that writes it.")
    if len(set(header)) < len(header):
        raise fault("missing_column", "two columns have one name", place, "Rename one.")
