"""What does the bank say came in and went out? Statements (camt.053) and notifications (camt.054), any version.

Source: ISO 20022 messages BankToCustomerStatement and BankToCustomerDebitCreditNotification. An entry that covers
several transactions is taken apart when they add up to it; else it is one line, with a note that says why. An entry
that is not booked (pending, information, a word of the bank's own) is no line yet; it is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from drachm.adapters.iso20022.xml import Node, read_xml
from drachm.domain.errors import InvalidMessage
from drachm.domain.money import exponent, micros
from drachm.domain.payments.bank import BankLine
from drachm.domain.periods import read_day

PARTS = ("BkToCstmrStmt/Stmt", "BkToCstmrDbtCdtNtfctn/Ntfctn")


class Statement(NamedTuple):
    """What a message says."""

    lines: list[BankLine]
    """What is booked, in its order."""
    passed_over: list[str]
    """Where entries stand that are not booked, and what they are instead."""


def read_camt(data: bytes | str, where: str = "statement") -> Statement:
    """The booked lines of a message, and which entries are none.

    Raises `InvalidMessage` for what is no such message, or has a line that cannot be read: then nothing of it counts.
    """
    document = read_xml(data, where)
    parts = [part for path in PARTS for part in document.all(path)]
    if document.name != "Document" or not parts:
        raise InvalidMessage(
            f"neither a camt.053 nor a camt.054, but {_told(document)}",
            where=where,
            next_step="Hand in the Document of a statement (camt.053) or a notification (camt.054).",
            code="wrong_file",
        )
    found = Statement([], [])
    for part in parts:
        for number, entry in enumerate(part.all("Ntry"), start=1):
            place = f"{where} {part.word('Id')[:40]} entry {number}"
            status = entry.word("Sts/Cd") or entry.word("Sts/Prtry") or entry.word("Sts")
            if status == "BOOK":
                found.lines.extend(_lines(entry, _account(part), place))
            else:
                found.passed_over.append(f"{place}: its status is {status[:40] or 'missing'}, not BOOK")
    return found


def _told(document: Node) -> str:
    inside = document.children[0].name if document.children else "nothing"
    return f"{document.name[:40]} with {inside[:40]}"


def _account(part: Node) -> str:
    return part.word("Acct/Id/IBAN") or part.word("Acct/Id/Othr/Id")


def _lines(entry: Node, account: str, where: str) -> Iterator[BankLine]:
    amount, currency = _amount(entry, where)
    day = _day(entry, where)
    named = entry.word("AcctSvcrRef") or entry.word("NtryRef")
    details = list(entry.all("NtryDtls/TxDtls"))
    parts = [_part(one, amount < 0, where) for one in details]
    together = sum(part[0] for part in parts)
    same = all(part[1] == currency for part in parts)
    if len(parts) > 1 and same and together == amount:
        for number, (one, (moved, _)) in enumerate(zip(details, parts, strict=True), start=1):
            reference = one.word("Refs/AcctSvcrRef") or one.word("Refs/TxId") or f"{named}#{number}"
            yield BankLine(account, reference, moved, currency, day, _words(one), _returned(one))
        return
    note = "its parts do not add up to it" if len(parts) > 1 else ""
    words = tuple(word for one in details for word in _words(one)) + _texts(entry, "AddtlNtryInf")
    returned = _returned(details[0]) if len(details) == 1 else ""
    yield BankLine(account, named, amount, currency, day, words, returned, note)


def _returned(one: Node) -> str:
    """Why it came back, as a code of the external list or a word of the bank's own."""
    return one.word("RtrInf/Rsn/Cd") or one.word("RtrInf/Rsn/Prtry")


def _part(one: Node, debit: bool, where: str) -> tuple[int, str]:
    """(micros with a sign, currency) of one transaction; (0, "") when it does not say."""
    found = one.first("Amt") or one.first("AmtDtls/TxAmt/Amt")
    if found is None:
        return 0, ""
    side = one.word("CdtDbtInd")
    negative = side == "DBIT" if side else debit
    value = micros(found.text.strip(), where=where)
    return -value if negative else value, found.attributes.get("Ccy", "")


def _amount(entry: Node, where: str) -> tuple[int, str]:
    found, side = entry.first("Amt"), entry.word("CdtDbtInd")
    if found is None or side not in ("CRDT", "DBIT"):
        raise InvalidMessage("an entry has an amount and a side", where=where, code="missing_field")
    value = micros(found.text.strip(), where=where)
    if value < 0:
        raise InvalidMessage(
            "an amount is never below 0: its side says which way it goes", where=where, code="invalid_amount"
        )
    currency = found.attributes.get("Ccy", "")
    try:
        exponent(currency)
    except InvalidMessage as unknown:
        raise InvalidMessage(unknown.message, where=where, next_step=unknown.next_step, code=unknown.code) from None
    # A reversal stands on the side that it moves money to (ISO 20022, RvslInd): nothing is to be turned round.
    return -value if side == "DBIT" else value, currency


def _day(entry: Node, where: str) -> date:
    text = entry.word("BookgDt/Dt") or entry.word("BookgDt/DtTm")[:10]
    if not text:
        raise InvalidMessage("a booked entry has a day", where=where, code="missing_field")
    return read_day(text[:10], where=where)


def _words(one: Node) -> tuple[str, ...]:
    return (
        *_texts(one, "RmtInf/Strd/CdtrRefInf/Ref"),
        *_texts(one, "RmtInf/Ustrd"),
        *_texts(one, "Refs/EndToEndId"),
        *_texts(one, "AddtlTxInf"),
    )


def _texts(node: Node, path: str) -> tuple[str, ...]:
    return tuple(text for found in node.all(path) if (text := found.text.strip()))
