"""Cash back at the window: by two people, never more than came in, once, out of a box that holds it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from rail_helpers import Clock, payment

from drachm.application import cash_refunds, window
from drachm.application.cash_refunds import KIND, agree, propose, refund_of, stop
from drachm.application.check_books import check_books
from drachm.application.desk import Desk
from drachm.application.payments import find
from drachm.application.records import Records
from drachm.application.transfers import Transfer, move
from drachm.application.window import close_shift, give, open_shift, shift_of, take
from drachm.domain.errors import Conflict, DrachmError, Forbidden, InvalidMessage
from drachm.domain.ledger.model import Account, Entry, Source
from drachm.domain.money import MICROS
from drachm.domain.payments.cash import Shift
from drachm.domain.payments.cash_refund import CashRefund


def wish(clock: Clock, id: str = "r1", amount: int = 20 * MICROS, **more: object) -> CashRefund:
    return CashRefund(
        **{  # type: ignore[arg-type]
            "id": id, "party": "clinic", "pot": "ana-cash", "member": "ana", "currency": "USD", "amount": amount,
            "proposed_by": "cleo", "proposed_at": clock.now(), "consent": "yes, at the window", **more,
        }
    )  # fmt: skip


@pytest.fixture
def open_box(desk: Desk, records: Records, clock: Clock) -> str:
    """Cleo's box with 100.00 in it and 25.00 twice from Ana."""
    open_shift(Shift("s1", "w1", "cleo", "USD", clock.now(), 100 * MICROS, party="clinic"), records)
    for name in ("a", "b"):
        take(payment(clock, name, rail="cash"), "s1", "cleo", desk, records)
    return "s1"


def pot(desk: Desk) -> tuple[int, int]:
    return desk.books.pots(["ana-cash"])["ana-cash"]


def rows(desk: Desk) -> int:
    return len(list(desk.books.rows()))


def refunded(records: Records) -> int:
    return sum(find(name, records).refunded for name in ("a", "b"))


def state(records: Records, id: str = "r1") -> str:
    record = records.get(KIND, id)
    assert record is not None
    return refund_of(record).state


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each gave, or raised, of calls that begin together."""
    together, ends = threading.Barrier(len(calls)), list[object]([None] * len(calls))

    def run(number: int) -> None:
        together.wait()
        try:
            ends[number] = calls[number]()
        except DrachmError as error:
            ends[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def test_two_people_and_an_open_box(desk: Desk, records: Records, clock: Clock, open_box: str) -> None:
    for _ in range(2):
        propose(wish(clock, amount=30 * MICROS), desk, records)
    assert pot(desk) == (50 * MICROS, 0)
    with pytest.raises(Conflict) as caught:
        give("r1", "s1", "cleo", desk, records)
    assert caught.value.code == "refund_not_ready"
    with pytest.raises(Forbidden):
        agree("r1", "cleo", clock.now(), desk, records)
    agree("r1", "fay", clock.now(), desk, records)
    assert (state(records), pot(desk), refunded(records)) == ("ready", (20 * MICROS, 30 * MICROS), 30 * MICROS)
    assert [part for _, part in refund_of(records.get(KIND, "r1")).parts] == [25 * MICROS, 5 * MICROS]  # type: ignore[arg-type]
    before = rows(desk)
    for _ in range(2):
        assert give("r1", "s1", "cleo", desk, records).state == "paid"
    assert (rows(desk), pot(desk)) == (before + 1, (20 * MICROS, 0))
    assert (shift_of("s1", records).given, shift_of("s1", records).expected) == (30 * MICROS, 120 * MICROS)
    assert close_shift("s1", 119 * MICROS, "cleo", desk, records).difference == -MICROS
    balances = {f"{one.kind}/{one.owner}": amount for one, amount in desk.books.balances().items() if amount}
    assert balances == {"cash/cash": 19 * MICROS, "cash_difference/w1": MICROS, "wallet/ana-cash": -20 * MICROS}
    assert check_books(desk.books) == []
    for late in (
        lambda: agree("r1", "fay", clock.now(), desk, records),
        lambda: stop("r1", "fay", clock.now(), desk, records),
    ):
        with pytest.raises(Conflict, match="paid already"):
            late()


def test_never_more_than_came_in_as_cash_at_this_clinic(
    desk: Desk, records: Records, clock: Clock, open_box: str
) -> None:
    open_shift(Shift("s2", "w2", "hal", "USD", clock.now(), 0, party="hospital"), records)
    take(payment(clock, "c", rail="cash"), "s2", "hal", desk, records)
    for changes in ({"amount": 51 * MICROS}, {"party": "nobody"}, {"pot": "ana-yen", "currency": "JPY"}):
        with pytest.raises(Conflict) as caught:
            propose(wish(clock, **changes), desk, records)  # type: ignore[arg-type]
        assert caught.value.code == "refund_exceeds"
    for changes in ({"amount": 0}, {"amount": -MICROS}, {"amount": 5_000}, {"consent": ""}):
        with pytest.raises(InvalidMessage):
            propose(wish(clock, **changes), desk, records)  # type: ignore[arg-type]
    with pytest.raises(InvalidMessage) as named:
        propose(wish(clock, charge_refund="rfd_none"), desk, records)
    assert named.value.code == "invalid_refund"
    assert records.find(KIND) == []
    for name in ("r1", "r2", "r3"):
        propose(wish(clock, name), desk, records)
    agree("r1", "fay", clock.now(), desk, records)
    agree("r2", "fay", clock.now(), desk, records)
    with pytest.raises(Conflict) as caught:
        agree("r3", "fay", clock.now(), desk, records)
    assert caught.value.code == "refund_exceeds"
    stop("r2", "dan", clock.now(), desk, records)
    assert (state(records, "r2"), refunded(records)) == ("withdrawn", 20 * MICROS)
    agree("r3", "fay", clock.now(), desk, records)
    assert (state(records, "r3"), pot(desk)) == ("ready", (35 * MICROS, 40 * MICROS))


def test_a_box_that_is_short_closed_or_not_ones_own_says_so(
    desk: Desk, records: Records, clock: Clock, open_box: str
) -> None:
    propose(wish(clock), desk, records)
    agree("r1", "fay", clock.now(), desk, records)
    open_shift(Shift("poor", "w2", "dan", "USD", clock.now(), 19 * MICROS, party="clinic"), records)
    open_shift(Shift("far", "w3", "hal", "USD", clock.now(), 99 * MICROS, party="hospital"), records)
    open_shift(Shift("yen", "w4", "cleo", "JPY", clock.now(), 99 * MICROS, party="clinic"), records)
    open_shift(Shift("over", "w5", "cleo", "USD", clock.now(), 99 * MICROS, party="clinic"), records)
    close_shift("over", 99 * MICROS, "cleo", desk, records)
    told = {}
    for box, clerk in (("poor", "dan"), ("poor", "cleo"), ("far", "hal"), ("yen", "cleo"), ("over", "cleo")):
        with pytest.raises(Conflict) as caught:
            give("r1", box, clerk, desk, records)
        told[f"{box} {clerk}"] = caught.value.code
        assert caught.value.next_step
    assert told == {
        "poor dan": "box_short",
        "poor cleo": "not_your_shift",
        "far hal": "conflict",
        "yen cleo": "conflict",
        "over cleo": "shift_closed",
    }
    for name, box in (("r9", "s1"), ("r1", "s9")):
        with pytest.raises(InvalidMessage):
            give(name, box, "cleo", desk, records)
    assert state(records) == "ready"
    assert give("r1", "s1", "cleo", desk, records).state == "paid"
    with pytest.raises(Conflict) as caught:
        give("r1", "poor", "dan", desk, records)
    assert caught.value.code == "refund_paid"


def test_a_wallet_that_spent_it_meanwhile_gives_nothing(
    desk: Desk, records: Records, clock: Clock, open_box: str
) -> None:
    propose(wish(clock, amount=50 * MICROS), desk, records)
    entries = (
        Entry(Account("wallet", "ana-cash", "USD"), 40 * MICROS, Source.WALLET),
        Entry(Account("provider_payable", "clinic", "USD"), -40 * MICROS, Source.WALLET),
    )
    move(Transfer("spent", "x", entries, "ana"), desk)
    record = agree("r1", "fay", clock.now(), desk, records)
    assert (refund_of(record).state, record.body["why"]) == ("failed", "insufficient_funds")
    assert (pot(desk), refunded(records)) == ((10 * MICROS, 0), 0)
    with pytest.raises(Conflict):
        give("r1", "s1", "cleo", desk, records)


def test_two_clerks_hand_it_out_once(desk: Desk, records: Records, clock: Clock, open_box: str) -> None:
    open_shift(Shift("s2", "w2", "dan", "USD", clock.now(), 100 * MICROS, party="clinic"), records)
    propose(wish(clock), desk, records)
    agree("r1", "fay", clock.now(), desk, records)
    ends = at_once(
        lambda: give("r1", "s1", "cleo", desk, records),
        lambda: give("r1", "s2", "dan", desk, records),
        lambda: give("r1", "s1", "cleo", desk, records),
        lambda: stop("r1", "eve", clock.now(), desk, records),
    )
    given = shift_of("s1", records).given + shift_of("s2", records).given
    if state(records) == "withdrawn":
        assert (given, pot(desk)) == (0, (50 * MICROS, 0))
    else:
        assert (given, pot(desk)) == (20 * MICROS, (30 * MICROS, 0))
        assert sum(isinstance(end, CashRefund) for end in ends) in (1, 2)
    assert check_books(desk.books) == []


def test_many_who_agree_at_once_hold_it_once_and_never_more_than_came_in(
    desk: Desk, records: Records, clock: Clock, open_box: str
) -> None:
    for name in ("r1", "r2", "r3", "r4"):
        propose(wish(clock, name), desk, records)
    at_once(*[lambda name=name: agree(name, "fay", clock.now(), desk, records) for name in ("r1", "r2", "r3", "r4")])
    at_once(*[lambda: agree("r1", "fay", clock.now(), desk, records) for _ in range(3)])
    states = sorted(state(records, name) for name in ("r1", "r2", "r3", "r4"))
    assert states == ["proposed", "proposed", "ready", "ready"]
    assert (pot(desk), refunded(records)) == ((10 * MICROS, 40 * MICROS), 40 * MICROS)


def test_handed_out_while_the_box_is_counted_is_in_this_shift_or_refused(
    desk: Desk, records: Records, clock: Clock, open_box: str
) -> None:
    propose(wish(clock), desk, records)
    agree("r1", "fay", clock.now(), desk, records)
    at_once(
        lambda: give("r1", "s1", "cleo", desk, records),
        lambda: close_shift("s1", 130 * MICROS, "cleo", desk, records),
    )
    shift = shift_of("s1", records)
    assert shift.given == (20 * MICROS if state(records) == "paid" else 0)
    assert shift.difference == 130 * MICROS - 150 * MICROS + shift.given
    assert desk.books.balances()[Account("cash", "cash", "USD")] == 30 * MICROS


class Died(Exception):
    """A machine that stops in the middle."""


def test_whoever_died_on_the_way_is_made_up_for(
    desk: Desk, records: Records, clock: Clock, open_box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    propose(wish(clock), desk, records)

    def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(cash_refunds, "move", dies)
        with pytest.raises(Died):
            agree("r1", "fay", clock.now(), desk, records)
    assert (state(records), pot(desk)[1]) == ("agreed", 0)
    agree("r1", "gil", clock.now(), desk, records)
    assert (state(records), pot(desk)[1]) == ("ready", 20 * MICROS)
    with monkeypatch.context() as patch:
        patch.setattr(window, "handed_out", dies)
        with pytest.raises(Died):
            give("r1", "s1", "cleo", desk, records)
    assert (state(records), pot(desk)[1]) == ("paid", 20 * MICROS)
    assert close_shift("s1", 130 * MICROS, "cleo", desk, records).difference == 0
    assert pot(desk) == (30 * MICROS, 0)
    # Withdrawn, and dead before it was let go.
    propose(wish(clock, "r2"), desk, records)
    agree("r2", "fay", clock.now(), desk, records)
    with monkeypatch.context() as patch:
        patch.setattr(cash_refunds, "_let_go", dies)
        with pytest.raises(Died):
            stop("r2", "dan", clock.now(), desk, records)
    assert pot(desk)[1] == 20 * MICROS
    stop("r2", "dan", clock.now(), desk, records)
    assert pot(desk) == (30 * MICROS, 0)
    assert check_books(desk.books) == []


def test_who_held_it_after_it_had_failed_lets_it_go(
    desk: Desk, records: Records, clock: Clock, open_box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    propose(wish(clock), desk, records)
    really = cash_refunds.move

    def slow(order: Transfer, at: Desk) -> int:
        position = really(order, at)
        record = records.get(KIND, "r1")
        if order.id == "r1/hold" and record is not None and refund_of(record).state == "agreed":
            # Somebody else had found the wallet empty, before.
            records.put(
                [cash_refunds.as_record(replace(refund_of(record), outcome="failed"), record, "eve", clock.now())]
            )
        return position

    monkeypatch.setattr(cash_refunds, "move", slow)
    assert refund_of(agree("r1", "fay", clock.now(), desk, records)).state == "failed"
    assert pot(desk) == (50 * MICROS, 0)
