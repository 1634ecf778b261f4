"""A desk at which lines are adjudicated one after the other, with the contract's promises checked on every line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from watched_totals import Watched

from drachm.domain.benefits import (
    Adjudication,
    Key,
    Line,
    apply,
    build_stack,
    load_plan,
    prepare,
    reverse_deltas,
)

UNIT = 1_000_000


class Desk:
    """One stack of documents and the running totals of everybody."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.stack = build_stack([load_plan(document) for document in documents])
        self.independent = {document["id"] for document in documents if "starts_from" in document}
        self.totals: dict[Key, int] = {}
        self.count = 0

    def line(
        self,
        cost: int | float,
        *,
        billed: int | float | None = None,
        on: str = "2025-03-10",
        member: str = "ana",
        family: str = "",
        policy: str = "",
        visit: str = "",
        admission: str = "",
        quantity: float = 1,
        **facts: Any,
    ) -> Adjudication:
        """Adjudicate a line of `cost` currency units and keep its totals."""
        self.count += 1
        line = Line(
            id=f"e{self.count}",
            billed=round((cost if billed is None else billed) * UNIT),
            cost=round(cost * UNIT),
            at=datetime.fromisoformat(on).replace(hour=12, tzinfo=UTC),
            member=member,
            family=family,
            policy=policy,
            visit=visit,
            admission=admission,
            quantity=round(quantity * UNIT),
            facts=facts,
        )
        watched = Watched(self.totals)
        prepared = prepare(line, self.stack)
        answer = prepared.decide(watched, explain=True)
        touched = watched.asked | {key for key, _ in answer.deltas}
        assert touched <= set(prepared.keys)
        assert len(prepared.keys) == len(set(prepared.keys))
        assert prepared.decide(self.totals) == replace(answer, trace=())
        assert sum(share.amount for share in answer.shares) == line.billed
        after = apply(self.totals, answer.deltas)
        assert apply(after, reverse_deltas(answer)) == self.totals
        assert 0 not in after.values()
        assert from_trace(answer) == from_shares(answer)
        self.totals = after
        return answer

    def used(self, name: str, scope: str = "ana") -> float:
        """A running total over all its periods, in units."""
        found = [amount for key, amount in self.totals.items() if key.name == name and key.scope == scope]
        return sum(found) / UNIT


def from_shares(answer: Adjudication) -> dict[tuple[str, str], int]:
    """Amounts by document and component or party, without the price's own shares."""
    sums: dict[tuple[str, str], int] = {}
    for share in answer.shares:
        if share.document and share.component != "rounding":
            place = (share.document, share.party if share.bearer == "payer" else share.component)
            sums[place] = sums.get(place, 0) + share.amount
    return sums


def from_trace(answer: Adjudication) -> dict[tuple[str, str], int]:
    """The same amounts worked out again from the trace alone."""
    sums: dict[tuple[str, str], int] = {}
    for step in answer.trace:
        if step.kind == "rounding" or step.target.startswith(("own:", "credit:")):
            continue
        document, _, component = step.target.rpartition("/")
        place = (document or step.document, component)
        sums[place] = sums.get(place, 0) + step.amount
    return {place: amount for place, amount in sums.items() if amount}


@pytest.fixture
def document() -> Callable[..., dict[str, Any]]:
    """Builds a document of the given steps; whole currency units are written as micros by the tests themselves."""

    def build(*steps: dict[str, Any], **top: Any) -> dict[str, Any]:
        named = [{"id": f"s{index}", "clause": str(index), **step} for index, step in enumerate(steps)]
        head = {"id": "plan", "version": "1", "payer": "fund", "currency": "USD", "zone": "UTC"}
        return {**head, "effective": {"from": "1900-01-01"}, **top, "steps": named}

    return build


@pytest.fixture
def desk(document: Callable[..., dict[str, Any]]) -> Callable[..., Desk]:
    """A desk with one document of the given steps, or with the given documents."""

    def build(*steps: dict[str, Any], **top: Any) -> Desk:
        if top.pop("no_documents", False) or (steps and "steps" in steps[0]):
            return Desk(*steps)
        return Desk(document(*steps, **top))

    return build


@pytest.fixture
def amounts() -> Callable[[Adjudication], dict[str, float]]:
    """What each component holds and each party pays, in units; provider's parts behind ``provider:``."""

    def split(answer: Adjudication) -> dict[str, float]:
        sums: dict[str, float] = {}
        for share in answer.shares:
            name = {"patient": share.component, "payer": share.party, "provider": f"provider:{share.component}"}
            place = name[share.bearer]
            sums[place] = sums.get(place, 0) + share.amount / UNIT
        return sums

    return split
