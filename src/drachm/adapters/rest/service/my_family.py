"""The family's pocket in the browser: who takes how much, a pause with one tap, asking, answering, leaving.

Its holder sees amounts, days and names, never what the care was; everybody else sees the own part (`wallet_views`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.browser_session import new_secret
from drachm.adapters.rest.service.call import OPERATIONS, Reply
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.page_bar import Bar, bar_of
from drachm.adapters.rest.service.page_frame import Entry
from drachm.adapters.rest.service.page_words import Amount, said, typed
from drachm.adapters.rest.service.speech import N_, gettext, short_day
from drachm.adapters.rest.service.trouble_words import Trouble, not_done
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.versions import etag
from drachm.application.people import PROFILE
from drachm.domain.errors import DrachmError, InvalidMessage

_MOST: Final = "100"


@dataclass(frozen=True, slots=True)
class Row:
    """One member on the page."""

    id: str
    name: str
    own: bool
    used: Amount | None
    """Of the narrowest limit that counts all care."""
    limit: Amount | None
    bar: Bar | None
    notes: Sequence[Any]
    paused: bool
    tag: str
    """What the page has read: a change is refused when somebody else was faster."""


@patient_page("open_my_family", entry=Entry("family", N_("Family"), "/my/family", "family", 50))
def open_my_family(seat: PatientSeat) -> Reply:
    """The pots that this person shares, and the questions that wait for an answer."""
    return _page(seat)


@patient_page("answer_my_invitation", form=True)
def answer_my_invitation(seat: PatientSeat) -> Reply:
    """Say yes or no to an invitation; one that somebody handed on comes with its code."""
    form = seat.call.form
    name, _, code = form.get("invitation", "").strip().partition(".")
    body: dict[str, Any] = {"invitation": name, "accept": form.get("do") == "accept"}
    try:
        seat.ask("answer_invitation", {"member_id": _me(seat)}, body={**body, **({"code": code} if code else {})})
    except DrachmError as error:
        return _page(seat, _told(error, seat))
    return seat.sent_on("/my/family")


@patient_page("change_my_family", form=True)
def change_my_family(seat: PatientSeat) -> Reply:
    """Pause, limit, ask, take out, leave, or let others see: one thing at a time."""
    form, wallet = seat.call.form, seat.call.path["wallet_id"]
    do, member = form.get("do", ""), form.get("member", "")
    path = {"wallet_id": wallet, "member_id": member}
    try:
        if do in ("pause", "start", "limit"):
            _set_terms(seat, path, do)
        elif do == "invite":
            found = seat.ask("invite_to_wallet", {"wallet_id": wallet}, body={}, key=form.get("key") or new_secret())
            return _page(seat, code=f"{found.id}.{found.code}", at=wallet)
        elif do == "withdraw":
            seat.ask("withdraw_wallet_invitation", {"invitation_id": form.get("invitation", "")})
        elif do in ("leave", "remove"):
            seat.ask("remove_wallet_member", {**path, "member_id": member if do == "remove" else _me(seat)})
        elif do in ("share", "hide"):
            _share(seat, wallet, do == "share")
        else:
            raise Problem("bad_request")
    except DrachmError as error:
        return _page(seat, _told(error, seat), at=wallet)
    return seat.sent_on("/my/family")


def _page(seat: PatientSeat, trouble: Trouble | None = None, *, code: str = "", at: str = "") -> Reply:
    if not _me(seat):
        return seat.page("my_nobody.html", "family", subject=seat.call.caller.subject)
    waiting = seat.ask("list_member_invitations", {"member_id": _me(seat)}).data
    pots = [_pot(seat, one) for one in seat.ask("list_wallets", query={"limit": _MOST}).data if one.shared]
    return seat.page(
        "my_family.html",
        "family",
        pots=[one for one in pots if one is not None],
        waiting=[_question(seat, one) for one in waiting],
        trouble=trouble,
        code=code,
        at=at,
        key=new_secret(),
    )


def _pot(seat: PatientSeat, wallet: Any) -> dict[str, Any] | None:
    """A shared pot; None for one that this person only helps to fill."""
    path = {"wallet_id": wallet.id}
    members = seat.ask("list_wallet_members", path).data
    if all(one.member != _me(seat) for one in members):
        return None
    holds = _holder(seat, wallet.id) == _me(seat)
    last: dict[str, Any] = {}
    for entry in seat.ask("list_wallet_entries", path, query={"limit": _MOST}).data:
        if entry.member and int(entry.amount.micros) > 0:
            last.setdefault(entry.member, entry)
    asked = seat.ask("list_wallet_invitations", path).data if holds else []
    return {
        "id": wallet.id,
        "left": Amount(int(wallet.available.micros), wallet.currency),
        "currency": wallet.currency,
        "holds": holds,
        "rows": [_row(seat, wallet, one, last.get(one.member), holds) for one in members],
        "asked": [
            {"id": one.id, "name": name_at_home(seat, one.member) if one.member else "", "until": _day(one.expires_at)}
            for one in asked
            if one.state == "open" and one.opens_at <= seat.call.at.isoformat()
        ],
        "shares": next((one.shares for one in members if one.member == _me(seat)), False),
    }


def _row(seat: PatientSeat, wallet: Any, one: Any, last: Any, holds: bool) -> Row:
    name, own = name_at_home(seat, one.member), one.member == _me(seat)
    whole = [limit for limit in one.limits if not limit.categories]
    narrow = min(whole, key=lambda limit: int(limit.left.micros), default=None)
    notes: list[Any] = []
    if one.paused:
        notes.append(gettext("Paused. This pot pays nothing for now."))
    if one.of_age_on:
        day = short_day(date.fromisoformat(one.of_age_on))
        notes.append(said(gettext("From {day} on, {name} decides alone."), day=day, name=name))
    if last is not None:
        spent = Amount(int(last.amount.micros), wallet.currency)
        notes.append(said(gettext("Last: {amount} on {day}."), amount=spent, day=short_day(last.occurred_at.date())))
        if last.care is not None:
            notes.append(f"{last.care.service}, {last.care.provider}")
    for limit in one.limits:
        if limit.categories:
            kinds = ", ".join(word.replace("_", " ") for word in limit.categories)
            left = Amount(int(limit.left.micros), wallet.currency)
            notes.append(said(gettext("{kinds}: {amount} left."), kinds=kinds, amount=left))
    used = limit_ = bar = None
    if narrow is not None:
        used, limit_ = Amount(int(narrow.used.micros), wallet.currency), Amount(narrow.amount.micros, wallet.currency)
        words = gettext("{used} of {limit} used").format(used=used, limit=limit_)
        shares = [("held" if one.paused else "you", int(narrow.used.micros)), ("left", int(narrow.left.micros))]
        bar = bar_of(shares, words) if any(amount for _, amount in shares) else None
    tag = _tag(seat, wallet.id, one.member) if holds else ""
    return Row(one.member, name, own, used, limit_, bar, notes, one.paused, tag)


def _question(seat: PatientSeat, one: Any) -> dict[str, Any]:
    who = name_at_home(seat, one.holder) if one.holder else one.funder or ""
    return {"id": one.id, "who": who, "until": _day(one.expires_at)}


def _set_terms(seat: PatientSeat, path: Mapping[str, str], do: str) -> None:
    """The member's terms with one thing changed, as the page has read them."""
    read = seat.ask("get_wallet_member", path)
    limits = [
        {
            "amount": msgspec.to_builtins(one.amount),
            "every": one.every,
            "zone": one.zone,
            "categories": list(one.categories),
        }
        for one in read.limits
    ]
    if do == "limit":
        currency = seat.ask("get_wallet", {"wallet_id": path["wallet_id"]}).currency
        size = _size(seat.call.form.get("amount", ""), currency)
        zones = [one["zone"] for one in limits if not one["categories"]]
        general: dict[str, Any] = {
            "amount": {"micros": size, "currency": currency},
            "every": "month",
            "zone": zones[0] if zones else "UTC",
            "categories": [],
        }
        limits = [general, *[one for one in limits if one["categories"]]]
    body = {"limits": limits, "paused": read.paused if do == "limit" else do == "pause"}
    _ask_matching(seat, "set_wallet_member", path, body, seat.call.form.get("tag", ""))


def _share(seat: PatientSeat, wallet: str, shares: bool) -> None:
    path = {"wallet_id": wallet, "member_id": _me(seat)}
    read = OPERATIONS["get_wallet_privacy"].handler(seat.asking("get_wallet_privacy", path=path))
    body = {"shares": shares, "private_categories": read.value.private_categories}
    _ask_matching(seat, "set_wallet_privacy", path, body, etag(*read.tag))


def _ask_matching(seat: PatientSeat, name: str, path: Mapping[str, str], body: Mapping[str, Any], tag: str) -> None:
    PatientSeat(seat.asking(name, if_match=tag), seat.session).ask(name, path, body=body)


def _tag(seat: PatientSeat, wallet: str, member: str) -> str:
    path = {"wallet_id": wallet, "member_id": member}
    return etag(*OPERATIONS["get_wallet_member"].handler(seat.asking("get_wallet_member", path=path)).tag)


def _me(seat: PatientSeat) -> str:
    """Nobody answers, leaves or lets others see for somebody else."""
    return seat.member if seat.own else ""


def _holder(seat: PatientSeat, wallet: str) -> str:
    record = seat.call.market.records.get("wallet", wallet)
    return str(record.body.get("holder") or "") if record is not None else ""


def name_at_home(seat: PatientSeat, member: str) -> str:
    """What somebody of the same household is called."""
    profile = seat.call.market.records.get(PROFILE, member)
    named = (profile.body.get("name") or {}) if profile is not None else {}
    return str(named.get("given") or named.get("family") or member)


def _day(moment: str) -> str:
    return short_day(date.fromisoformat(moment[:10]))


def _size(text: str, currency: str) -> int:
    size = typed(text, currency)
    if size is None:
        raise InvalidMessage(gettext("Write an amount in digits, such as 25."), where="amount")
    return size


def _told(error: DrachmError, seat: PatientSeat) -> Trouble:
    """Why not, in words for the page."""
    if isinstance(error, InvalidMessage) and error.where == "amount":
        return not_done(error.message)
    status = trouble_of(error, seat.call).status
    if status in (409, 412, 428):
        return not_done(gettext("Somebody changed this meanwhile. Look at it, then try again."))
    if status in (404, 422):
        return not_done(gettext("This invitation or person is not here. Look at what you wrote."))
    return not_done(gettext("This did not go through, and nothing was changed."))
