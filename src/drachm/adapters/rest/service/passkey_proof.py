"""Whose passkey answered, and did it answer what we asked? For the desk, and for patients who prove themselves."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.passkeys import CHALLENGE_BYTES, passkeys_of
from drachm.adapters.rest.service.browser_session import Session
from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.values import write_instant
from drachm.application import passkeys as kept
from drachm.application.records import Record
from drachm.domain.errors import DrachmError

FORM_BYTES: Final = 16_384
"""How large a form with a passkey's answer may be."""
_ROUTE: Final = "passkey"
_SALTS: Final = {kept.KIND: "drachm passkey handle", kept.OF_PATIENTS: "drachm patient passkey handle"}
"""A device keeps one passkey for an address and a handle: a person who is staff and patient has two."""


def handle_of(tenant: str, subject: str, kind: str) -> str:
    """A person's handle: no name, no address, the same for all passkeys of one person and kind."""
    return f"{tenant}/{named_by('psu', _SALTS[kind], tenant, subject)}"


def question_for(call: Call, who: str, allowed: Sequence[bytes] = ()) -> tuple[str, str]:
    """(what a browser is asked for as JSON, the sealed challenge for the form); empty where there are no passkeys.

    `who`: by whom the answer must be brought back, a person or a link.
    """
    ways = passkeys_of(call.house.base_url)
    if ways is None:
        return "", ""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    return ways.asked(challenge, allowed), sealed(call, who, challenge)


def offer_for(call: Call, who: str, session: Session, known: Sequence[Record], kind: str) -> tuple[str, str]:
    """(what a browser is asked to make as JSON, the sealed challenge for the form): a passkey of the session's person,
    on a device that has none of the `known` ones; empty where there are no passkeys."""
    ways, principal = passkeys_of(call.house.base_url), session.principal
    if ways is None:
        return "", ""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    handle = handle_of(principal.tenant, principal.subject, kind).encode()
    credentials = [bytes.fromhex(one.body["credential"]) for one in known]
    wanted = ways.wanted(challenge, handle, str(session.record.body["name"]), credentials)
    return wanted, sealed(call, who, challenge)


def sealed(call: Call, who: str, challenge: bytes) -> str:
    """A challenge as a form carries it, with its moment."""
    return call.house.cursors.write([challenge.hex(), write_instant(call.at)], caller=who, route=_ROUTE, filters={})


def unsealed(call: Call, who: str, text: str) -> bytes:
    """The challenge of such a form. Raises Unauthenticated for one that is not ours, or too old."""
    try:
        challenge, at = call.house.cursors.read(text, caller=who, route=_ROUTE, filters={})
        if call.at - datetime.fromisoformat(str(at)) < kept.CHALLENGE_LIFE:
            return bytes.fromhex(str(challenge))
    except (Problem, ValueError):
        pass
    raise Unauthenticated("passkey_invalid")


def proved_record(call: Call, answer: str, challenge: bytes, kind: str) -> tuple[str, Record]:
    """(tenant, the passkey that answered), and that it was used for this challenge is written down.

    Raises Unauthenticated, and Forbidden for an answer that is used again.
    """
    ways = passkeys_of(call.house.base_url)
    if ways is None:
        raise Unauthenticated("passkey_invalid")
    presented = ways.presented(answer)
    handle = presented.handle.decode("ascii", "replace")
    tenant = handle.partition("/")[0]
    if not (tenant.isascii() and tenant.isdigit() and len(tenant) < 7):
        raise Unauthenticated("passkey_invalid")
    try:
        records = call.house.market(tenant).records
    except (DrachmError, LookupError):
        raise Unauthenticated("passkey_invalid") from None
    record = records.get(kind, named_by("psk", presented.credential.hex()))
    if record is None or not kept.holds(record, call.at) or handle_of(tenant, record.body["subject"], kind) != handle:
        raise Unauthenticated("passkey_invalid")
    key, count = bytes.fromhex(record.body["public_key"]), int(record.body["count"])
    count = ways.proved(presented, challenge, key, count)
    return tenant, kept.used(record, challenge, count, call.at, records)
