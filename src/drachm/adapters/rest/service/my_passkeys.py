"""Passkeys of patients: made after a proof with the account, named, ended, and used to prove once more who is there.

A patient's passkey opens no session. It is the second answer beside the date of birth or the code, on the page of a
receipt's link and before a large payment; how it is proved is `passkey_proof.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from drachm.adapters.rest.identity.decide import Deny
from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.passkeys import passkeys_of
from drachm.adapters.rest.identity.permit import Denied
from drachm.adapters.rest.service import browser_session, my_session
from drachm.adapters.rest.service.call import Call, Reply
from drachm.adapters.rest.service.my_frame import PatientSeat, below_my, patient_page
from drachm.adapters.rest.service.passkey_proof import (
    FORM_BYTES,
    offer_for,
    proved_record,
    question_for,
    unsealed,
)
from drachm.adapters.rest.service.speech import N_, gettext, short_day
from drachm.adapters.rest.service.static_files import address
from drachm.adapters.rest.service.trouble_words import not_done
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.application import passkeys as kept
from drachm.application.records import Record
from drachm.application.ties import ties_of, ties_to
from drachm.domain.errors import DrachmError

PLACE: Final = "/my/passkeys"
_NAME_MAX: Final = 60
_NOT_KEPT: Final = N_("Your device made no passkey that we can use. Nothing was kept.")
_TOO_MANY: Final = N_("You have ten passkeys, or this one is here already. Take one away first.")
_LONG: Final = N_("A name has 60 letters at most.")


@patient_page("open_my_passkeys")
def open_my_passkeys(seat: PatientSeat) -> Reply:
    """The person's own passkeys."""
    return _page(seat)


@patient_page("add_my_passkey", form=True, form_bytes=FORM_BYTES)
def add_my_passkey(seat: PatientSeat) -> Reply:
    """Keep the passkey that the browser made."""
    call, form, subject = seat.call, seat.call.form, seat.session.principal.subject
    ways, label = passkeys_of(call.house.base_url), _label(seat)
    if ways is None or not _by_account(seat):
        return _page(seat, _NOT_KEPT, 403)
    if not label:
        return _page(seat, _LONG, 422)
    try:
        made = ways.registered(form.get("answer", ""), unsealed(call, _who(seat), form.get("asked", "")))
    except (DrachmError, ValueError):
        return _page(seat, _NOT_KEPT, 403)
    credential, name = made.credential.hex(), str(seat.session.record.body["name"])
    new = kept.NewPasskey(
        named_by("psk", credential), subject, name, label, credential, made.public_key.hex(), made.count
    )
    try:
        kept.add(new, kept.Rights((), (), ()), call.at, call.market.records, kept.OF_PATIENTS)
    except DrachmError:
        return _page(seat, _TOO_MANY, 409)
    return seat.sent_on(PLACE)


@patient_page("change_my_passkey", form=True)
def change_my_passkey(seat: PatientSeat) -> Reply:
    """Name a passkey anew, or end it: it proves nothing from then on."""
    call, records, do = seat.call, seat.call.market.records, seat.call.form.get("do", "")
    name = call.path["passkey_id"]
    record = records.get(kept.OF_PATIENTS, name) if name.startswith("psk_") else None
    if record is None or record.body["subject"] != call.caller.subject or record.body["ended_at"] is not None:
        raise Denied(Deny("not_found"), call.operation)
    if do == "end":
        kept.end(record, call.caller.subject, call.at, records)
    elif do == "name":
        label = _label(seat)
        if not label:
            return _page(seat, _LONG, 422)
        kept.rename(record, label, call.at, records)
    else:
        raise Problem("bad_request")
    return seat.sent_on(PLACE)


def asked_of(seat: PatientSeat) -> tuple[str, str]:
    """What the page that asks for a proof asks of the person's passkeys; empty for who has none."""
    mine = _mine(seat)
    if seat.visit or not mine:
        return "", ""
    return question_for(seat.call, _who(seat), [bytes.fromhex(one.body["credential"]) for one in mine])


def prove(seat: PatientSeat) -> None:
    """Take the answer of a passkey of the person who is signed in. Raises Unauthenticated and Forbidden."""
    call, session = seat.call, seat.session
    challenge = unsealed(call, _who(seat), call.form.get("asked", ""))
    tenant, record = proved_record(call, call.form.get("answer", ""), challenge, kept.OF_PATIENTS)
    if (tenant, record.body["subject"]) != (session.principal.tenant, session.principal.subject):
        raise Unauthenticated("passkey_invalid")
    browser_session.proved(call, session, by="passkey")


@patient_page("prove_with_my_passkey", form=True, form_bytes=FORM_BYTES)
def prove_with_my_passkey(seat: PatientSeat) -> Reply:
    """Prove once more who is there, with a passkey, and go on to the page that waits."""
    onward = below_my(seat.call.form.get("next", ""))
    try:
        prove(seat)
    except (DrachmError, ValueError):
        return seat.page(
            "my_trouble.html",
            "",
            403,
            title=gettext("This passkey did not prove it"),
            sentences=[gettext("Go back, and try again or another way. We took no money.")],
        )
    return seat.sent_on(onward)


def somebody_has_one(call: Call, tenant: str, member: str) -> bool:
    """Whether there is a passkey that would be the second answer for a receipt of this member."""
    if passkeys_of(call.house.base_url) is None:
        return False
    records = call.house.market(tenant).records
    own = {one.subject for one in ties_to(records, member) if one.relation == "self" and not one.has_ended(call.at)}
    return any(
        kept.holds(one, call.at) for subject in own for one in kept.passkeys_of(subject, records, kept.OF_PATIENTS)
    )


def opens_for(call: Call, link: str, tenant: str, member: str) -> None:
    """Take a passkey's answer as the second one for a receipt of this member: it must be the member's own.

    Raises Unauthenticated and Forbidden.
    """
    challenge = unsealed(call, link, call.form.get("asked", ""))
    whose, record = proved_record(call, call.form.get("answer", ""), challenge, kept.OF_PATIENTS)
    ties = ties_of(call.house.market(tenant).records, record.body["subject"]) if whose == tenant else []
    mine = [one for one in ties if (one.member, one.relation) == (member, "self") and not one.has_ended(call.at)]
    if not any(one.valid_from <= call.at for one in mine):
        raise Unauthenticated("passkey_invalid")


def renewed(call: Call, tenant: str, subject: str) -> None:
    """The person signed in with the account: their passkeys go on."""
    kept.renew(subject, kept.Rights((), (), ()), call.at, call.house.market(tenant).records, kept.OF_PATIENTS)


def _page(seat: PatientSeat, trouble: str = "", status: int = 200) -> Reply:
    call, mine, options, asked = seat.call, _mine(seat), "", ""
    if _by_account(seat):
        options, asked = offer_for(call, _who(seat), seat.session, mine, kept.OF_PATIENTS)
    return seat.page(
        "my_passkeys.html",
        "",
        mine=[_shown(one) for one in mine],
        possible=passkeys_of(call.house.base_url) is not None,
        options=options,
        asked=asked,
        trouble=not_done(gettext(trouble), status=status) if trouble else None,
        passkeys=address("passkeys.js"),
    )


def _shown(record: Record) -> dict[str, Any]:
    body = record.body
    return {"id": record.id, "label": body["label"], "made": _day(body["made_at"]), "used": _day(body["used_at"])}


def _day(moment: str | None) -> str:
    return short_day(datetime.fromisoformat(moment).date()) if moment else ""


def _mine(seat: PatientSeat) -> list[Record]:
    return kept.passkeys_of(seat.session.principal.subject, seat.call.market.records, kept.OF_PATIENTS)


def _who(seat: PatientSeat) -> str:
    principal = seat.session.principal
    return f"{principal.tenant}\0{principal.subject}"


def _label(seat: PatientSeat) -> str:
    """What the person calls it; empty for a name that cannot be."""
    label = seat.call.form.get("label", "").strip() or gettext("This device")
    return label if len(label) <= _NAME_MAX and label.isprintable() else ""


def _by_account(seat: PatientSeat) -> bool:
    """Whether the person proved just now with the account who they are: a passkey makes no further passkey."""
    by = seat.session.record.body.get("by", "account")
    return not seat.visit and by == "account" and my_session.fresh(seat.call, seat.session)
