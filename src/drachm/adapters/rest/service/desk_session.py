"""Who sits at the desk? Staff who signed in; patients and relatives have pages of their own."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from drachm.adapters.rest.identity.model import Principal, Role
from drachm.adapters.rest.service import browser_session
from drachm.adapters.rest.service.browser_session import Place, Session, end_all, new_secret, same
from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.house import House

__all__ = ["DESK", "STAFF", "Session", "door", "door_of", "end_all", "ended", "new_secret", "opened", "same",
           "session_of", "without"]  # fmt: skip

STAFF: Final = frozenset({Role.CLERK, Role.FINANCE, Role.PRICE_EDITOR, Role.AUDITOR, Role.OPERATOR})
LONGEST: Final = timedelta(hours=8)
IDLE: Final = timedelta(minutes=30)
DESK: Final = Place(
    "drachm_desk",
    "/desk",
    STAFF,
    LONGEST,
    IDLE,
    "the desk is for people who work at a clinic",
    "Open your receipt by its link.",
)


def opened(call: Call, principal: Principal, name: str, until: datetime) -> str:
    """Begin a session at the desk. Raises Forbidden for who is no staff."""
    return browser_session.opened(call, DESK, principal, name, until)


def session_of(call: Call) -> Session | None:
    """The session of this browser."""
    return browser_session.session_of(call, DESK)


def ended(call: Call, *, everywhere: bool = False) -> None:
    """End it, or all of its person's."""
    browser_session.ended(call, DESK, everywhere=everywhere)


def door(call: Call, *words: str) -> tuple[str, str]:
    """Begin a sign-in."""
    return browser_session.door(call, DESK, *words)


def door_of(call: Call) -> tuple[str, list[str]] | None:
    """The sign-in that was begun."""
    return browser_session.door_of(call, DESK)


def without(house: House, *, door: bool = False) -> str:
    """Take the cookie away."""
    return browser_session.without(house, DESK, door=door)
