"""Clear events of members who were merged, or split again, so that each is posted once and under the right person.

    outcomes = clear_as_one(events, desk, aliases)      # instead of clear_events(events, desk)

An event that names a merged member is cleared as the other's; the fact `member_as_sent` keeps whom it named. A repeat
receives its first answer whatever was merged or split meanwhile, and what takes back or replaces an event is posted
under the member under whom that event stands.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.application.merges import MERGE, STEPS_MAX, TURN
from drachm.application.recall import kept_of
from drachm.application.records import Record, Records
from drachm.domain.clearing.clear import REFERRING
from drachm.domain.events.model import ServiceEvent
from drachm.domain.transparency.leaf import event_key

SENT: Final = "member_as_sent"
"""Fact of an event that names the member as its sender did."""
SECONDS: Final = 1.0
"""How long a process may go on without the newest merge."""
_PAGE: Final = 500


class Known(NamedTuple):
    """Who is known as whom."""

    now: Mapping[str, str] = {}
    """Merged member -> as whom they are known now."""
    ever: Mapping[str, frozenset[str]] = {}
    """Member -> everybody as whom they were known at some time."""
    concerned: frozenset[str] = frozenset()
    """Everybody who was ever part of a merge."""


class Aliases:
    """The merges of one tenant, looked up at most once a second. Safe to use from several threads."""

    def __init__(self, records: Records, seconds: Callable[[], float]) -> None:
        self._records = records
        self._seconds = seconds
        self._lock = threading.Lock()
        self._looked_at = -SECONDS
        self._turn = -1
        self._known = Known()

    def known(self) -> Known:
        """Who is known as whom, at most a second old."""
        with self._lock:
            if self._seconds() - self._looked_at >= SECONDS:
                self._look()
            return self._known

    def forget(self) -> None:
        """Look again at the next call: this process has just merged or split somebody."""
        with self._lock:
            self._looked_at = -SECONDS

    def _look(self) -> None:
        at = self._seconds()
        turn = self._records.get(TURN, "all")
        version = turn.version if turn is not None else 0
        if version != self._turn:
            self._known = _read(self._records)
            self._turn = version
        self._looked_at = at


def clear_as_one(events: Sequence[ServiceEvent], desk: Desk, aliases: Aliases) -> list[Outcome]:
    """As `clear_events`, with merged members as one person. Raises as it does."""
    known = aliases.known()
    if not known.concerned or known.concerned.isdisjoint([event.member for event in events]):
        return clear_events(events, desk)
    outcomes = clear_events(_meant(events, desk, known), desk)
    for at, outcome in enumerate(outcomes):
        if outcome.status == "conflict" and events[at].member in known.concerned:
            outcomes[at] = _first_answer(events[at], outcome, desk, known)
    return outcomes


def named(event: ServiceEvent, member: str) -> ServiceEvent:
    """The event as another member's, with the name that its sender used among its facts."""
    if event.member == member:
        return event
    return replace(event, member=member, facts={**event.facts, SENT: event.member})


def as_meant(events: Sequence[ServiceEvent], desk: Desk, records: Records) -> list[ServiceEvent]:
    """The events as `clear_as_one` would clear them now, for whoever works something out without posting."""
    known = Aliases(records, lambda: 0.0).known()
    return _meant(events, desk, known) if known.concerned else list(events)


def _meant(events: Sequence[ServiceEvent], desk: Desk, known: Known) -> list[ServiceEvent]:
    standing = _standing(events, desk, known)
    return [
        named(event, standing.get(at) or known.now.get(event.member, event.member)) for at, event in enumerate(events)
    ]


def _standing(events: Sequence[ServiceEvent], desk: Desk, known: Known) -> dict[int, str]:
    """By place in the batch: under whom the event stands that this one takes back or replaces."""
    keys = {
        at: event_key(desk.books.tenant, event.source, event.replaces)
        for at, event in enumerate(events)
        if event.kind in REFERRING and event.member in known.concerned
    }
    if not keys:
        return {}
    with desk.books.work() as work:
        stored = work.newest(list(dict.fromkeys(keys.values())))
    found = {}
    for at, key in keys.items():
        kept = kept_of(stored[key]) if key in stored else None
        target = kept.body.event if kept is not None else None
        if target is None:
            continue
        member = events[at].member
        # Of one person now, or named alike then.
        alike = known.now.get(member, member) == known.now.get(target.member, target.member)
        if alike or target.facts.get(SENT) == member:
            found[at] = target.member
    return found


def _first_answer(event: ServiceEvent, conflict: Outcome, desk: Desk, known: Known) -> Outcome:
    """A key that is known with other content: is the other content only the member as known then? Posts nothing."""
    for member in (event.member, *sorted(known.ever.get(event.member, ()))):
        outcome = clear_events([named(event, member)], desk)[0]
        if outcome.status != "conflict":
            return outcome
    return conflict


def _read(records: Records) -> Known:
    merges: list[Record] = []
    while page := records.find(MERGE, after=merges[-1].id if merges else "", limit=_PAGE):
        merges += page
        if len(page) < _PAGE:
            break
    into = {one.id: str(one.body["into"]) for one in merges if one.body["state"] == "merged"}
    once = {one.id: frozenset(map(str, one.body["ever"])) for one in merges}
    ever = {member: _reached(member, once) for member in once}
    return Known(
        {member: _end(member, into) for member in into}, ever, frozenset(once).union(*once.values(), frozenset())
    )


def _end(member: str, into: Mapping[str, str]) -> str:
    for _ in range(STEPS_MAX):
        if member not in into:
            break
        member = into[member]
    return member


def _reached(member: str, once: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = [member]
    while waiting:
        for one in once.get(waiting.pop(), frozenset()) - found:
            found.add(one)
            waiting.append(one)
    return frozenset(found)
