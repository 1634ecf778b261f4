"""Who sits at this browser? It signed in, and is known by a random word in a cookie; everything else is kept here.

One mechanism for the desk and for patients (`Place`). A session ends after some hours, after a while without a page, at
sign-out, with the token it came from, or when its person ends all of theirs. Only a hash of the word is kept. The
cookie is signed besides, so that nobody who never signed in makes us look anything up.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from drachm.adapters.rest.identity.model import Kind, MemberTie, Principal, Relation, Role, roles_of, scopes_of
from drachm.adapters.rest.identity.stored import StoredDirectory
from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.forms import BY_ITSELF, cookie
from drachm.adapters.rest.service.house import House
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict, Forbidden

KIND: Final = "session"
DOOR_SECONDS: Final = 1_800
"""How long a sign-in that was begun may take."""
_SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly is written down when a session was seen last: each time is a version of its record."""
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Place:
    """Where sessions of one kind hold."""

    cookie: str
    path: str
    """Pages beneath it get the cookie; behind the path of the service itself."""
    roles: frozenset[Role]
    """Which of a person's roles count here; who has none of them is no guest."""
    longest: timedelta
    idle: timedelta
    outsider: str
    """What somebody without such a role is told."""
    next_step: str
    tied: bool = False
    """Whose records a person may look at is read anew at every page."""

    @property
    def door(self) -> str:
        """The cookie of a sign-in that was begun."""
        return f"{self.cookie}_door"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    principal: Principal
    csrf: str
    """The word that every form of this session carries."""
    record: Record

    @property
    def proved_at(self) -> datetime:
        """When the person proved last who they are."""
        return datetime.fromisoformat(self.record.body.get("proved", self.record.body["seen"]))

    @property
    def visit(self) -> str:
        """The one visit that this session is about; empty: all that its person may see."""
        return str(self.record.body.get("visit", ""))


def opened(
    call: Call, place: Place, principal: Principal, name: str, until: datetime, more: Mapping[str, Any] | None = None
) -> str:
    """Begin a session, always under a new word; the Set-Cookie field. The one that this browser had ends.

    `until`: when what the person proved themselves with ends. `more` is kept beside. Raises Forbidden for who is no
    guest of this place.
    """
    roles = principal.roles & place.roles
    if principal.kind is not Kind.PERSON or not roles:
        raise Forbidden(place.outsider, next_step=place.next_step)
    ended(call, place)
    secret = new_secret()
    ends = min(until, call.at + place.longest)
    body = {
        "subject": principal.subject,
        "name": name,
        "credential": principal.credential,
        "roles": sorted(role.value for role in roles),
        "parties": sorted(principal.parties),
        "scopes": sorted(scope.value for scope in principal.scopes),
        "until": write_instant(ends),
        "seen": write_instant(call.at),
        "proved": write_instant(call.at),
        "open": True,
        **(more or {}),
    }
    terms = frozenset({_term(principal.subject)})
    records = call.house.market(principal.tenant).records
    records.put([Record(KIND, _id(secret), body, terms=terms, author=principal.subject)])
    word = call.house.cursors.write([principal.tenant, secret], caller=place.cookie, route=KIND, filters={})
    return set_cookie(call.house, place, place.cookie, word, max(0, int((ends - call.at).total_seconds())))


def session_of(call: Call, place: Place) -> Session | None:
    """The session of the cookie that came with this call, if it is still one; that it was used is written down, unless
    the page asks by itself."""
    found = _found(call, place)
    if found is None:
        return None
    secret, record = found
    body = record.body
    seen = datetime.fromisoformat(body["seen"])
    if not body["open"] or call.at >= datetime.fromisoformat(body["until"]) or call.at - seen >= place.idle:
        return None
    tenant, _ = _named(call, place) or ("", "")
    records = call.house.market(tenant).records
    if call.at - seen >= _SEEN_EVERY and BY_ITSELF not in call.fields:
        try:
            (record,) = records.put([replace(record, body={**body, "seen": write_instant(call.at)})])
        except Conflict:
            # Another page of the same session wrote it down, or ended it: what is now there counts.
            return session_of(call, place)
    principal = Principal(
        tenant,
        Kind.PERSON,
        body["subject"],
        body["credential"],
        call.house.environment,
        roles_of(body["roles"]) & place.roles,
        frozenset(body["parties"]),
        _ties(records, tenant, body) if place.tied else (),
        scopes_of(body["scopes"]),
    )
    return Session(principal, form_word(secret), record)


def proved(call: Call, session: Session, **more: Any) -> None:
    """Write down that the person just proved again who they are."""
    changed = replace(session.record, body={**session.record.body, "proved": write_instant(call.at), **more})
    call.house.market(session.principal.tenant).records.put([changed])


def ended(call: Call, place: Place, *, everywhere: bool = False) -> None:
    """End this browser's session, or all of its person's."""
    found = _found(call, place)
    tenant, _ = _named(call, place) or ("", "")
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


def door(call: Call, place: Place, *words: str) -> tuple[str, str]:
    """What a sign-in that begins keeps in the browser: (Set-Cookie field, the word that its form carries)."""
    secret = new_secret()
    word = call.house.cursors.write([secret, *words], caller=place.door, route=KIND, filters={})
    return set_cookie(call.house, place, place.door, word, DOOR_SECONDS), form_word(secret)


def door_of(call: Call, place: Place) -> tuple[str, list[str]] | None:
    """What `door` kept: (the form's word, the words given); None when it is not there or not ours."""
    try:
        text = cookie(call.fields, _name(call.house, place.door))
        secret, *words = call.house.cursors.read(text, caller=place.door, route=KIND, filters={})
    except (Problem, ValueError):
        return None
    return form_word(str(secret)), [str(word) for word in words]


def without(house: House, place: Place, *, door: bool = False) -> str:
    """The Set-Cookie field that takes the cookie of a session, or of a sign-in, away."""
    return set_cookie(house, place, place.door if door else place.cookie, "", 0)


def same(given: Mapping[str, str], word: str) -> bool:
    """Whether a form carries the word."""
    return hmac.compare_digest(given.get("csrf", "").encode(), word.encode())


def set_cookie(house: House, place: Place, name: str, value: str, seconds: int) -> str:
    """A Set-Cookie field for one of the place's cookies."""
    address = urlsplit(house.base_url)
    secure = address.scheme == "https"
    # `__Host-` asks for the path /: no other host of the domain can then put a cookie of this name here.
    path = "/" if secure else f"{address.path}{place.path}"
    more = "; Secure" if secure else ""
    return f"{_name(house, name)}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{more}"


def form_word(secret: str) -> str:
    """The word of a session's forms, which tells nothing of the cookie's."""
    return hashlib.sha256(f"drachm desk form\0{secret}".encode()).hexdigest()


def _ties(records: Records, tenant: str, body: Mapping[str, Any]) -> tuple[MemberTie, ...]:
    member = body.get("member")
    if member:
        # Of a link: the member whose visit it shows, as long as the session holds.
        return (MemberTie(member, Relation.SELF, datetime.fromisoformat(body["proved"]) - timedelta(days=1)),)
    return StoredDirectory(lambda _: records).ties(tenant, body["subject"])


def _found(call: Call, place: Place) -> tuple[str, Record] | None:
    """(the cookie's word, its record)."""
    named = _named(call, place)
    if named is None:
        return None
    tenant, secret = named
    try:
        record = call.house.market(tenant).records.get(KIND, _id(secret))
    except Forbidden:
        return None
    return (secret, record) if record is not None else None


def _named(call: Call, place: Place) -> tuple[str, str] | None:
    """(tenant, word) of the cookie; None when we did not sign it."""
    try:
        text = cookie(call.fields, _name(call.house, place.cookie))
        tenant, secret = call.house.cursors.read(text, caller=place.cookie, route=KIND, filters={})
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


def _name(house: House, name: str) -> str:
    return f"__Host-{name}" if house.base_url.startswith("https:") else name


def _id(secret: str) -> str:
    return named_by("ses", "drachm desk session", secret)


def _term(subject: str) -> str:
    return f"subject={subject}"
