"""Who sits at the desk? A browser that signed in, known by a random word in a cookie; everything else is kept here.

A session ends after eight hours, after half an hour without a page, at sign-out, with the token it came from, or when
its person ends all of theirs. Only a hash of the word is kept. The cookie is signed besides, so that nobody who never
signed in makes us look anything up. Patients and relatives have no desk.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from drachm.adapters.rest.identity.model import Kind, Principal, Role, roles_of, scopes_of
from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.forms import cookie
from drachm.adapters.rest.service.house import House
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict, Forbidden

KIND: Final = "session"
STAFF: Final = frozenset({Role.CLERK, Role.FINANCE, Role.AUDITOR, Role.OPERATOR})
LONGEST: Final = timedelta(hours=8)
IDLE: Final = timedelta(minutes=30)
DOOR_SECONDS: Final = 1_800
"""How long a sign-in that was begun may take."""
_SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly is written down when a session was seen last: each time is a version of its record."""
_SECRET_BYTES: Final = 32
_SESSION: Final = "drachm_desk"
_DOOR: Final = "drachm_desk_door"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    principal: Principal
    csrf: str
    """The word that every form of this session carries."""
    record: Record


def opened(call: Call, principal: Principal, name: str, until: datetime) -> str:
    """Begin a session, always under a new word; the Set-Cookie field. The one that this browser had ends.

    `until`: when what the person proved themselves with ends. Raises Forbidden for who is no staff.
    """
    roles = principal.roles & STAFF
    if principal.kind is not Kind.PERSON or not roles:
        raise Forbidden("the desk is for people who work at a clinic", next_step="Open your receipt by its link.")
    ended(call)
    secret = new_secret()
    ends = min(until, call.at + LONGEST)
    body = {
        "subject": principal.subject,
        "name": name,
        "credential": principal.credential,
        "roles": sorted(role.value for role in roles),
        "parties": sorted(principal.parties),
        "scopes": sorted(scope.value for scope in principal.scopes),
        "until": write_instant(ends),
        "seen": write_instant(call.at),
        "open": True,
    }
    terms = frozenset({_term(principal.subject)})
    records = call.house.market(principal.tenant).records
    records.put([Record(KIND, _id(secret), body, terms=terms, author=principal.subject)])
    word = call.house.cursors.write([principal.tenant, secret], caller=_SESSION, route=KIND, filters={})
    return _set(call.house, _SESSION, word, max(0, int((ends - call.at).total_seconds())))


def session_of(call: Call) -> Session | None:
    """The session of the cookie that came with this call, if it is still one; that it was used is written down."""
    found = _found(call)
    if found is None:
        return None
    secret, record = found
    body = record.body
    seen = datetime.fromisoformat(body["seen"])
    if not body["open"] or call.at >= datetime.fromisoformat(body["until"]) or call.at - seen >= IDLE:
        return None
    tenant, _ = _named(call) or ("", "")
    if call.at - seen >= _SEEN_EVERY:
        try:
            changed = replace(record, body={**body, "seen": write_instant(call.at)})
            (record,) = call.house.market(tenant).records.put([changed])
        except Conflict:
            # Another page of the same session wrote it down, or ended it: what is now there counts.
            return session_of(call)
    principal = Principal(
        tenant,
        Kind.PERSON,
        body["subject"],
        body["credential"],
        call.house.environment,
        roles_of(body["roles"]) & STAFF,
        frozenset(body["parties"]),
        (),
        scopes_of(body["scopes"]),
    )
    return Session(principal, _form_word(secret), record)


def ended(call: Call, *, everywhere: bool = False) -> None:
    """End this browser's session, or all of its person's."""
    found = _found(call)
    tenant, _ = _named(call) or ("", "")
    if found is None:
        return
    records, (_, record) = call.house.market(tenant).records, found
    if everywhere:
        end_all(records, record.body["subject"])
    else:
        _end(records, record)


def end_all(records: Records, subject: str) -> int:
    """End every session of a person; how many there were."""
    ended, after = 0, ""
    while page := records.find(KIND, after=after, terms=[_term(subject)]):
        ended += sum(_end(records, record) for record in page)
        after = page[-1].id
    return ended


def new_secret() -> str:
    """A word that nobody can guess."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def door(call: Call, *words: str) -> tuple[str, str]:
    """What a sign-in that begins keeps in the browser: (Set-Cookie field, the word that its form carries)."""
    secret = new_secret()
    place = call.house.cursors.write([secret, *words], caller=_DOOR, route=KIND, filters={})
    return _set(call.house, _DOOR, place, DOOR_SECONDS), _form_word(secret)


def door_of(call: Call) -> tuple[str, list[str]] | None:
    """What `door` kept: (the form's word, the words given); None when it is not there or not ours."""
    try:
        text = cookie(call.fields, _name(call.house, _DOOR))
        secret, *words = call.house.cursors.read(text, caller=_DOOR, route=KIND, filters={})
    except (Problem, ValueError):
        return None
    return _form_word(str(secret)), [str(word) for word in words]


def without(house: House, *, door: bool = False) -> str:
    """The Set-Cookie field that takes the cookie of a session, or of a sign-in, away."""
    return _set(house, _DOOR if door else _SESSION, "", 0)


def same(given: Mapping[str, str], word: str) -> bool:
    """Whether a form carries the word."""
    return hmac.compare_digest(given.get("csrf", "").encode(), word.encode())


def _found(call: Call) -> tuple[str, Record] | None:
    """(the cookie's word, its record)."""
    named = _named(call)
    if named is None:
        return None
    tenant, secret = named
    try:
        record = call.house.market(tenant).records.get(KIND, _id(secret))
    except Forbidden:
        return None
    return (secret, record) if record is not None else None


def _named(call: Call) -> tuple[str, str] | None:
    """(tenant, word) of the cookie; None when we did not sign it."""
    try:
        text = cookie(call.fields, _name(call.house, _SESSION))
        tenant, secret = call.house.cursors.read(text, caller=_SESSION, route=KIND, filters={})
    except (Problem, ValueError):
        return None
    return str(tenant), str(secret)


def _end(records: Records, record: Record) -> bool:
    if not record.body["open"]:
        return False
    try:
        records.put([replace(record, body={**record.body, "open": False})])
    except Conflict:
        newest = records.get(KIND, record.id)
        return _end(records, newest) if newest is not None else False
    return True


def _set(house: House, name: str, value: str, seconds: int) -> str:
    place = urlsplit(house.base_url)
    secure = place.scheme == "https"
    # `__Host-` asks for the path /: no other host of the domain can then put a cookie of this name here.
    path = "/" if secure else f"{place.path}/desk"
    more = "; Secure" if secure else ""
    return f"{_name(house, name)}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{more}"


def _name(house: House, name: str) -> str:
    return f"__Host-{name}" if house.base_url.startswith("https:") else name


def _id(secret: str) -> str:
    return named_by("ses", "drachm desk session", secret)


def _form_word(secret: str) -> str:
    return hashlib.sha256(f"drachm desk form\0{secret}".encode()).hexdigest()


def _term(subject: str) -> str:
    return f"subject={subject}"
