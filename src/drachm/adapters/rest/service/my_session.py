"""Who looks at their own pages? A patient or relative who signed in, or whoever holds a receipt's link and its answer.

Who came by a link sees the one visit of that receipt, as long as the link holds. Before a large payment everybody
proves again who they are (`fresh`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from drachm.adapters.rest.identity.links import Link
from drachm.adapters.rest.identity.model import Kind, Principal, Role, Scope
from drachm.adapters.rest.service import browser_session
from drachm.adapters.rest.service.browser_session import Place, Session
from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.journal_reading import visit_name
from drachm.adapters.rest.service.shared_receipts import SharedReceipt

MY: Final = Place(
    "drachm_my",
    "/my",
    frozenset({Role.PATIENT, Role.RELATIVE}),
    timedelta(hours=4),
    timedelta(minutes=20),
    "these pages are for patients and their relatives",
    "If you work at a clinic, sign in to the desk.",
    tied=True,
)
FRESH: Final = timedelta(minutes=10)
"""How long a proof counts as made just now."""
_BY_LINK: Final = timedelta(hours=1)
_SCOPES: Final = frozenset({Scope.EVENTS_READ, Scope.RECEIPTS_READ, Scope.PARTIES_READ})


def opened(call: Call, principal: Principal, name: str, until: datetime) -> str:
    """Begin a session of somebody who signed in. Raises Forbidden for who is no patient and no relative."""
    return browser_session.opened(call, MY, principal, name, until)


def opened_by_link(call: Call, link: Link, shared: SharedReceipt) -> str:
    """Begin a session for one visit: its holder gave the second answer."""
    row = shared.row
    assert row is not None  # a shared receipt that was found has its row
    member = shared.receipt.member
    subject = call.caller.subject
    principal = Principal(
        link.tenant,
        Kind.PERSON,
        subject,
        subject,
        call.house.environment,
        frozenset({Role.PATIENT}),
        scopes=_SCOPES,
    )
    more = {"member": member, "visit": visit_name(row.visit), "receipt": link.receipt, "version": link.version}
    return browser_session.opened(call, MY, principal, "", min(link.expires_at, call.at + _BY_LINK), more)


def session_of(call: Call) -> Session | None:
    """The session of this browser; one by a link ends with the link."""
    session = browser_session.session_of(call, MY)
    if session is None or not session.visit:
        return session
    body, tenant = session.record.body, session.principal.tenant
    return session if call.house.links.version(tenant, body["receipt"]) <= body["version"] else None


def fresh(call: Call, session: Session) -> bool:
    """Whether the person proved just now who they are."""
    return call.at - session.proved_at < FRESH
