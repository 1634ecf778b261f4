"""Which version of a document holds on a day, when a later one takes over?

Of the versions whose days hold the day, the one that begins last. So a version takes over on the day it begins, and the
one before holds until the day before, whatever its own document says. Nothing that was published is changed, and the
answer for a day depends on nothing but the versions that are there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import NamedTuple, Protocol, TypeVar

from drachm.domain.periods import Period


class Version(Protocol):
    """One version of a plan or a price book."""

    @property
    def version(self) -> str:
        """Its name among the versions of one id."""

    @property
    def effective(self) -> Period:
        """The days of its own document."""


Some = TypeVar("Some", bound=Version)


class Clash(NamedTuple):
    """Why a version cannot stand beside another one of its id."""

    message: str
    next_step: str


def latest_first(versions: Iterable[Some]) -> tuple[Some, ...]:
    """The versions of one id in the order in which a day asks them: the first one whose days hold it."""
    return tuple(sorted(versions, key=lambda one: one.effective.start, reverse=True))


def in_force(versions: Iterable[Some], day: date) -> Some | None:
    """Which of the versions, given `latest_first`, holds on a day."""
    for one in versions:
        if day in one.effective:
            return one
    return None


def successor(one: Version, versions: Iterable[Some]) -> Some | None:
    """The version that takes over from `one` before its own days are over."""
    later = [other for other in versions if other.effective.start > one.effective.start]
    following = min(later, key=lambda other: other.effective.start, default=None)
    return following if following is not None and following.effective.start in one.effective else None


def late(new: Version, published: Iterable[Version]) -> Clash | None:
    """Why `new` comes too late: a version that is published already has these days. None when nothing is in its way.

    A version that begins earlier may come later, in a gap or before, when it ends where the next one begins: what its
    document says of a day is then what holds.
    """
    for other in published:
        if new.effective.start < other.effective.start and new.effective.overlaps(other.effective):
            begins = other.effective.start.isoformat()
            return Clash(
                f"its days overlap those of version {other.version}, which begins on {begins} and holds from then on",
                f"Let it end where that one begins (`until` {begins}), or begin later than that.",
            )
    return None


def clash(new: Version, others: Collection[Version]) -> Clash | None:
    """Why `new` can be no version beside the others, in whatever order they came; None when it can.

    Two versions begin on one day; or one ends while one that it took over from would still hold. That one would come
    back by itself, which nobody who publishes an end can be taken to have meant.
    """
    start, end = new.effective.start, new.effective.end
    for other in others:
        if other.effective.start == start:
            return Clash(
                f"its days overlap those of version {other.version}, which begins on the same day, {start.isoformat()}",
                "Choose a later first day: a version takes over on the day it begins.",
            )
    after = in_force(latest_first(others), end) if end is not None else None
    if end is None or after is None or after.effective.start > start:
        return None
    return Clash(
        f"its days overlap those of version {after.version}, which would come back on {end.isoformat()}",
        "Leave `until` out: the version that follows takes over on the day it begins.",
    )
