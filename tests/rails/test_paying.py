"""The thread that takes up what was left lying asks no rail more often than it must."""

from __future__ import annotations

from rail_helpers import Clock, payment

from drachm.application.desk import Desk
from drachm.application.paying import keep_paying
from drachm.application.payments import begin, find, work_through
from drachm.application.records import Records
from drachm.domain.payments.model import News, Payment


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

    keep_paying({"stripe": rail}, desk, records, Ticking())  # type: ignore[arg-type]
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
