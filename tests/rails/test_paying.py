"""The thread that takes up what was left lying asks no rail more often than it must."""

from __future__ import annotations

import pytest
from rail_helpers import Clock, payment

from drachm.application import automatic_top_ups
from drachm.application.automatic_top_ups import RULE, Rule, set_rule
from drachm.application.body import TopUp
from drachm.application.desk import Desk
from drachm.application.paying import Payer, _look, _Looks, keep_paying
from drachm.application.payments import begin, find, work_through
from drachm.application.records import Records
from drachm.application.top_up import top_up
from drachm.domain.money import MICROS
from drachm.domain.payments.automatic import AutomaticTopUp, Verdict
from drachm.domain.payments.model import News, Payment
from drachm.storage.memory import MemoryBooks
from drachm.storage.money_reading import PostgresMoney


class Asked:
    """A rail whose payers never come, and that counts its questions."""

    name = "stripe"

    def __init__(self) -> None:
        self.asks = self.looks = 0

    def ask(self, payment: Payment) -> News:
        self.asks += 1
        return News("waiting", payment.id, f"ref-{payment.id}")

    def look(self, payment: Payment) -> News:
        self.looks += 1
        return News("waiting", payment.id)

    def read_callback(self, *_: object) -> list[News]:
        return []


class Quiet:
    """Books of which nobody owes anything, and in which no pot with a rule moves by itself."""

    def __init__(self) -> None:
        self.moved: list[str] = []
        self.asked: list[int] = []

    def dues(self, member: str, currency: str) -> list[object]:
        return []

    def accounts(self, **_: object) -> list[object]:
        return []

    def moved_pots(self, kind: str, after: int) -> tuple[list[str], int]:
        self.asked.append(after)
        moved, self.moved = self.moved, []
        return moved, after + 1


def test_a_payer_who_takes_time_is_asked_for_every_ten_minutes(clock: Clock, desk: Desk, records: Records) -> None:
    rail = Asked()
    begin(payment(clock), records, author="ana")
    rounds = 0

    class Ticking:
        """Stands for the wait between two looks: ten seconds each, for an hour."""

        def wait(self, pause: float) -> bool:
            nonlocal rounds
            rounds += 1
            clock.sleep(seconds=pause)
            return rounds > 360

    keep_paying(Payer({"stripe": rail}, desk, records, Quiet()), Ticking())  # type: ignore[arg-type]
    assert (rail.asks, rail.looks) == (1, 5)


def test_more_payments_than_a_page_are_all_taken_up(clock: Clock, desk: Desk, records: Records) -> None:
    rail = Asked()
    for number in range(130):
        begin(payment(clock, f"pay_{number:03}"), records, author="ana")
    assert len(work_through({"stripe": rail}, desk, records)) == 130
    assert find("pay_129", records).state == "waiting"
    clock.sleep(minutes=11)
    assert len(work_through({"stripe": rail}, desk, records, waiting=False)) == 0
    assert len(work_through({"stripe": rail}, desk, records)) == 130


def test_between_full_looks_only_pots_that_moved_or_have_a_new_rule_are_judged(
    clock: Clock, desk: Desk, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    monkeypatch.setattr(
        automatic_top_ups, "judge", lambda record, *_: judged.append(record.id) or (None, Verdict("enough"), [])
    )
    rule = AutomaticTopUp(MICROS, MICROS, MICROS, "UTC")
    set_rule(Rule("ana-cash", "ana", "USD", "stripe", rule), records, author="ana")
    set_rule(Rule("ana-yen", "ana", "JPY", "stripe", rule), records, author="ana")
    quiet, looks = Quiet(), _Looks()
    payer = Payer({"stripe": Asked()}, desk, records, quiet)  # type: ignore[arg-type,dict-item]
    for wanted, moved in (
        (["ana-cash", "ana-yen"], []), ([], []), (["ana-yen"], ["ana-yen", "no-rule"]), ([], []),
    ):  # fmt: skip
        quiet.moved = list(moved)
        _look(payer, looks)
        assert judged == wanted
        judged.clear()
        clock.sleep(seconds=10)
    kept = records.get(RULE, "ana-cash")
    assert kept is not None
    set_rule(Rule("ana-cash", "ana", "USD", "stripe", rule), records, author="ana", version=kept.version)
    _look(payer, looks)
    assert judged == ["ana-cash"]
    judged.clear()
    clock.sleep(hours=1)
    _look(payer, looks)
    assert judged == ["ana-cash", "ana-yen"]
    assert quiet.asked == [-1, 0, 1, 2, 3, 4]


def test_pots_that_moved_are_found_by_the_index(clock: Clock, desk: Desk, records: Records) -> None:
    if isinstance(desk.books, MemoryBooks):
        pytest.skip("the index is kept in the database")
    money = PostgresMoney.of(desk.books)
    rule = AutomaticTopUp(MICROS, MICROS, MICROS, "UTC")
    set_rule(Rule("ana-cash", "ana", "USD", "stripe", rule), records, author="ana")
    assert money.moved_pots(RULE, -1) == ([], 0)
    for pot, currency in (("ana-cash", "USD"), ("ana-yen", "JPY")):
        top_up(TopUp("window", pot, pot, "ana", 5 * MICROS, currency, "cash", clock.now()), desk)
    assert money.moved_pots(RULE, 0) == ([], 0)
    money.catch_up()
    moved, until = money.moved_pots(RULE, 0)
    assert (moved, until >= 2) == (["ana-cash"], True)
    assert money.moved_pots(RULE, until) == ([], until)
    assert money.moved_pots(RULE, -1) == ([], until)
