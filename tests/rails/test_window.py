"""Cash at a window: opened, taken, counted; nothing slips between a shift and the next."""

from __future__ import annotations

import threading

import pytest
from rail_helpers import Clock, payment

from drachm.application.desk import Desk
from drachm.application.payments import find
from drachm.application.records import Records
from drachm.application.window import close_shift, open_shift, shift_of, take
from drachm.domain.errors import Conflict, DrachmError, InvalidMessage
from drachm.domain.money import MICROS
from drachm.domain.payments.cash import Shift
from drachm.domain.payments.model import Payment


def shift(clock: Clock, id: str = "s1", **more: object) -> Shift:
    return Shift(
        **{  # type: ignore[arg-type]
            "id": id, "window": "w1", "clerk": "cleo", "currency": "USD", "opened_at": clock.now(),
            "laid_in": 100 * MICROS, **more,
        }
    )  # fmt: skip


def cash(clock: Clock, id: str, amount: int = 25 * MICROS, **more: object) -> Payment:
    return payment(clock, id, rail="cash", amount=amount, **more)


def left(desk: Desk) -> int:
    return desk.books.pots(["ana-cash"])["ana-cash"][0]


def balances(desk: Desk) -> dict[str, int]:
    return {f"{account.kind}/{account.owner}": amount for account, amount in desk.books.balances().items() if amount}


def test_a_shift_is_opened_takes_money_and_is_counted(desk: Desk, records: Records, clock: Clock) -> None:
    open_shift(shift(clock), records)
    for name in ("a", "b", "b"):
        assert take(cash(clock, name), "s1", "cleo", desk, records).state == "captured"
        clock.sleep(seconds=9)
    assert left(desk) == 50 * MICROS
    assert shift_of("s1", records).expected == 150 * MICROS
    for _ in range(2):
        done = close_shift("s1", 148_500_000, "cleo", desk, records)
    assert done.difference == -1_500_000
    assert balances(desk) == {
        "cash/cash": 48_500_000,
        "cash_difference/w1": 1_500_000,
        "wallet/ana-cash": -50 * MICROS,
    }
    open_shift(shift(clock, "s2", clerk="dan", laid_in=148_500_000), records)
    assert close_shift("s2", 148_500_000, "dan", desk, records).difference == 0


def test_too_much_in_the_box_is_named_too(desk: Desk, records: Records, clock: Clock) -> None:
    open_shift(shift(clock), records)
    assert close_shift("s1", 101 * MICROS, "cleo", desk, records).difference == MICROS
    assert balances(desk) == {"cash/cash": MICROS, "cash_difference/w1": -MICROS}


def test_one_shift_at_a_window(records: Records, clock: Clock, desk: Desk) -> None:
    open_shift(shift(clock), records)
    for again in (shift(clock), shift(clock, "s2"), shift(clock, "s3", clerk="dan")):
        with pytest.raises(Conflict) as caught:
            open_shift(again, records)
        assert caught.value.code == "window_taken"
    open_shift(shift(clock, "s4", window="w2"), records)
    close_shift("s1", 100 * MICROS, "cleo", desk, records)
    with pytest.raises(Conflict):
        open_shift(shift(clock), records)


def test_what_cannot_be_is_refused_and_changes_nothing(desk: Desk, records: Records, clock: Clock) -> None:
    open_shift(shift(clock), records)
    take(cash(clock, "a"), "s1", "cleo", desk, records)
    for wish, at, clerk in (
        (cash(clock, "b"), "s9", "cleo"),
        (cash(clock, "b"), "s1", "dan"),
        (cash(clock, "b", 5_000), "s1", "cleo"),
        (cash(clock, "b", -MICROS), "s1", "cleo"),
        (cash(clock, "b", pot="ana-yen", currency="JPY"), "s1", "cleo"),
        (cash(clock, "a", 26 * MICROS), "s1", "cleo"),
    ):
        with pytest.raises(DrachmError):
            take(wish, at, clerk, desk, records)
    for counted, clerk in ((-1, "cleo"), (5_000, "cleo"), (125 * MICROS, "dan")):
        with pytest.raises(DrachmError):
            close_shift("s1", counted, clerk, desk, records)
    with pytest.raises(InvalidMessage):
        open_shift(shift(clock, "s2", window="w2", laid_in=-1), records)
    assert left(desk) == 25 * MICROS
    close_shift("s1", 125 * MICROS, "cleo", desk, records)
    with pytest.raises(Conflict) as caught:
        take(cash(clock, "c"), "s1", "cleo", desk, records)
    assert caught.value.code == "shift_closed"
    with pytest.raises(Conflict):
        close_shift("s1", 124 * MICROS, "cleo", desk, records)
    # What was taken before stays taken, whoever asks again.
    assert take(cash(clock, "a"), "s1", "cleo", desk, records).state == "captured"
    assert left(desk) == 25 * MICROS


def test_money_taken_while_the_box_is_counted_is_in_this_shift_or_refused(
    desk: Desk, records: Records, clock: Clock
) -> None:
    open_shift(shift(clock), records)
    together = threading.Barrier(5)
    refused: list[str] = []
    faults: list[Exception] = []

    def run(name: str) -> None:
        together.wait()
        try:
            take(cash(clock, name), "s1", "cleo", desk, records)
        except Conflict:
            refused.append(name)
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    together.wait()
    done = close_shift("s1", 100 * MICROS, "cleo", desk, records)
    for thread in threads:
        thread.join()
    assert faults == []
    assert left(desk) == done.taken == (4 - len(refused)) * 25 * MICROS
    assert balances(desk).get("cash/cash", 0) == 0


def test_a_machine_that_died_before_booking_is_made_up_for(desk: Desk, records: Records, clock: Clock) -> None:
    open_shift(shift(clock), records)

    class Dead(Exception):
        pass

    def dies(*_: object) -> None:
        raise Dead

    dying = Desk(type("Books", (), {"work": dies, "fund": dies, "tenant": 1})(), desk.clock, desk.ids)
    with pytest.raises(Dead):
        take(cash(clock, "a"), "s1", "cleo", dying, records)
    assert (left(desk), find("a", records).state) == (0, "planned")
    close_shift("s1", 125 * MICROS, "cleo", desk, records)
    assert (left(desk), find("a", records).state) == (25 * MICROS, "captured")
