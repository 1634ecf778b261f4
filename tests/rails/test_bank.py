"""Bank transfers: found by their reference, booked once and as they arrived, nothing of the bank's money left out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rail_helpers import Clock, payment

from drachm.adapters.iso20022.camt import read_camt
from drachm.application.bank import LINE, BankAccount, allocate, reconcile
from drachm.application.desk import Desk
from drachm.application.payments import begin, carry_out, find
from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.money import MICROS
from drachm.domain.payments.bank import BankLine, creditor_reference, references_in

SAMPLES = Path(__file__).parents[2] / "samples" / "iso20022"
IBAN = "NL26VAYB8060476890"


def line(amount: int = 25 * MICROS, *, words: tuple[str, ...] = (), reference: str = "b1", **more: object) -> BankLine:
    return BankLine(IBAN, reference, amount, "USD", date(2026, 3, 31), words, **more)  # type: ignore[arg-type]


def left(desk: Desk) -> int:
    return desk.books.pots(["ana-cash"])["ana-cash"][0]


def balances(desk: Desk) -> dict[str, int]:
    return {f"{account.kind}/{account.owner}": amount for account, amount in desk.books.balances().items() if amount}


@pytest.fixture
def reference(clock: Clock, desk: Desk, records: Records) -> str:
    """What Ana was asked to write into her transfer of 25 dollars."""
    begin(payment(clock, rail="bank"), records, author="ana")
    waiting = carry_out("pay_1", {"bank": BankAccount(IBAN)}, desk, records)
    account, _, reference = waiting.link.partition(" ")
    assert account == IBAN
    return reference


def test_a_transfer_with_its_reference_is_booked_once(reference: str, desk: Desk, records: Records) -> None:
    spaced = " ".join(reference[at : at + 4] for at in range(0, len(reference), 4)).lower()
    told = line(words=("thank you", f"top-up {spaced}"))
    for _ in range(2):
        assert [end for _, end in reconcile([told, told], desk, records)] == ["booked", "booked"]
    assert left(desk) == 25 * MICROS
    assert find("pay_1", records).state == "captured"
    assert balances(desk) == {"cash/bank": 25 * MICROS, "wallet/ana-cash": -25 * MICROS}


def test_what_arrives_is_booked_as_it_arrives(reference: str, desk: Desk, records: Records) -> None:
    lines = [
        line(20 * MICROS, words=(reference,), reference="b1"),
        line(25 * MICROS, words=(reference,), reference="b2"),
        line(25 * MICROS, words=(reference,), reference="b3"),
    ]
    assert [end for _, end in reconcile(lines, desk, records)] == ["booked"] * 3
    assert left(desk) == 70 * MICROS
    assert find("pay_1", records).state == "captured"


def test_a_reader_who_died_before_keeping_the_line_books_nothing_twice(
    reference: str, desk: Desk, records: Records
) -> None:
    class Dead(Exception):
        pass

    class Dying:
        """Records that end when a line is to be kept: the money has moved then."""

        def __getattr__(self, name: str) -> Any:
            return getattr(records, name)

        def put(self, new: Sequence[Record]) -> list[Record]:
            if new[0].kind == LINE:
                raise Dead
            return records.put(new)

    for told in (line(words=(reference,)), line(words=(reference,), reference="b2"), line(reference="b3")):
        with pytest.raises(Dead):
            reconcile([told], desk, Dying())  # type: ignore[arg-type]
        before = balances(desk)
        assert [end for _, end in reconcile([told, told], desk, records)] != []
        assert balances(desk) == before
    assert left(desk) == 50 * MICROS


def test_readers_of_the_same_statement_book_it_once(reference: str, desk: Desk, records: Records) -> None:
    together = threading.Barrier(4)
    lines = [line(words=(reference,), reference=f"b{number}") for number in range(3)]
    faults: list[Exception] = []

    def run() -> None:
        together.wait()
        try:
            reconcile(lines, desk, records)
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert left(desk) == 75 * MICROS


def test_money_that_nobody_explains_stands_apart_until_somebody_does(
    reference: str, desk: Desk, records: Records
) -> None:
    slip = reference[:-1] + ("1" if reference[-1] != "1" else "2")
    yen = replace(line(words=(reference,), reference="b3"), currency="JPY")
    strange = [line(words=(slip,)), line(reference="b2"), yen, line(words=(reference,), note="odd", reference="b4")]
    assert [end for _, end in reconcile(strange, desk, records)] == ["unallocated"] * 4
    assert left(desk) == 0
    for _ in range(2):
        try:
            allocate(strange[0].id, "ana-cash", "ana", desk, records, author="fin")
        except Conflict as conflict:
            assert conflict.code == "line_explained"  # noqa: PT017
    assert left(desk) == 25 * MICROS
    assert len(records.find(LINE, terms=["end=unallocated"])) == 3
    with pytest.raises(Conflict):
        allocate(strange[0].id, "ana-yen", "ana", desk, records, author="fin")
    with pytest.raises(InvalidMessage):
        allocate("bnk_none", "ana-cash", "ana", desk, records, author="fin")
    assert balances(desk)["wallet/ana-cash"] == -25 * MICROS
    assert sum(desk.books.balances().values()) == 0


def test_a_returned_transfer_is_owed(reference: str, desk: Desk, records: Records) -> None:
    reconcile([line(words=(reference,))], desk, records)
    back = line(-25 * MICROS, words=(reference,), reference="b9", returned="AC04")
    assert [end for _, end in reconcile([back, back], desk, records)] == ["returned", "returned"]
    assert balances(desk) == {"holder_receivable/ana": 25 * MICROS, "wallet/ana-cash": -25 * MICROS}
    fee = line(-MICROS, reference="b10")
    assert [end for _, end in reconcile([fee, line(0, reference="b11")], desk, records)] == ["unexplained"] * 2


@given(st.text(min_size=1, max_size=30), st.text(alphabet=" ./-xX09", max_size=6))
def test_a_reference_is_found_in_any_dress_and_no_slip_passes(name: str, noise: str) -> None:
    reference = creditor_reference(name)
    assert 5 <= len(reference) <= 25
    assert reference in references_in([f"{noise} {reference.lower()} {noise}"])
    for place in range(4, len(reference)):
        wrong = reference[:place] + ("1" if reference[place] != "1" else "2") + reference[place + 1 :]
        assert wrong not in references_in([wrong])
    assert references_in(["RF18539007547034"]) == ["RF18539007547034"]


def test_the_sample_messages_are_read() -> None:
    """The second says two parts and 6.30 francs, lists three and 9.50, and the entry is in kronor: it stays whole."""
    [credit] = read_camt((SAMPLES / "camt053.v8.xml").read_bytes()).lines
    assert (credit.account, credit.amount, credit.currency) == (IBAN, 8_850_000, "EUR")
    assert "MUELL/FINP/RA12345" in credit.words
    [odd] = read_camt((SAMPLES / "camt054.v8.xml").read_bytes()).lines
    assert (odd.amount, odd.currency, odd.note) == (-200_000 * MICROS, "SEK", "its parts do not add up to it")


def camt(entries: str, *, kind: str = "BkToCstmrStmt", part: str = "Stmt") -> bytes:
    return (
        f'<Document xmlns="urn:x"><{kind}><{part}><Id>1</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id></Acct>'
        f"{entries}</{part}></{kind}></Document>"
    ).encode()


def entry(amount: str = "5.00", side: str = "CRDT", details: str = "", status: str = "<Cd>BOOK</Cd>") -> str:
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-03-31</Dt></BookgDt><AcctSvcrRef>r</AcctSvcrRef>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def test_an_entry_of_several_transfers_is_taken_apart() -> None:
    parts = "".join(
        f'<TxDtls><Amt Ccy="EUR">{amount}</Amt><RmtInf><Ustrd>{word}</Ustrd></RmtInf></TxDtls>'
        for amount, word in (("2.00", "a"), ("3.00", "b"))
    )
    lines = read_camt(camt(entry(details=parts))).lines
    assert [(one.amount, one.words, one.reference) for one in lines] == [
        (2 * MICROS, ("a",), "r#1"),
        (3 * MICROS, ("b",), "r#2"),
    ]
    assert [one.amount for one in read_camt(camt(entry(side="DBIT"))).lines] == [-5 * MICROS]
    old = camt(entry(status="BOOK"), kind="BkToCstmrDbtCdtNtfctn", part="Ntfctn")
    assert [one.amount for one in read_camt(old).lines] == [5 * MICROS]


@pytest.mark.parametrize(
    ("status", "word"),
    [("<Cd>PDNG</Cd>", "PDNG"), ("INFO", "INFO"), ("<Prtry>ON THE WAY</Prtry>", "ON THE WAY"), ("", "missing")],
)
def test_an_entry_that_is_not_booked_is_named_and_the_others_are_read(status: str, word: str) -> None:
    told = read_camt(camt(entry("1.00", status=status) + entry("2.00")), "march.xml")
    assert [one.amount for one in told.lines] == [2 * MICROS]
    assert told.passed_over == [f"march.xml 1 entry 1: its status is {word}, not BOOK"]


def test_why_money_came_back_may_be_a_word_of_the_banks_own() -> None:
    for reason in ("<Cd>AC04</Cd>", "<Prtry>AC04</Prtry>"):
        details = f"<TxDtls><RtrInf><Rsn>{reason}</Rsn></RtrInf></TxDtls>"
        assert [one.returned for one in read_camt(camt(entry(side="DBIT", details=details))).lines] == ["AC04"]


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "windows-1252", "UTF-16"])
def test_a_message_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    words = "<TxDtls><RmtInf><Ustrd>für Ana</Ustrd></RmtInf></TxDtls>"
    text = f'<?xml version="1.0" encoding="{encoding}"?>{camt(entry(details=words)).decode()}'
    assert [one.words for one in read_camt(text.encode(encoding)).lines] == [("für Ana",)]
    # Whoever hands in text has decoded it, whatever its declaration says.
    assert [one.words for one in read_camt(text).lines] == [("für Ana",)]


@pytest.mark.parametrize("encoding", ["GB18030", "Big5", "idna", "nothing-known"])
def test_an_encoding_that_is_not_read_is_said(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{camt(entry()).decode()}'
    with pytest.raises(InvalidMessage, match="encoding") as caught:
        read_camt(text.encode())
    assert "UTF-8" in caught.value.next_step
    assert [one.amount for one in read_camt(text).lines] == [5 * MICROS]


@pytest.mark.parametrize("currency", ["", ' Ccy=""', ' Ccy="eur"', ' Ccy="XAU"'])
def test_money_of_no_known_currency_is_refused_with_its_place(currency: str) -> None:
    data = camt(entry() + entry()).replace(b' Ccy="EUR"', currency.encode())
    with pytest.raises(InvalidMessage) as caught:
        read_camt(data)
    assert (caught.value.code, caught.value.where) == ("unknown_currency", "statement 1 entry 1")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"x", b"<a/>", b"<Document/>", b"\xff\xfe", camt(entry("1,00")), camt(entry("-1.00")), camt(entry("1e99")),
        camt(entry(side="X")), camt(entry())[:-9], camt("<Ntry><Sts><Cd>BOOK</Cd></Sts></Ntry>"),
        camt(entry()).replace(b"2026-03-31", b"2026-02-30"), b"<a>" * 100 + b"</a>" * 100,
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Document>&b;</Document>',
        b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><Document/>',
    ],
)  # fmt: skip
def test_what_is_no_statement_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(InvalidMessage) as caught:
        read_camt(data)
    assert "passwd" not in str(caught.value)
