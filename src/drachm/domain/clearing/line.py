"""How does a plan see an event?"""

from __future__ import annotations

from drachm.domain.benefits.model import Line
from drachm.domain.catalog.model import PricedEvent
from drachm.domain.clearing.covering import Covering
from drachm.domain.clearing.documents import PAID
from drachm.domain.clearing.model import Snapshot
from drachm.domain.clearing.premises import Premises
from drachm.domain.coverage.facts import LineFacts
from drachm.domain.events.model import ServiceEvent


def line_of(event: ServiceEvent, priced: PricedEvent, at: Snapshot, covering: Covering, premises: Premises) -> Line:
    """The priced event with everything that the plans of its covers may look at."""
    own, answer, contract, member = covering.facts, at.answer, at.contract, at.person.member
    if answer is not None:
        paid = {PAID: answer.paid}
        own = {**own, **{cover.coverage.plan: paid for cover in at.covers if cover.payer == answer.payer}}
    return Line(
        f"{event.source}/{event.event_id}",
        priced.billed,
        priced.allowed,
        event.started_at,
        member.id,
        member.family,
        covering.policy,
        event.visit,
        event.admission,
        event.quantity,
        LineFacts(
            event,
            member,
            premises.facts,
            contract.network if contract is not None else "out",
            category_of(event, priced),
            priced.facts,
            at.day,
            at.received,
            at.provider.zone,
        ),
        own,
        covering.policies,
    )


def category_of(event: ServiceEvent, priced: PricedEvent) -> str:
    """The category of service: as the event says, else as the price book does."""
    return str(event.facts.get("category") or priced.category or "other")
