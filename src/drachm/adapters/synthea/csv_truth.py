"""Who paid what, as the CSV export itself recorded it?

The truth that a replay is compared with. The rows of claims_transactions are walked in the order of CHARGEID within a
claim: a CHARGE opens a line, the payments behind it belong to it; after a TRANSFERIN of type 2 an ECHECK is the
secondary payer's, after type p a payment is the patient's. A TRANSFERIN names its line by the TRANSFEROUT it follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from drachm.adapters.synthea.amounts import csv_number, submitted
from drachm.adapters.synthea.csv_read import CURRENCY
from drachm.adapters.synthea.csv_tables import Row, rows
from drachm.domain.errors import DrachmError

_COLUMNS: Final = (
    "CLAIMID", "CHARGEID", "TYPE", "METHOD", "AMOUNT", "PAYMENTS", "TRANSFEROUTID", "TRANSFERTYPE",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TruthLine:
    """One CHARGE row with its recorded payments, in micros. `event_id` is that of the event read from the row."""

    event_id: str
    charge: int
    copay: int
    """Recorded in full even where it exceeds the charge (older Synthea versions do not cap it)."""
    primary_paid: int
    secondary_paid: int
    patient_paid: int
    """Without the copay."""

    @property
    def copay_exceeds_charge(self) -> bool:
        """The line does not balance: a product that caps the copay takes exactly the charge."""
        return self.copay > self.charge


@dataclass(slots=True)
class _Line:
    event_id: str
    charge: int
    copay: int = 0
    primary: int = 0
    secondary: int = 0
    patient: int = 0
    owner: str = "1"


def read_truth(folder: Path) -> Iterator[TruthLine]:
    """The recorded payments of every CHARGE row, claim by claim; raises the first problem of the table."""
    problems: list[DrachmError] = []
    claims: dict[str, list[Row]] = {}
    for row in rows(folder, "claims_transactions", _COLUMNS, problems):
        claims.setdefault(row["CLAIMID"], []).append(row)
    if problems:
        raise problems[0]
    for claim in claims.values():
        for line in _lines(sorted(claim, key=_number)):
            yield TruthLine(line.event_id, line.charge, line.copay, line.primary, line.secondary, line.patient)


def _lines(claim: list[Row]) -> list[_Line]:
    found: list[_Line] = []
    by_row: dict[str, _Line] = {}
    line: _Line | None = None
    for row in claim:
        if row["TYPE"] == "CHARGE":
            line = _Line(f"{row['CLAIMID']}#{row['CHARGEID']}", _micros(row, "AMOUNT"), owner=row["TRANSFERTYPE"])
            found.append(line)
        elif row["TRANSFEROUTID"]:
            line = by_row.get(row["TRANSFEROUTID"])
        if line is None:
            raise row.refusal("CHARGEID", "unknown_claim", "the row belongs to no charge of its claim")
        by_row[row["CHARGEID"]] = line
        if row["TYPE"] == "TRANSFERIN":
            line.owner = row["TRANSFERTYPE"]
        elif row["TYPE"] == "PAYMENT":
            _add_payment(line, row)
    return found


def _number(row: Row) -> int:
    if not row["CHARGEID"].isascii() or not row["CHARGEID"].isdigit():
        raise row.refusal("CHARGEID", "invalid_id", "the row has no number")
    return int(row["CHARGEID"])


def _add_payment(line: _Line, row: Row) -> None:
    amount = _micros(row, "PAYMENTS")
    if row["METHOD"] == "COPAY":
        line.copay += amount
    elif row["METHOD"] != "ECHECK":
        line.patient += amount
    elif line.owner == "2":
        line.secondary += amount
    else:
        line.primary += amount


def _micros(row: Row, column: str) -> int:
    return submitted(csv_number(row[column], row.where(column)), CURRENCY, row.where(column))
