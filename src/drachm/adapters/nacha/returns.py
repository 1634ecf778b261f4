"""Which debits of ours did the payers' banks send back? A NACHA file with return entries, as our bank hands it on.

Source: Nacha Operating Rules, Appendix Three (record formats: file header 1, batch header 5, entry detail 6, addenda
7, batch control 8, file control 9, each 94 characters) and Appendix Four (return entries: addenda type 99 with the
reason R01 to R85 and the trace number of the original entry). The totals of the file are checked, so that a file which
was cut or changed is refused whole. Entries without a return addenda (notifications of change, ordinary entries) are
no returns; they are named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from drachm.domain.errors import InvalidMessage
from drachm.domain.money import minor_unit
from drachm.domain.payments.ach import AchReturn

LENGTH: Final = 94
LINES_MAX: Final = 100_000
_CENT: Final = minor_unit("USD")
_DEBITS: Final = frozenset("6789")
"""Second digits of transaction codes that take money from an account (26, 27, 36, 37 ...); of others it gives."""
_REASON: Final = re.compile("R[0-9]{2}")
_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")


class _Entry(NamedTuple):
    line: str
    number: int
    addenda: list[str]


class Returns(NamedTuple):
    """What a file says."""

    found: list[AchReturn]
    """In its order."""
    passed_over: list[str]
    """Where entries stand that are no returns, and what they are instead."""


def read_returns(data: bytes, where: str = "file") -> Returns:
    """The return entries of a file, and which entries are none.

    Raises `InvalidMessage`: `wrong_file` for what is no ACH file, `out_of_balance` when its own totals do not hold.
    """
    lines = _lines(data, where)
    if len(lines) < 2 or lines[0][0] != "1" or lines[0][1:3] != "01" or lines[0][34:37] != "094":
        raise InvalidMessage("this is no ACH file", where=f"{where} line 1", code="wrong_file")
    day = _day(lines[0][23:29], where)
    entries = list(_entries(lines, where))
    _ensure_totals(lines, entries, where)
    answer = Returns([], [])
    for entry in entries:
        returns = list(_returned(entry, day, where))
        answer.found.extend(returns)
        if not returns:
            answer.passed_over.append(f"{where} line {entry.number}: {_instead(entry)}")
    return answer


def _lines(data: bytes, where: str) -> list[str]:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        raise InvalidMessage("an ACH file is plain ASCII", where=where, code="wrong_file") from None
    lines = [line for line in _LINE_ENDS.split(text) if line.strip()]
    if len(lines) == 1:
        # The records may follow each other without line ends.
        lines = [lines[0][start : start + LENGTH] for start in range(0, len(lines[0]), LENGTH)]
    if len(lines) > LINES_MAX:
        raise InvalidMessage(f"more than {LINES_MAX} lines", where=where, code="too_many")
    for number, line in enumerate(lines, start=1):
        if len(line) > LENGTH:
            raise InvalidMessage(f"a record has {LENGTH} characters", where=f"{where} line {number}", code="wrong_file")
    return [line.ljust(LENGTH) for line in lines]


def _entries(lines: list[str], where: str) -> Iterator[_Entry]:
    entry: _Entry | None = None
    for number, line in enumerate(lines, start=1):
        if line[0] == "7":
            if entry is None:
                raise InvalidMessage("an addenda without its entry", where=f"{where} line {number}", code="wrong_file")
            entry.addenda.append(line)
            continue
        if entry is not None:
            yield entry
        entry = _Entry(line, number, []) if line[0] == "6" else None
        if line[0] not in "15689":
            raise InvalidMessage("an unknown kind of record", where=f"{where} line {number}", code="wrong_file")


def _ensure_totals(lines: list[str], entries: list[_Entry], where: str) -> None:
    """The file control says how many entries and addenda there are, and what they move."""
    controls = [line for line in lines if line[0] == "9" and line != "9" * LENGTH]
    if len(controls) != 1:
        raise InvalidMessage("a file has one control record", where=where, code="out_of_balance")
    [control] = controls
    sums = {True: 0, False: 0}
    for entry in entries:
        sums[_is_debit(entry)] += _number(entry.line[29:39], f"{where} line {entry.number}")
    said = [_number(control[start:end], f"{where} file control") for start, end in ((13, 21), (31, 43), (43, 55))]
    if said != [sum(1 + len(entry.addenda) for entry in entries), sums[True], sums[False]]:
        raise InvalidMessage("the totals of the file do not hold", where=f"{where} file control", code="out_of_balance")


def _returned(entry: _Entry, day: date, where: str) -> Iterator[AchReturn]:
    place = f"{where} line {entry.number}"
    for addenda in entry.addenda:
        if addenda[1:3] != "99":
            continue
        code, trace = addenda[3:6], addenda[6:21].strip()
        if not _REASON.fullmatch(code) or not trace.isdigit():
            raise InvalidMessage("a return without a reason and a trace number", where=place, code="wrong_file")
        amount = _number(entry.line[29:39], place) * _CENT
        yield AchReturn(
            trace, code, amount, _is_debit(entry), entry.line[39:54].strip(), entry.line[79:94].strip(), day
        )


def _instead(entry: _Entry) -> str:
    """Nacha Operating Rules, Appendix Five: addenda type 98 with a change code tells what to write the next time."""
    change = next((addenda[3:6] for addenda in entry.addenda if addenda[1:3] == "98"), "")
    return f"a notification of change ({change})" if change else "an entry that was not returned"


def _is_debit(entry: _Entry) -> bool:
    return entry.line[2] in _DEBITS


def _number(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise InvalidMessage("digits are expected", where=where, code="wrong_file")
    return int(text)


def _day(text: str, where: str) -> date:
    try:
        return date(2000 + _number(text[:2], where), _number(text[2:4], where), _number(text[4:], where))
    except ValueError:
        raise InvalidMessage("the file says no day", where=f"{where} line 1", code="wrong_file") from None
