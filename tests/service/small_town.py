"""Who lives in the town that every test of the service begins with, what they are insured for, and who may call."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from town_plan import HELP, PLAN

from drachm.adapters.rest.identity.model import (
    Environment,
    Kind,
    MemberTie,
    Principal,
    Relation,
    Role,
    Scope,
    anonymous,
)
from drachm.adapters.rest.service.house import House, Market
from drachm.application.body import TopUp
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.application.top_up import top_up
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

NOON = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
ALWAYS = Period(date(2000, 1, 1))
SANDBOX = Environment.SANDBOX
EVERY_SCOPE = frozenset(Scope)


class TownClock:
    """Stands still until a test moves it; whatever is posted differs by a millisecond, so that order can be seen."""

    def __init__(self) -> None:
        self._now = NOON
        self._ticks = count()

    def now(self) -> datetime:
        return self._now + timedelta(milliseconds=next(self._ticks))

    def move(self, **by: float) -> None:
        """`clock.move(days=1)`."""
        self._now += timedelta(**by)


class CountingIds:
    """Bytes that never repeat."""

    def __init__(self, seed: str) -> None:
        self._seed, self._numbers, self._lock = seed, count(1), threading.Lock()

    def random_bytes(self, length: int) -> bytes:
        with self._lock:
            return hashlib.shake_256(f"{self._seed} {next(self._numbers)}".encode()).digest(length)


@dataclass
class Town:
    """One tenant, enrolled: clinic and hospital, two payers, ana (20 % above 10 dollars, two wallets), ben (two plans),
    cleo (no cover), dan (his own family, nobody's relative)."""

    tenant: int
    market: Market
    house: House
    clock: TownClock
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The tenant as credentials name it."""
        return str(self.tenant)

    @property
    def desk(self) -> Desk:
        return self.market.desk

    def event(self, event_id: str = "e1", dollars: int = 40, **changes: Any) -> ServiceEvent:
        """A visit of ana's at the clinic; keyword arguments change any field."""
        event = ServiceEvent(
            source="ehr",
            event_id=event_id,
            kind="charge",
            member="ana",
            code=Code("local", "visit"),
            currency="USD",
            started_at=NOON - timedelta(hours=2),
            billed=dollars * MICROS,
            billing_party="clinic",
            visit="v1",
            display="Video visit",
        )
        return replace(event, **changes)

    def clear(self, *events: ServiceEvent, index: bool = True) -> list[Outcome]:
        """Clear events and let the index follow."""
        outcomes = clear_events(events, self.desk)
        if index:
            self.follow()
        return outcomes

    def follow(self) -> None:
        """Bring the readers' index up to date."""
        while self.market.index.follow():
            pass

    def caller(
        self,
        *roles: Role | str,
        parties: tuple[str, ...] = (),
        members: tuple[MemberTie, ...] = (),
        kind: Kind = Kind.PERSON,
        scopes: frozenset[Scope] = EVERY_SCOPE,
        subject: str = "",
        **changes: Any,
    ) -> Principal:
        """Somebody of this tenant."""
        words = "+".join(str(role) for role in roles)
        name = subject or f"{words}@{','.join(parties)}"
        return replace(
            Principal(
                self.name,
                kind,
                name,
                "idp.example" if kind is Kind.PERSON else name,
                SANDBOX,
                frozenset(Role(role) for role in roles),
                frozenset(parties),
                members,
                scopes,
            ),
            **changes,
        )

    def patient(self, member: str = "ana") -> Principal:
        tie = MemberTie(member, Relation.SELF, NOON - timedelta(days=900))
        return self.caller(Role.PATIENT, members=(tie,), subject=f"patient {member}")

    def relative(
        self, name: str = "rita", of: str = "ana", *, revoked: bool = False, until: datetime | None = None
    ) -> Principal:
        end = NOON - timedelta(days=1) if revoked else None
        tie = MemberTie(of, Relation.RELATIVE, NOON - timedelta(days=90), until, end)
        return self.caller(Role.RELATIVE, members=(tie,), subject=f"relative {name}")

    def clerk(self, party: str = "clinic", **changes: Any) -> Principal:
        return self.caller(Role.CLERK, parties=(party,), **changes)

    def finance(self, party: str = "clinic", **changes: Any) -> Principal:
        return self.caller(Role.FINANCE, parties=(party,), **changes)

    def price_editor(self, party: str = "town-insurance", **changes: Any) -> Principal:
        return self.caller(Role.PRICE_EDITOR, parties=(party,), **changes)

    def payer(self, party: str = "town-insurance", **changes: Any) -> Principal:
        return self.caller(Role.PAYER, parties=(party,), **changes)

    def funder(self, party: str = "town-fund", **changes: Any) -> Principal:
        return self.caller(Role.FUNDER, parties=(party,), **changes)

    def auditor(self, **changes: Any) -> Principal:
        return self.caller(Role.AUDITOR, **changes)

    def operator(self, **changes: Any) -> Principal:
        return self.caller(Role.OPERATOR, **changes)

    def integrator(self, party: str = "clinic", **changes: Any) -> Principal:
        """A machine of a clinic: an EHR."""
        return self.caller(Role.INTEGRATOR, parties=(party,), kind=Kind.MACHINE, **changes)

    def nobody(self) -> Principal:
        return anonymous(SANDBOX)


def enrol_town(desk: Desk) -> None:
    books = desk.books
    books.publish("plan", PLAN)
    books.publish("plan", HELP)
    books.enrol(
        parties=[
            Party("clinic", ("provider",), "Town clinic", "America/New_York"),
            Party("hospital", ("provider",), "Town hospital", "America/New_York"),
            Party("town-insurance", ("payer",), "Town insurance"),
            Party("town-hall", ("payer",), "Town hall"),
            Party("town-fund", ("funder",), "Town fund"),
        ],
        members=[
            Member("ana", date(1990, 5, 1), "female"),
            Member("ben", date(1980, 1, 1), "male"),
            Member("cleo"),
            Member("dan", date(1970, 7, 7), "male", family="dans"),
        ],
        coverages=[
            Coverage("c-ana", "ana", "town-plan", ALWAYS),
            Coverage("c-ben-1", "ben", "town-plan", ALWAYS),
            Coverage("c-ben-2", "ben", "town-help", ALWAYS, rank=2),
            Coverage("c-dan", "dan", "town-plan", ALWAYS),
        ],
        contracts=[
            Contract(provider, payer, "as-submitted", ALWAYS)
            for provider in ("clinic", "hospital")
            for payer in ("*", "")
        ],
        pots=[
            Pot("ana-gift", "ana", "USD", 0, priority=1),
            Pot("ana-cash", "ana", "USD", 0, priority=2),
            Pot("ben-cash", "ben", "USD", 0, priority=1),
        ],
    )
    for pot, member, amount in (("ana-gift", "ana", 5), ("ana-cash", "ana", 95), ("ben-cash", "ben", 50)):
        order = TopUp("window", f"first-{pot}", pot, member, amount * MICROS, "USD", "cash-desk", NOON)
        top_up(order, desk)
