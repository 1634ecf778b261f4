"""Which pots are to be topped up now, by their holders' rules? Run again and again; two that run at once do it once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from drachm.application.arrears import arrears_of
from drachm.application.desk import Desk
from drachm.application.payments import begin, carry_out, payment_of
from drachm.application.rails import Rail
from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict, DrachmError
from drachm.domain.payments.automatic import AutomaticTopUp, Verdict, verdict
from drachm.domain.payments.model import Payment

RULE: Final = "automatic_top_up"
LOOK: Final = "automatic_top_up_look"
"""Beside a rule: whether its pot is to be looked at although it has not moved."""
WANTED: Final = "wanted"
PAYMENTS_MAX: Final = 1_000
"""Of a pot, as many as are looked at: far more than any month's cap and burst guard allow."""


class Rule(msgspec.Struct, frozen=True):
    """A holder's rule for one pot, with the rail that pays."""

    pot: str
    member: str
    currency: str
    rail: str
    rule: AutomaticTopUp


def set_rule(rule: Rule, records: Records, *, author: str, version: int = 0) -> Record:
    """Keep a holder's rule in the place of `version` (0: there was none). Raises `Conflict` (`version`)."""
    body = msgspec.to_builtins(rule)
    members = frozenset({rule.member})
    look = records.get(LOOK, rule.pot)
    wanted = Record(LOOK, rule.pot, {}, look.version if look else 0, members=members, terms=frozenset({WANTED}))
    [record, _] = records.put([Record(RULE, rule.pot, body, version, members=members, author=author), wanted])
    return record


def newly_ruled(records: Records) -> list[str]:
    """Pots whose rule was given or changed and that nobody has looked at since. Asked once, they are looked at."""
    pots = []
    for record in records.find(LOOK, terms=[WANTED]):
        try:
            records.put([replace(record, terms=frozenset())])
        except Conflict:
            continue  # Somebody else looks, or the rule changed again: at the next look.
        pots.append(record.id)
    return pots


def judge(record: Record, desk: Desk, records: Records) -> tuple[Rule, Verdict, list[Payment]]:
    """A rule with its verdict just now, and the pot's automatic payments, oldest first."""
    rule = msgspec.convert(dict(record.body), Rule)
    found = records.find("payment", terms=[f"pot={rule.pot}", "automatic"], limit=PAYMENTS_MAX)
    payments = sorted((payment_of(one) for one in found), key=lambda one: (one.begun_at, one.id))
    here = desk.books.pots([rule.pot]).get(rule.pot)
    if arrears_of(rule.member, rule.currency, records).frozen:
        # Who owes for a payment that went back is not charged by itself again.
        return rule, Verdict("frozen"), payments
    # A pot that is not here, or no longer, is never topped up.
    says = verdict(rule.rule, here[0], payments, desk.clock.now()) if here is not None else Verdict("off")
    return rule, says, payments


def keep_topped_up(
    rails: Mapping[str, Rail], desk: Desk, records: Records, pots: Collection[str] | None = None
) -> list[Payment]:
    """Top up every pot that is due - of these, where they are told, else of all that have a rule - and say what became
    of each. One that fails does not hold up the others."""
    found = _all(records) if pots is None else (one for pot in pots if (one := records.get(RULE, pot)) is not None)
    done: list[Payment] = []
    for record in found:
        try:
            done += _one(record, rails, desk, records)
        except DrachmError:
            # The payment says how it stands, and is taken up again; the next pot must not wait for it.
            continue
    return done


def _all(records: Records) -> Iterator[Record]:
    after = ""
    while page := records.find(RULE, after=after):
        yield from page
        after = page[-1].id


def _one(record: Record, rails: Mapping[str, Rail], desk: Desk, records: Records) -> list[Payment]:
    rule, says, payments = judge(record, desk, records)
    if says.why != "due":
        return []
    # The number of the payment makes its id: whoever comes to the same verdict begins the same payment.
    number = hashlib.sha256(f"{rule.pot}\0{len(payments)}".encode()).hexdigest()[:24]
    wish = Payment(
        f"pay_{number}",
        rule.rail,
        rule.pot,
        rule.member,
        rule.rule.amount,
        rule.currency,
        desk.clock.now(),
        automatic=True,
    )
    return [carry_out(begin(wish, records, author=RULE).id, rails, desk, records)]
