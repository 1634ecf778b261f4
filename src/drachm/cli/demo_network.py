"""A small network for the demo: three providers of different levels, four plans, people with wallets, a week of care.

Everybody here is made up; the recorded care beside it is Synthea's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from drachm.application.body import TopUp
from drachm.application.desk import Desk
from drachm.application.replay import World
from drachm.application.top_up import top_up
from drachm.domain.coverage.model import NO_PLAN, Contract, Coverage, Member, Party
from drachm.domain.events.model import UNIT, Code, ServiceEvent
from drachm.domain.funding.allotment import admission, open_fund
from drachm.domain.funding.model import Pot
from drachm.domain.funding.quota import Limit, Terms
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

AGREED: Final = Period(date(2026, 1, 1), date(2036, 1, 1))
MONDAY: Final = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)

PARTIES: Final = [
    Party("riverside-clinic", ("provider",), "Riverside clinic", "America/New_York", {"facility_level": "1"}),
    Party("county-hospital", ("provider",), "County hospital", "America/New_York", {"facility_level": "2"}),
    Party("east-gate-hospital", ("provider",), "East Gate hospital", "Asia/Shanghai", {"facility_level": "3"}),
]
MEMBERS: Final = [
    Member("demo-ana", date(1988, 4, 2), "female", "demo-family-1"),
    Member("demo-tom", date(2017, 9, 9), "male", "demo-family-1"),
    Member("demo-hugo", date(1979, 1, 20), "male"),
    Member("demo-rosa", date(1950, 6, 30), "female"),
    Member("demo-li", date(1990, 11, 3), "female", facts={"member_category": "employee"}),
    Member("demo-wang", date(1951, 2, 14), "male", facts={"member_category": "retiree"}),
    Member("demo-sam", date(1999, 12, 1), "other"),
    Member("demo-grandmother", date(1947, 5, 21), "female"),
]
COVERAGES: Final = [
    Coverage("demo-c1", "demo-ana", "drachm-us-ppo", AGREED, policy="demo-p1"),
    Coverage("demo-c2", "demo-tom", "drachm-us-ppo", AGREED, policy="demo-p1"),
    Coverage("demo-c3", "demo-hugo", "drachm-us-hdhp", AGREED, facts={"tier": "self_only"}),
    Coverage("demo-c4", "demo-rosa", "us-medicare-part-b", AGREED, rank=1),
    Coverage("demo-c5", "demo-rosa", "us-medicaid", AGREED, rank=2),
    Coverage("demo-c6", "demo-li", "drachm-beijing-employee", AGREED),
    Coverage("demo-c7", "demo-wang", "drachm-beijing-employee", AGREED),
    Coverage("demo-c8", "demo-sam", NO_PLAN, AGREED),
    Coverage("demo-c9", "demo-grandmother", NO_PLAN, AGREED),
]
WALLETS: Final = {
    "demo-ana": ("USD", 120),
    "demo-tom": ("USD", 40),
    "demo-hugo": ("USD", 60),
    "demo-rosa": ("USD", 25),
    "demo-li": ("CNY", 1500),
    "demo-wang": ("CNY", 400),
    "demo-sam": ("USD", 30),
    "demo-grandmother": ("USD", 5),
}
FAMILY_POT: Final = open_fund("wal_demofamily", "USD", slices=1, pocket="family")
"""What Ana puts aside for hers: herself, Tom, and the grandmother, who has said yes to it."""
FAMILY_HOLDER: Final = "demo-ana"
FAMILY_MEMBERS: Final = ("demo-ana", "demo-tom", "demo-grandmother")
"""For whom it pays."""
FAMILY_PRIORITY: Final = 2
OWN_PRIORITY: Final = {"demo-grandmother": 3}
"""Ana and Tom pay from their own pockets first (1); the grandmother's refills are the family's."""
FAMILY_MONEY: Final = 60
REFILLS: Final = Limit(20 * MICROS, "month", "America/New_York", ("drug",))
"""What the grandmother may take from it in a month, for drugs."""
FIRST_AGAIN: Final = 2
"""The turn behind the week that the demo begins with."""
MONITOR: Final = "RPM-UPLOAD"
READINGS: Final = 2
"""Of the monitor, behind each other moment of care that goes on."""


def enrol_network(desk: Desk) -> None:
    """Register the network and put money into its wallets."""
    books = {"riverside-clinic": "demo-us", "county-hospital": "demo-us", "east-gate-hospital": "demo-cn"}
    contracts = [Contract(provider, "*", book, AGREED) for provider, book in books.items()]
    contracts += [Contract(p, "", "demo-us-self-pay", AGREED) for p, book in books.items() if book == "demo-us"]
    contracts.append(Contract("east-gate-hospital", "", "demo-cn", AGREED))
    pots = [
        Pot(f"{member}-cash", member, currency, priority=OWN_PRIORITY.get(member, 1))
        for member, (currency, _) in WALLETS.items()
    ]
    desk.books.enrol(parties=PARTIES, members=MEMBERS, coverages=COVERAGES, contracts=contracts, pots=pots)
    desk.books.enrol(pots=[FAMILY_POT])
    terms = {"demo-grandmother": Terms((REFILLS,))}
    admitted = [
        admission(FAMILY_POT, member, priority=FAMILY_PRIORITY, terms=terms.get(member, Terms()))
        for member in FAMILY_MEMBERS
    ]
    desk.books.enrol(pots=admitted)
    fill_wallets(desk, MONDAY)


def fill_wallets(desk: Desk, at: datetime, turn: int = 1) -> None:
    """Put money into every pocket of the network, once for each turn."""
    orders = [(f"{member}-cash", member, currency, amount) for member, (currency, amount) in WALLETS.items()]
    for pot, member, currency, amount in [(FAMILY_POT.id, "", FAMILY_POT.currency, FAMILY_MONEY), *orders]:
        top_up(TopUp("demo", f"top-up-{pot}-{turn}", pot, member, amount * MICROS, currency, "cash-desk", at), desk)


def going_on(events: Sequence[ServiceEvent], turn: int, now: Callable[[], datetime]) -> Iterator[ServiceEvent]:
    """The same care once more, each moment of it ending when it is asked for.

    Everybody comes for another visit, but a refill once: it lasts a month. Between two of them the heart monitor sends
    readings, all of a day in one visit: the small moments are the many.
    """
    monitor = next(event for event in events if event.code.value == MONITOR)
    for number, event in enumerate(events):
        if turn > FIRST_AGAIN and event.facts["category"] == "drug":
            continue
        if event is not monitor:
            yield _once_more(event, now(), str(turn), f"{event.member}#{turn}")
        for reading in range(READINGS):
            at = now()
            yield _once_more(monitor, at, f"{turn}.{number}.{reading}", f"{monitor.member}-{at:%Y-%m-%d}")


def _once_more(event: ServiceEvent, at: datetime, which: str, visit: str) -> ServiceEvent:
    took = (event.ended_at or event.started_at) - event.started_at
    return replace(
        event,
        event_id=f"{event.event_id}#{which}",
        visit=visit,
        started_at=at - took,
        ended_at=at if event.ended_at else None,
    )


def network_events() -> World:
    """A week of small moments of care."""
    ana = _Diary("demo-ana", "riverside-clinic", "USD")
    tom = _Diary("demo-tom", "riverside-clinic", "USD")
    hugo = _Diary("demo-hugo", "county-hospital", "USD")
    rosa = _Diary("demo-rosa", "county-hospital", "USD")
    li = _Diary("demo-li", "east-gate-hospital", "CNY")
    wang = _Diary("demo-wang", "east-gate-hospital", "CNY")
    sam = _Diary("demo-sam", "riverside-clinic", "USD")
    grandmother = _Diary("demo-grandmother", "riverside-clinic", "USD")
    events = [
        ana.event(0, "TELE-MINUTE", "telehealth", minutes=11, billed=40, name="Video visit"),
        ana.event(1, "LAB-A1C", "lab", billed=30, name="Long-term blood sugar test"),
        ana.event(2, MONITOR, "remote_monitoring", name="Heart monitor, one reading"),
        tom.event(3, "GP-VISIT", "preventive", billed=140, name="Yearly check-up"),
        tom.event(4, "LAB-PANEL", "lab", count=2, billed=70, name="Blood panel"),
        hugo.event(5, "SPECIALIST-VISIT", "specialist", billed=240, name="Specialist visit"),
        hugo.event(6, "DRUG-METFORMIN-500", "drug", count=60, billed=12, name="Refill, 60 tablets"),
        rosa.event(7, "GP-VISIT", "primary_care", billed=150, name="Visit"),
        rosa.event(8, "XRAY-CHEST", "imaging", billed=70, name="Chest X-ray"),
        li.event(9, "REGISTRATION", "registration", name="Registration at the window"),
        li.event(10, "ATORVASTATIN", "drug", count=28, name="Refill, class B"),
        wang.event(11, "BLOOD-COUNT", "lab", name="Blood count"),
        wang.event(12, "VITAMIN-COMPLEX", "drug", count=30, name="Vitamins, class C"),
        wang.event(14, "MRI-HEART", "imaging", name="Heart MRI"),
        sam.event(13, "GP-VISIT", "primary_care", billed=95, name="Visit without cover"),
        grandmother.event(15, "DRUG-METFORMIN-500", "drug", count=60, billed=12, name="Refill, 60 tablets"),
    ]
    return World(PARTIES, MEMBERS, COVERAGES, events)


class _Diary:
    """Writes one person's events, an hour apart."""

    def __init__(self, member: str, provider: str, currency: str) -> None:
        self._member = member
        self._provider = provider
        self._currency = currency

    def event(
        self,
        hour: int,
        code: str,
        category: str,
        *,
        name: str,
        billed: int | None = None,
        count: int = 1,
        minutes: int = 0,
    ) -> ServiceEvent:
        start = MONDAY + timedelta(hours=hour)
        timed: dict[str, Any] = {"ended_at": start + timedelta(minutes=minutes), "unit": "minute"} if minutes else {}
        return ServiceEvent(
            source="demo",
            event_id=f"{self._member}-{hour}",
            kind="charge",
            member=self._member,
            code=Code("local", code),
            currency=self._currency,
            started_at=start,
            quantity=(minutes or count) * UNIT,
            billed=None if billed is None else billed * MICROS,
            billing_party=self._provider,
            site=self._provider,
            visit=f"{self._member}-{start:%Y-%m-%d}",
            display=name,
            facts={"category": category, "visit_class": "network"},
            **timed,
        )
