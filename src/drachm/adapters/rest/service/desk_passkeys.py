"""Passkeys of people at the desk: made after a sign-in with the account, used instead of it, ended.

What a passkey opens, and how long, is `application/passkeys.py`; how it is proved, `identity/passkeys.py`.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.model import Kind, Principal, roles_of, scopes_of
from drachm.adapters.rest.identity.passkeys import CHALLENGE_BYTES, passkeys_of
from drachm.adapters.rest.service import browser_session
from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.call import Call, Reply
from drachm.adapters.rest.service.desk_frame import Seat, desk, unreadable
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.passkey_proof import FORM_BYTES, offer_for, proved_record, unsealed
from drachm.adapters.rest.service.speech import gettext
from drachm.adapters.rest.service.static_files import address
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.values import write_instant
from drachm.application import passkeys as kept
from drachm.application.records import Record
from drachm.domain.errors import DrachmError

FRESH: Final = timedelta(minutes=15)
"""So long after a sign-in with the account a passkey may be made: an unlocked screen is not enough."""


@desk("open_desk_passkeys")
def open_desk_passkeys(seat: Seat) -> Reply:
    """The person's own passkeys; for operators, everybody's."""
    return _page(seat)


@desk("add_desk_passkey", form=True, form_bytes=FORM_BYTES)
def add_desk_passkey(seat: Seat) -> Reply:
    """Keep the passkey that the browser made."""
    call, form, subject = seat.call, seat.call.form, seat.session.principal.subject
    call.reach()
    try:
        ways = passkeys_of(call.house.base_url)
        if ways is None or not _fresh(seat):
            raise unreadable(gettext("Sign in with your account first, then make the passkey."))
        made = ways.registered(form.get("answer", ""), unsealed(call, _who(seat), form.get("asked", "")))
        label = form.get("label", "").strip() or gettext("Passkey")
        if len(label) > 60 or not label.isprintable():
            raise unreadable(gettext("A name has 60 letters at most."), "label")
        credential = made.credential.hex()
        new = kept.NewPasskey(
            named_by("psk", credential),
            subject,
            str(seat.session.record.body["name"]),
            label,
            credential,
            made.public_key.hex(),
            made.count,
        )
        kept.add(new, _rights(seat.session.principal), call.at, call.market.records)
    except ValueError:
        return _page(seat, trouble_of(Unauthenticated("passkey_invalid"), call))
    except DrachmError as error:
        return _page(seat, trouble_of(error, call, "label"))
    return sent_on(call, "/desk/passkeys")


@desk("end_desk_passkey", form=True)
def end_desk_passkey(seat: Seat) -> Reply:
    """The passkey opens nothing any more, and whoever is signed in as its person is signed out everywhere else."""
    call, records = seat.call, seat.call.market.records
    name = call.path["passkey_id"]
    record = records.get(kept.KIND, name) if name.startswith("psk_") else None
    mine = record is not None and record.body["subject"] == call.caller.subject
    call.permit(call.resource(name, parties=call.caller.parties if mine else frozenset()) if record else None)
    if record is None:
        raise Problem("not_found")
    kept.end(record, call.caller.subject, call.at, records)
    browser_session.end_all(records, record.body["subject"])
    return sent_on(call, "/desk/passkeys")


def asked_at_door(call: Call) -> tuple[str, str]:
    """(what the browser is asked for as JSON, the challenge to keep in the door's cookie); empty where there are no
    passkeys."""
    ways = passkeys_of(call.house.base_url)
    if ways is None:
        return "", ""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    return ways.asked(challenge), challenge.hex()


def proved_at_door(call: Call, words: list[str]) -> tuple[Principal, str, datetime]:
    """Whom the passkey of a form names: (who, what they are called, until when it holds).

    `words`: what the door's cookie kept. Raises Unauthenticated, and Forbidden for an answer that is used again.
    """
    if len(words) != 2 or call.at - datetime.fromisoformat(words[1]) >= kept.CHALLENGE_LIFE:
        raise Unauthenticated("passkey_invalid")
    tenant, record = proved_record(call, call.form.get("answer", ""), bytes.fromhex(words[0]), kept.KIND)
    return _principal(call, tenant, record), str(record.body["name"]), kept.ends(record)


def renewed(call: Call, principal: Principal) -> None:
    """The person signed in with the account: their passkeys open what it gave."""
    kept.renew(principal.subject, _rights(principal), call.at, call.house.market(principal.tenant).records)


def door_words(call: Call, challenge: str) -> tuple[str, ...]:
    """What the door's cookie keeps for `proved_at_door`."""
    return (challenge, write_instant(call.at)) if challenge else ()


def _page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    call, principal = seat.call, seat.session.principal
    reach = call.reach()
    records = call.market.records
    mine = kept.passkeys_of(principal.subject, records)
    others = [one for one in kept.every_passkey(records) if reach.everything and one.body["ended_at"] is None]
    fresh, options, asked = _fresh(seat), "", ""
    if fresh:
        options, asked = offer_for(call, _who(seat), seat.session, mine, kept.KIND)
    return seat.page(
        "desk_passkeys.html",
        tab="",
        mine=[_shown(seat, one) for one in mine],
        others=[_shown(seat, one) for one in others if one.body["subject"] != principal.subject],
        possible=passkeys_of(call.house.base_url) is not None,
        fresh=fresh,
        options=options,
        asked=asked,
        trouble=trouble,
        passkeys=address("passkeys.js"),
    )


def _shown(seat: Seat, record: Record) -> dict[str, Any]:
    body, used = record.body, record.body["used_at"]
    return {
        "id": record.id,
        "label": body["label"],
        "who": body["name"],
        "made": seat.here(body["made_at"]),
        "used": seat.here(used) if used else None,
        "ends": seat.here(kept.ends(record)),
        "holds": kept.holds(record, seat.call.at),
    }


def _who(seat: Seat) -> str:
    """By whom the browser's answer must be brought back; never taken for the same person's at their own pages."""
    return f"desk\0{seat.session.principal.tenant}\0{seat.session.principal.subject}"


def _fresh(seat: Seat) -> bool:
    by_passkey = seat.session.principal.credential.startswith("passkey:")
    return not by_passkey and seat.call.at - seat.session.proved_at < FRESH


def _principal(call: Call, tenant: str, record: Record) -> Principal:
    body = record.body
    return Principal(
        tenant,
        Kind.PERSON,
        body["subject"],
        f"passkey:{record.id}",
        call.house.environment,
        roles_of(body["roles"]),
        frozenset(body["parties"]),
        (),
        scopes_of(body["scopes"]),
    )


def _rights(principal: Principal) -> kept.Rights:
    roles, scopes = ([one.value for one in words] for words in (principal.roles, principal.scopes))
    return kept.Rights(roles, principal.parties, scopes)
