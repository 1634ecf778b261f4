"""Does a member keep this care private?

A private event draws on the member's own pockets only, so that no other who pays from a shared one can see it. The mark
is a fact of the event, given by the member through whoever sends it, or set later; what takes the place of a private
event is private too (docs/decisions/0024).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from drachm.domain.coverage.ages import may_keep_private
from drachm.domain.coverage.model import Member
from drachm.domain.events.model import Fact, ServiceEvent

PRIVATE: Final = "private"
"""The fact by which an event says so; anything but `true` says nothing."""
JURISDICTION: Final = "jurisdiction"
"""Fact of a provider or its site: the law under which it treats, as in `ages`."""


def is_marked(event: ServiceEvent) -> bool:
    """Whether the event bears the mark."""
    return event.facts.get(PRIVATE) is True


def marked(event: ServiceEvent) -> ServiceEvent:
    """The same event with the mark."""
    return event if is_marked(event) else replace(event, facts={**event.facts, PRIVATE: True})


def is_private(event: ServiceEvent, member: Member, category: str, premises: Mapping[str, Fact], day: date) -> bool:
    """Whether the mark holds: every adult's does, a minor's where the law of the place gives that right."""
    return is_marked(event) and may_keep_private(member.birth_date, str(premises.get(JURISDICTION, "")), category, day)


def same_but_marked(first: ServiceEvent, again: ServiceEvent) -> bool:
    """Whether these are one event, of which what is kept bears the mark and what was sent again does not."""
    return is_marked(first) and not is_marked(again) and first == marked(again)
