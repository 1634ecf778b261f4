"""A payment that went back: owed by its holder, whose pots freeze until it is made good or won."""

from __future__ import annotations

import os
import threading
from datetime import date
from pathlib import Path

import pytest
from rail_helpers import Clock, payment

from drachm.adapters.nacha.returns import read_returns
from drachm.application.ach import hear_returns
from drachm.application.arrears import NOTICE, arrears_of, make_good, owe, pay_from_pot, thaw
from drachm.application.automatic_top_ups import Rule, judge, set_rule
from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.payments import begin, find, hear
from drachm.application.recall import kept_of, recall
from drachm.application.records import Records
from drachm.application.refunds import begin_refund
from drachm.domain.coverage.model import Contract, Member, Party
from drachm.domain.errors import Conflict, InvalidMessage, Refused
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import Purpose
from drachm.domain.money import MICROS
from drachm.domain.payments.ach import identification
from drachm.domain.payments.automatic import AutomaticTopUp
from drachm.domain.payments.model import News
from drachm.domain.payments.refund import Refund
from drachm.domain.periods import Period


def pots(desk: Desk, pot: str = "ana-cash") -> int:
    return desk.books.pots([pot])[pot][0]


def balances(desk: Desk) -> dict[str, int]:
    return {f"{account.kind}/{account.owner}": amount for account, amount in desk.books.balances().items() if amount}


@pytest.fixture
def street(desk: Desk, clock: Clock) -> Desk:
    """A clinic, and further pots of Ana's: a gift of somebody's, a second one of her own, one in yen."""
    ever = Period(date(1900, 1, 1))
    desk.books.enrol(
        parties=[Party("clinic", ("provider",), "Clinic", "UTC"), Party("ngo", ("funder",), "NGO", "UTC")],
        contracts=[Contract("clinic", "", "as-submitted", ever)],
        members=[Member("ben")],
        pots=[
            Pot("ana-gift", "ana", "USD", priority=9, pocket="gift", purpose=Purpose("ngo")),
            Pot("ana-second", "ana", "USD", priority=5),
            Pot("ben-cash", "ben", "USD"),
        ],
    )
    return desk


@pytest.fixture(autouse=True)
def books_are_whole(desk: Desk):
    yield
    assert check_books(desk.books) == []


def pay_in(name: str, desk: Desk, records: Records, clock: Clock, **more: object) -> None:
    begin(payment(clock, name, **more), records, author="ana")
    hear(News("captured", name), "stripe", desk, records)


def visit(
    name: str, desk: Desk, clock: Clock, dollars: int = 5, member: str = "ana"
) -> tuple[dict[str, int], int, list[str]]:
    """What a visit took from which pot, what is due of it, and why pots were passed over."""
    event = ServiceEvent(
        source="ehr", event_id=name, kind="charge", member=member, code=Code("local", "visit"), currency="USD",
        started_at=clock.now(), billed=dollars * MICROS, billing_party="clinic", visit=name, display="Visit",
    )  # fmt: skip
    [outcome] = clear_events([event], desk)
    assert outcome.status == "posted", outcome
    stored = desk.books.row(outcome.position)
    [recalled] = recall([kept_of(stored)], desk.books)
    standing = recalled.decision.standing
    return {leg.lot: leg.amount for leg in standing.legs}, standing.due, [one.reason for one in recalled.at.passed]


def notices(records: Records, member: str = "ana") -> list[tuple[str, int]]:
    return sorted((one.body["what"], one.body["owed"]) for one in records.find(NOTICE, members={member}))


def test_what_went_back_freezes_the_holders_own_pots_until_it_is_paid(
    street: Desk, records: Records, clock: Clock
) -> None:
    pay_in("pay_1", street, records, clock)
    pay_in("pay_2", street, records, clock, pot="ana-second")
    pay_in("pay_3", street, records, clock, pot="ana-gift")
    pay_in("pay_4", street, records, clock, pot="ben-cash", member="ben")
    for _ in range(2):
        hear(News("returned", "pay_1", reason="R01"), "stripe", street, records)
    assert (pots(street), balances(street)["holder_receivable/ana"]) == (25 * MICROS, 25 * MICROS)
    # Care goes on: a gift of somebody else's still pays, and Ben's own pot; Ana's own pots do not.
    assert visit("e1", street, clock) == ({"ana-gift": 5 * MICROS}, 0, ["pocket_frozen"] * 2)
    assert visit("e2", street, clock, member="ben") == ({"ben-cash": 5 * MICROS}, 0, [])
    assert visit("e3", street, clock, 30)[1] == 10 * MICROS
    # Whoever enrols a pot again does not thaw it, and the pot still takes money in.
    street.books.enrol(pots=[Pot("ana-cash", "ana", "USD", priority=1)])
    assert visit("e4", street, clock)[1] == 5 * MICROS
    assert notices(records) == [("payment_returned", 25 * MICROS)]
    pay_in("pay_5", street, records, clock, amount=10 * MICROS, purpose="arrears")
    assert visit("e5", street, clock)[1] == 5 * MICROS
    for _ in range(2):
        pay_in("pay_6", street, records, clock, amount=20 * MICROS, purpose="arrears")
    # 15 were owed still: the other 5 are in the pot.
    assert balances(street).get("holder_receivable/ana", 0) == 0
    assert pots(street) == 30 * MICROS
    assert visit("e6", street, clock) == ({"ana-cash": 5 * MICROS}, 0, [])
    assert notices(records) == [("arrears_cured", 0), ("payment_returned", 25 * MICROS)]


def test_a_dispute_that_is_won_restores_everything_also_after_it_was_paid(
    street: Desk, records: Records, clock: Clock
) -> None:
    pay_in("pay_1", street, records, clock)
    hear(News("returned", "pay_1"), "stripe", street, records)
    for _ in range(2):
        hear(News("captured", "pay_1"), "stripe", street, records)
    assert balances(street) == {"cash/stripe": 25 * MICROS, "wallet/ana-cash": -25 * MICROS}
    assert visit("e1", street, clock)[0] == {"ana-cash": 5 * MICROS}
    hear(News("returned", "pay_1"), "stripe", street, records)
    pay_in("pay_2", street, records, clock, purpose="arrears")
    hear(News("captured", "pay_1"), "stripe", street, records)
    # Paid twice, by the holder and by the dispute: what is too much is the holder's, in the pot.
    assert balances(street).get("holder_receivable/ana", 0) == 0
    assert pots(street) == 45 * MICROS
    assert arrears_of("ana", "USD", records).frozen == ""


def test_what_paid_the_debt_may_go_back_itself(street: Desk, records: Records, clock: Clock) -> None:
    pay_in("pay_1", street, records, clock)
    hear(News("returned", "pay_1"), "stripe", street, records)
    pay_in("pay_2", street, records, clock, purpose="arrears")
    assert visit("e1", street, clock)[1] == 0
    hear(News("returned", "pay_2"), "stripe", street, records)
    assert arrears_of("ana", "USD", records).owed == 25 * MICROS
    assert visit("e2", street, clock)[1] == 5 * MICROS


def test_care_that_is_taken_back_flows_into_a_frozen_pot(street: Desk, records: Records, clock: Clock) -> None:
    pay_in("pay_1", street, records, clock)
    visit("e1", street, clock)
    hear(News("returned", "pay_1"), "stripe", street, records)
    back = ServiceEvent(
        source="ehr", event_id="r1", kind="reversal", member="ana", code=Code("local", "visit"), currency="USD",
        started_at=clock.now(), billing_party="clinic", replaces="e1",
    )  # fmt: skip
    [outcome] = clear_events([back], street)
    assert outcome.status == "posted"
    assert pots(street) == 25 * MICROS


def test_a_frozen_pot_is_not_topped_up_by_itself(street: Desk, records: Records, clock: Clock) -> None:
    rule = Rule("ana-cash", "ana", "USD", "stripe", AutomaticTopUp(90 * MICROS, 90 * MICROS, 900 * MICROS, "UTC"))
    record = set_rule(rule, records, author="ana")
    assert judge(record, street, records)[1].why == "due"
    pay_in("pay_1", street, records, clock)
    hear(News("returned", "pay_1"), "stripe", street, records)
    assert judge(record, street, records)[1].why == "frozen"


def test_debts_in_one_currency_freeze_nothing_in_another(street: Desk, records: Records, clock: Clock) -> None:
    pay_in("pay_1", street, records, clock, pot="ana-yen", currency="JPY", amount=500 * MICROS)
    hear(News("returned", "pay_1"), "stripe", street, records)
    pay_in("pay_2", street, records, clock)
    assert visit("e1", street, clock)[0] == {"ana-cash": 5 * MICROS}


@pytest.mark.parametrize("step", ["freeze", "put"])
def test_who_dies_in_between_is_made_up_for(
    step: str, street: Desk, records: Records, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay_in("pay_1", street, records, clock)
    dies = type(street.books if step == "freeze" else records)

    def gone(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(dies, step, gone)
        with pytest.raises(KeyboardInterrupt):
            hear(News("returned", "pay_1"), "stripe", street, records)
    hear(News("returned", "pay_1"), "stripe", street, records)
    assert balances(street)["holder_receivable/ana"] == arrears_of("ana", "USD", records).owed == 25 * MICROS
    with monkeypatch.context() as patched:
        patched.setattr(dies, step, gone)
        with pytest.raises(KeyboardInterrupt):
            hear(News("captured", "pay_1"), "stripe", street, records)
    hear(News("captured", "pay_1"), "stripe", street, records)
    assert balances(street) == {"cash/stripe": 25 * MICROS, "wallet/ana-cash": -25 * MICROS}
    assert visit("e1", street, clock)[2] == []


def test_returns_and_cures_that_cross_end_as_the_list_says(street: Desk, records: Records, clock: Clock) -> None:
    together = threading.Barrier(6)

    def run(number: int) -> None:
        together.wait()
        owe("ana", "USD", f"lost {number}", MICROS, street, records)
        make_good("ana", "USD", f"paid {number}", MICROS, records)
        thaw("ana", "USD", street, records)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = thaw("ana", "USD", street, records)
    visit_now = visit("e1", street, clock)
    assert (visit_now[2] == []) == (now.frozen == "")


def test_a_debt_is_paid_out_of_the_frozen_pot_itself_once(street: Desk, records: Records, clock: Clock) -> None:
    pay_in("pay_1", street, records, clock)
    visit("e1", street, clock)
    hear(News("returned", "pay_1"), "stripe", street, records)
    with pytest.raises(Refused, match="missing"):
        pay_from_pot("c1", "ana-cash", "ana", "USD", 25 * MICROS, street, records)
    for _ in range(2):
        assert pay_from_pot("c2", "ana-cash", "ana", "USD", 20 * MICROS, street, records) == 20 * MICROS
    with pytest.raises(Refused, match="too little"):
        pay_from_pot("c1", "ana-cash", "ana", "USD", 25 * MICROS, street, records)
    assert arrears_of("ana", "USD", records).owed == balances(street)["holder_receivable/ana"] == 5 * MICROS
    pay_in("pay_2", street, records, clock, amount=5 * MICROS, purpose="arrears")
    assert pay_from_pot("c3", "ana-cash", "ana", "USD", 20 * MICROS, street, records) == 0
    assert arrears_of("ana", "USD", records).frozen == ""


def test_who_owes_takes_no_money_out(street: Desk, records: Records, clock: Clock) -> None:
    pay_in("pay_1", street, records, clock)
    pay_in("pay_2", street, records, clock)
    hear(News("returned", "pay_1"), "stripe", street, records)
    refund = Refund("rfd_1", "pay_2", "stripe", "ana-cash", "ana", MICROS, "USD", clock.now())
    with pytest.raises(Conflict, match="owes") as caught:
        begin_refund(refund, records, author="ana")
    assert caught.value.code == "arrears_open"
    pay_from_pot("c1", "ana-cash", "ana", "USD", 25 * MICROS, street, records)
    assert begin_refund(refund, records, author="ana").state == "planned"


def ach_file(*entries: tuple[str, str, int, str], control: str = "") -> bytes:
    """A return file: (code, trace, cents, identification) each."""
    lines = ["101 091400606 6910001342603100306A094101FIRST BANK & TRUST     DRACHM                 ".ljust(94)]
    lines.append("5200DRACHM".ljust(50) + "WEBTOP-UP".ljust(28) + "1091000010000001")
    for number, (code, trace, cents, name) in enumerate(entries, start=1):
        own = f"09100001{number:07}"
        lines.append(f"626091400606{123456789:<17}{cents:010}{name:<15}{'A PAYER':<22}S 1{own}")
        lines.append(f"799{code}{trace:<15}{'':6}09100001{'':44}{own}")
    total = sum(cents for _, _, cents, _ in entries)
    lines.append(("8200" + f"{2 * len(entries):06}" + "0009140060" + f"{total:012}" + f"{0:012}").ljust(94))
    lines.append((control or f"9000001000001{2 * len(entries):08}0009140060{total:012}{0:012}").ljust(94))
    return "\n".join(lines).encode()


def by_bank(name: str, desk: Desk, records: Records, clock: Clock, *, captured: bool = True) -> str:
    begin(payment(clock, name, rail="bank"), records, author="ana")
    if captured:
        hear(News("captured", name), "bank", desk, records)
    return identification(name)


def test_a_debit_that_came_back_is_heard_once(street: Desk, records: Records, clock: Clock) -> None:
    first, second = (by_bank(name, street, records, clock, captured=name == "pay_1") for name in ("pay_1", "pay_2"))
    other = by_bank("pay_3", street, records, clock)
    data = ach_file(
        ("R01", "091400600000001", 2_500, first),
        ("R10", "091400600000002", 2_500, second),
        ("R01", "091400600000003", 2_400, other),
        ("R02", "091400600000004", 2_500, "NOBODYS"),
        ("R68", "091400600000005", 2_500, other),
        ("R02", "091400600000006", 2_500, ""),
    )
    for _ in range(2):
        heard = hear_returns(read_returns(data).found, street, records)
        assert [end for _, end in heard] == ["returned", "declined", *["unexplained"] * 4]
    assert [find(name, records).state for name in ("pay_1", "pay_2", "pay_3")] == ["returned", "declined", "captured"]
    assert [find(name, records).reason for name in ("pay_1", "pay_2")] == ["insufficient_funds", "not_authorised"]
    assert balances(street)["holder_receivable/ana"] == 25 * MICROS
    # Paid after all: the file that comes a third time takes nothing back again.
    hear(News("captured", "pay_1"), "bank", street, records)
    hear_returns(read_returns(data).found, street, records)
    assert "holder_receivable/ana" not in balances(street)


def test_a_return_file_that_was_cut_or_changed_is_refused_whole() -> None:
    whole = ach_file(("R01", "091400600000001", 2_500, "123"), ("R03", "091400600000002", 100, "124"))
    lines = whole.splitlines()
    assert [(one.code, one.amount, one.reason) for one in read_returns(whole).found] == [
        ("R01", 25 * MICROS, "insufficient_funds"), ("R03", MICROS, "no_account"),
    ]  # fmt: skip
    wrong = {
        b"": "wrong_file", b"<Document/>": "wrong_file", b"\xff": "wrong_file", lines[0]: "wrong_file",
        b"\n".join([lines[0], lines[3], *lines[4:]]): "wrong_file",
        b"\n".join([*lines[:2], *lines[4:]]): "out_of_balance",
        b"\n".join(lines[:-1]): "out_of_balance",
        whole.replace(b"0000002500", b"0000002600"): "out_of_balance",
        whole.replace(b"0000002500", b"00000025x0"): "wrong_file",
        whole.replace(b"799R01", b"799X01"): "wrong_file",
        whole.replace(b"260310", b"261340"): "wrong_file",
        whole + b"\nZZZ": "wrong_file", whole + b"\n6" + b"0" * 94: "wrong_file",
    }  # fmt: skip
    for data, code in wrong.items():
        with pytest.raises(InvalidMessage) as caught:
            read_returns(data)
        assert caught.value.code == code, data


def test_what_is_no_return_is_named_and_line_ends_do_not_matter() -> None:
    whole = ach_file(("R01", "091400600000001", 2_500, "123"), ("R03", "091400600000002", 100, "124"))
    changed = whole.replace(b"799R03", b"798C01").decode()
    said = read_returns(whole).found[:1], ["file line 5: a notification of change (C01)"]
    for ends in ("\n", "\r\n", "\r", ""):
        assert read_returns(changed.replace("\n", ends).encode()) == said, ends
    lines = changed.splitlines()
    plain = [*lines[:5], lines[6][:4] + "000003" + lines[6][10:], lines[7][:13] + "00000003" + lines[7][21:]]
    assert read_returns("\n".join(plain).encode()).passed_over == ["file line 5: an entry that was not returned"]


def test_recorded_return_files_are_read() -> None:
    place = Path(os.environ.get("DRACHM_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "nacha"
    if not place.is_dir():
        pytest.skip("the shared set is not here")
    read, changes = {}, []
    for path in sorted(place.glob("*.ach")):
        try:
            told = read_returns(path.read_bytes())
            read[path.name] = [(one.code, one.debit) for one in told.found]
            changes += [path.name for line in told.passed_over if "(C0" in line]
        except InvalidMessage as error:
            read[path.name] = error.code
    assert read["return-WEB.ach"] == [("R01", True), ("R03", False)]
    assert read["cor-example.ach"] == read["ppd-debit.ach"] == []
    assert "cor-example.ach" in changes
    assert "ppd-debit.ach" not in changes
    assert read["20110729A-invalid.ach"] == "wrong_file"
    assert [code for code, _ in read["dishonored-return.ach"]] == ["R68", "R68"]
