"""Stories of care: charged, held, corrected, answered late."""

from __future__ import annotations

from story import ANA, Story
from town import charge, pay_in

from drachm.application.clear_events import clear_events
from drachm.application.complete_answer import complete_answer
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.domain.clearing.model import Answer
from drachm.domain.events.model import Code
from drachm.domain.money import MICROS


def _top_up(desk: Desk) -> list[Outcome]:
    pay_in(desk, "ana-gift", 5)
    pay_in(desk, "ana-cash", 95)
    return []


def _charge(desk: Desk) -> list[Outcome]:
    return clear_events([charge("e1", 40)], desk)


def _two_payers(desk: Desk) -> list[Outcome]:
    return clear_events([charge("e1", 40, member="ben")], desk)


def _hold_and_capture(desk: Desk) -> list[Outcome]:
    held = clear_events([charge("h1", 40, kind="hold")], desk)
    return held + clear_events([charge("e1", 20, kind="replacement", replaces="h1")], desk)


def _hold_and_release(desk: Desk) -> list[Outcome]:
    held = clear_events([charge("h1", 40, kind="hold")], desk)
    return held + clear_events([charge("s1", 0, kind="stop", replaces="h1")], desk)


def _reversal(desk: Desk) -> list[Outcome]:
    charged = clear_events([charge("e1", 40)], desk)
    return charged + clear_events([charge("r1", 0, kind="reversal", replaces="e1")], desk)


def _replacement(desk: Desk) -> list[Outcome]:
    charged = clear_events([charge("e1", 40)], desk)
    return charged + clear_events([charge("e2", 30, kind="replacement", replaces="e1")], desk)


def _provisional(desk: Desk) -> list[Outcome]:
    first = Answer("271-1", "town-insurance", 40 * MICROS, 30 * MICROS, 10 * MICROS, "provisional")
    last = Answer("835-1", "town-insurance", 40 * MICROS, 28 * MICROS, 12 * MICROS, "final")
    outcomes = clear_events([charge("e1", 40)], desk, {"e1": first})
    return [*outcomes, complete_answer("ehr", "e1", last, desk)]


def _monthly_cap(desk: Desk) -> list[Outcome]:
    days = [charge(f"e{n}", 40, member="mei", visit=f"v{n}") for n in (1, 2)]
    return clear_events(days, desk)


def _borne_by_provider(desk: Desk) -> list[Outcome]:
    return clear_events([charge("e1", 40, code=Code("local", "scan"), display="Scan")], desk)


CARE = (
    Story(
        "top-up",
        "Top-up",
        "Ana brings 100.00 to the cash desk: 5.00 that she was given for medicine, 95.00 of her own. Each "
        "goes into a pot of its own. The money is there (cash) and it is hers (wallet).",
        _top_up,
    ),
    Story(
        "charge",
        "Charge: payer, wallet and a rest that is due",
        "A visit of 40.00. Ana pays the first 10.00 of a year and a fifth of the rest, 16.00 in all; the "
        "insurer pays 24.00. Her pots hold 5.00 and 6.00, so 5.00 stay due. Care that was delivered is "
        "never refused for money. The clinic is owed 40.00, in three credits: what the insurer owes, what "
        "was in the wallet, what Ana owes.",
        _charge,
        {"ana-gift": 5, "ana-cash": 6},
    ),
    Story(
        "two-payers",
        "Two payers, one bill",
        "Ben has the same insurance and behind it the town's help, which pays half of what the insurance "
        "leaves. His part is 16.00 after the first and 8.00 after the second. One event, one row, one "
        "receipt.",
        _two_payers,
        {"ben-cash": 50},
    ),
    Story(
        "hold-and-capture",
        "Hold, then capture for less",
        "A visit expected to cost 40.00 reserves Ana's part of it, 16.00, before it begins: the money "
        "leaves what her pots may spend and waits. It counts toward nothing, for no care has happened. The "
        "visit turns out to cost 20.00 and replaces the hold: Ana's part is 12.00 and the rest is free "
        "again. The second row is the difference.",
        _hold_and_capture,
        ANA,
    ),
    Story(
        "hold-and-release",
        "Hold, then release",
        "The visit does not take place. A stop lets the money go.",
        _hold_and_release,
        ANA,
    ),
    Story(
        "reversal",
        "Reversal",
        "The visit was charged by mistake. The reversal posts every entry of it the other way round and "
        "takes back what it added to the running totals. Both rows stay.",
        _reversal,
        ANA,
    ),
    Story(
        "replacement",
        "Replacement",
        "The visit should have been billed at 30.00. The replacement is decided as if the first had never "
        "been, and one row posts the difference: the insurer owes 8.00 less, and 2.00 go back into the pot "
        "they were drawn from last.",
        _replacement,
        ANA,
    ),
    Story(
        "provisional-answer",
        "A provisional answer made final",
        "The insurer is asked itself. At once it answers, provisionally, that it will pay 30.00 of the "
        "40.00; later, for good, that it pays 28.00. The second answer is a new revision of the same event "
        "and posts 2.00.",
        _provisional,
        ANA,
    ),
    Story(
        "monthly-cap",
        "A monthly cap that gives back for earlier events",
        "Mei pays three tenths, 12.00 of each visit of 40.00. Her fund's rule: what she pays at one place "
        "in a month counts once it reaches 15.00, and then all of it; of what counts she pays at most "
        "10.00. The first visit does not count yet. With the second, 24.00 count at once: the fund takes "
        "over the 12.00 of this visit, and owes her 2.00 for the earlier one. That is a credit: it changes "
        "no earlier row.",
        _monthly_cap,
        {"mei-cash": 50},
    ),
    Story(
        "borne-by-provider",
        "A denied line that the provider bears",
        "A scan needs the insurer's agreement beforehand, and nobody asked for it. The plan says that this "
        "falls on the provider. The line is denied, Ana owes nothing, and the row has no entries: nobody "
        "owes anybody anything.",
        _borne_by_provider,
        ANA,
    ),
)
