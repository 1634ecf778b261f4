"""Whatever happens in whatever order: money is conserved, limits hold, and everything can be rebuilt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from drachm.application.audit import audit
from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.domain.benefits.model import Key
from drachm.domain.clearing.numbers import total_place
from drachm.domain.events.model import ServiceEvent
from drachm.domain.money import MICROS
from drachm.storage.tally import DiskTally

Made = list[tuple[str, int, int, str]]

moves = st.lists(
    st.tuples(
        st.sampled_from(["charge", "charge", "charge", "hold", "reversal", "replacement", "stop"]),
        st.integers(0, 60),
        st.integers(0, 12),
        st.sampled_from(["other", "preventive", "cosmetic"]),
    ),
    max_size=25,
)


def build(script: Made, charge: Callable[..., ServiceEvent]) -> list[ServiceEvent]:
    events: list[ServiceEvent] = []
    for n, (kind, dollars, back, category) in enumerate(script):
        target = events[back].event_id if kind in ("reversal", "replacement", "stop") and back < len(events) else ""
        if kind in ("reversal", "replacement", "stop") and not target:
            kind = "charge"
        changes: dict[str, Any] = {"kind": kind, "replaces": target, "facts": {"category": category}}
        events.append(replace(charge(f"e{n}", dollars), **changes))
    return events


@settings(max_examples=60)
@given(script=moves, size=st.integers(1, 9))
def test_books_balance_and_rebuild_after_any_story(script: Made, size: int, new_desk, charge) -> None:
    desk: Desk = new_desk()
    events = build(script, charge)
    for start in range(0, len(events), size):
        clear_events(events[start : start + size], desk)
    assert check_books(desk.books) == []
    assert all(avail >= 0 and held >= 0 for avail, held in desk.books.pots().values())
    limits = {
        total_place(1, Key(member, f"town-plan/{name}", "Y2025-01-01")): limit * MICROS
        for member in ("ana", "ben")
        for name, limit in (("deductible", 10), ("oop", 50))
    }
    for place, value in desk.books.totals():
        assert 0 <= value <= limits[place]
    with DiskTally() as totals, DiskTally() as pots:
        report = audit(desk.books, totals, pots, time.monotonic, lambda _: None)
    assert report.first_difference == ""


@settings(max_examples=40)
@given(script=moves, first=st.integers(1, 9), second=st.integers(1, 9))
def test_how_events_are_cut_into_batches_does_not_matter(
    script: Made, first: int, second: int, new_desk, charge
) -> None:
    ends = []
    for size in (first, second):
        desk: Desk = new_desk()
        events = build(script, charge)
        for start in range(0, len(events), size):
            clear_events(events[start : start + size], desk)
        ends.append((desk.books.balances(), dict(desk.books.totals()), desk.books.pots()))
    assert ends[0] == ends[1]


@settings(max_examples=40)
@given(script=moves, again=st.lists(st.integers(0, 24), max_size=20))
def test_replaying_any_part_changes_nothing(script: Made, again: list[int], new_desk, charge) -> None:
    desk: Desk = new_desk()
    events = build(script, charge)
    first = {outcome.event_id: outcome for outcome in clear_events(events, desk)}
    before = (desk.books.balances(), dict(desk.books.totals()), desk.books.pots())
    repeated = [events[n] for n in again if n < len(events)]
    for outcome in clear_events(repeated, desk):
        assert outcome.duplicate
        assert (outcome.position, outcome.status, outcome.reason) == (
            first[outcome.event_id].position,
            first[outcome.event_id].status,
            first[outcome.event_id].reason,
        )
    assert (desk.books.balances(), dict(desk.books.totals()), desk.books.pots()) == before


@settings(max_examples=40)
@given(script=moves)
def test_reversing_everything_restores_the_beginning(script: Made, new_desk, charge) -> None:
    desk: Desk = new_desk()
    before = (desk.books.pots(), {a: b for a, b in desk.books.balances().items() if b})
    charges = [event for event in build(script, charge) if event.kind == "charge"]
    clear_events(charges, desk)
    undo = [replace(e, event_id=f"r-{e.event_id}", kind="reversal", replaces=e.event_id, billed=0) for e in charges]
    assert all(o.status == "posted" for o in clear_events(undo, desk))
    assert dict(desk.books.totals()) == {}
    assert (desk.books.pots(), {a: b for a, b in desk.books.balances().items() if b}) == before
