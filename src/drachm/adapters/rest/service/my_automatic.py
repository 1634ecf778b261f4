"""What is paid by itself, for whom and from where? Rules for one clinic or kind of care, the order of pots, the card.

Every wish holds from the next posting on, and is taken back where it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from markupsafe import Markup

from drachm.adapters.rest.service.call import OPERATIONS, Reply
from drachm.adapters.rest.service.care_kinds import kind_said, kinds_to_choose
from drachm.adapters.rest.service.mandates import AutomaticPaymentsView, AutomaticRule
from drachm.adapters.rest.service.my_frame import PatientSeat, patient_page
from drachm.adapters.rest.service.my_pay import wallets_of
from drachm.adapters.rest.service.my_wallet_view import kind_words
from drachm.adapters.rest.service.page_words import amount_of, said, typed
from drachm.adapters.rest.service.speech import N_, gettext, ngettext
from drachm.adapters.rest.service.trouble_words import Trouble, not_done
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.versions import etag

PLACE: Final = "/my/automatic"
_VISITS: Final = "100"
_NO_AMOUNT: Final = N_("This is no amount. Write it like 60 or 60.50.")
_CHOOSE: Final = N_("Choose a clinic or a kind of care.")
_TWICE: Final = N_("There is a rule for this already. Take it away first.")


@patient_page("open_my_automatic")
def open_my_automatic(seat: PatientSeat) -> Reply:
    """Every wish about what is paid by itself."""
    return _shown(seat)


@patient_page("change_my_rules", form=True)
def change_my_rules(seat: PatientSeat) -> Reply:
    """Add a rule for one clinic or one kind of care, or take one away."""
    form, (now, _) = seat.call.form, _read(seat, "get_automatic_payments")
    rules = [dict(msgspec.to_builtins(one)) for one in now.rules]
    if (gone := form.get("take", "")) != "":
        if not (gone.isascii() and gone.isdigit() and len(gone) < 4 and int(gone) < len(rules)):
            raise Problem("bad_request")
        del rules[int(gone)]
    else:
        made = _made(seat, now)
        if isinstance(made, Trouble):
            return _shown(seat, made)
        # The narrow before the wide: the first that fits decides.
        wide = [one for one in rules if not one.get("provider") and not one.get("categories")]
        narrow = [one for one in rules if one not in wide]
        rules = [*narrow, made, *wide] if "categories" in made else [made, *narrow, *wide]
    _write(seat, {"rules": rules, "order": list(now.order)})
    return seat.sent_on(PLACE)


@patient_page("order_my_pots", form=True)
def order_my_pots(seat: PatientSeat) -> Reply:
    """Draw on one pot earlier, or on all in their own order again."""
    form, (now, _) = seat.call.form, _read(seat, "get_automatic_payments")
    order = [one.id for one in _pots(seat)]
    wallet = form.get("wallet", "")
    if form.get("do") == "reset":
        order = []
    elif wallet in order[1:]:
        at = order.index(wallet)
        order[at - 1], order[at] = order[at], order[at - 1]
    else:
        raise Problem("bad_request")
    _write(seat, {"rules": [dict(msgspec.to_builtins(one)) for one in now.rules], "order": order})
    return seat.sent_on(PLACE)


@patient_page("set_my_collection", form=True)
def set_my_collection(seat: PatientSeat) -> Reply:
    """Let what is owed be taken from the card on file, or take that back."""
    name, form = "set_collection_consent", seat.call.form
    body = msgspec.convert({"by_card": form.get("by_card") == "yes"}, OPERATIONS[name].body)
    call = seat.asking(name, path={"member_id": seat.member}, body=body, if_match=form.get("version") or '""')
    OPERATIONS[name].handler(call)
    return seat.sent_on(PLACE)


def _shown(seat: PatientSeat, trouble: Trouble | None = None) -> Reply:
    (now, tag), (consent, word) = _read(seat, "get_automatic_payments"), _read(seat, "get_collection_consent")
    names = _clinics(seat, now)
    pots = _pots(seat)
    used = [word for rule in now.rules for word in rule.categories]
    owed = seat.ask("list_dues", {"member_id": seat.member}).data
    return seat.page(
        "my_automatic.html",
        "budget",
        rules=[_sentence(one, names) for one in now.rules],
        stops=[names.get(one.provider, one.provider) for one in now.stops],
        clinics=sorted(names.items(), key=lambda pair: pair[1].casefold()),
        kinds=kinds_to_choose(used),
        currency=_currency(seat),
        pots=[(one.id, kind_words(one), amount_of(one.available)) for one in pots],
        ordered=bool(now.order),
        by_card=consent.by_card,
        word=word,
        collecting=[_collected(one) for one in owed if one.collected_from is not None],
        version=tag,
        trouble=trouble,
        form={name: seat.call.form.get(name, "") for name in ("provider", "kind", "how", "most")},
    )


def _made(seat: PatientSeat, now: AutomaticPaymentsView) -> dict[str, Any] | Trouble:
    """The rule that a form asks for; or why it is none."""
    form = seat.call.form
    provider, kind, how = (form.get(name, "") for name in ("provider", "kind", "how"))
    if bool(provider) == bool(kind):
        return not_done(gettext(_CHOOSE), "kind")
    if how not in ("all", "some", "none") or (provider and provider not in _clinics(seat, now)) or len(kind) > 64:
        raise Problem("bad_request")
    rule: dict[str, Any] = {"provider": provider} if provider else {"categories": [kind]}
    same = [
        one for one in now.rules if (one.provider or "", list(one.categories)) == (provider, [kind] if kind else [])
    ]
    if same:
        return not_done(gettext(_TWICE), "kind")
    if how != "all":
        currency = _currency(seat)
        micros = 0 if how == "none" else typed(form.get("most", ""), currency)
        if micros is None:
            return not_done(gettext(_NO_AMOUNT), "most")
        rule |= {"most": {"micros": micros, "currency": currency}, "per": "visit" if micros else "charge"}
    return rule


def _sentence(rule: AutomaticRule, names: Mapping[str, str]) -> Markup:
    """A rule in words."""
    what = gettext("all other care")
    if rule.categories:
        what = ", ".join(map(kind_said, rule.categories))
    if rule.provider:
        what = names.get(rule.provider, rule.provider)
    if rule.most is None:
        return said(gettext("Paid without asking: {what}."), what=what)
    if not rule.most.micros:
        return said(gettext("We ask you first: {what}."), what=what)
    amount = amount_of(rule.most)
    if rule.per == "visit":
        return said(gettext("Paid without asking up to {amount} a visit: {what}."), amount=amount, what=what)
    return said(gettext("Paid without asking up to {amount} for each part: {what}."), amount=amount, what=what)


def _collected(one: Any) -> Markup:
    days = one.collected_after_days
    text = ngettext(
        "We take it when you owe {amount}, or after {days} day.",
        "We take it when you owe {amount}, or after {days} days.",
        days,
    )
    return said(text, amount=amount_of(one.collected_from), days=days)


def _clinics(seat: PatientSeat, now: AutomaticPaymentsView) -> dict[str, str]:
    """Clinics that this person went to, or wishes something about, by id."""
    visits = seat.ask("list_visits", query={"limit": _VISITS, "member": seat.member}).data
    ids = {party for visit in visits for party in visit.providers or []}
    ids |= {one.provider for one in now.rules if one.provider} | {one.provider for one in now.stops}
    parties = seat.call.market.register.parties(ids=ids, limit=len(ids)) if ids else []
    return {party.id: party.name or party.id for party in parties}


def _pots(seat: PatientSeat) -> Sequence[Any]:
    """The wallets that pay for this person, in the order in which they are drawn."""
    mine = {pot.fund or pot.id for pot in seat.call.market.register.pots(seat.member)}
    return [one for one in wallets_of(seat) if one.id in mine]


def _currency(seat: PatientSeat) -> str:
    return next((one.currency for one in wallets_of(seat)), "USD")


def _read(seat: PatientSeat, name: str) -> tuple[Any, str]:
    reply = OPERATIONS[name].handler(seat.asking(name, path={"member_id": seat.member}))
    return reply.value, etag(*reply.tag)


def _write(seat: PatientSeat, body: Mapping[str, Any]) -> None:
    """Write it in the version that the form was made from."""
    name = "set_automatic_payments"
    shape = msgspec.convert(body, OPERATIONS[name].body)
    tag = seat.call.form.get("version", "") or '""'
    OPERATIONS[name].handler(seat.asking(name, path={"member_id": seat.member}, body=shape, if_match=tag))
