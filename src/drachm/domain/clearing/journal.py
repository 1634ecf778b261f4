"""Which accounts does a cleared event debit and credit?

Recipes (docs/money-flows/): the payer's part debits its receivable, the drawn part debits the pots' wallets, what is
due debits the patient's receivable; the provider is credited once per source. A hold moves wallet to wallet_held. A
credit for earlier events debits the payer and credits the patient. Contractual adjustments live in the outcome only.
"""

from __future__ import annotations

from typing import Final

from drachm.domain.benefits.model import Split
from drachm.domain.funding.arrange import FundingPlan
from drachm.domain.ledger.model import Account, Entry, EntryKind, JournalEntry, Source, journal_entry, negated, net


def charge_entries(
    split: Split, funding: FundingPlan, *, provider: str, member: str, currency: str
) -> tuple[Entry, ...]:
    """Entries of delivered care. Every credit to the provider keeps whose money it is."""
    covered = credited = 0
    _, patient, owing, for_earlier, _, _, _, _, _ = split
    drawn = funding.drawn
    for _, amount in owing:
        covered += amount
    if for_earlier or len(owing) > 1:
        payers: dict[str, int] = {}
        for party, amount in owing:
            payers[party] = payers.get(party, 0) + amount
        for credit in for_earlier:
            payers[credit.party] = payers.get(credit.party, 0) + credit.amount
            credited += credit.amount
        owing = list(payers.items())
    # A negative patient share (a residue in the patient's favour) is due the other way round.
    due = patient - drawn
    owed = _account("provider_payable", provider, currency)
    entries = [
        _entry(_account("payer_receivable", party, currency), amount, Source.PAYER) for party, amount in owing if amount
    ]
    if covered:
        entries.append(_entry(owed, -covered, Source.PAYER))
    entries += [_entry(_account("wallet", lot, currency), amount, Source.WALLET) for _, lot, amount, _ in funding.legs]
    if drawn:
        entries.append(_entry(owed, -drawn, Source.WALLET))
    if due:
        entries.append(_entry(_account("patient_receivable", member, currency), due, Source.DUE))
        entries.append(_entry(owed, -due, Source.DUE))
    if credited:
        entries.append(_entry(_account("patient_credit", member, currency), -credited, Source.PAYER))
    return tuple(entries)


def hold_entries(funding: FundingPlan, *, currency: str) -> tuple[Entry, ...]:
    """Entries of a request: the money leaves what the pots may spend and waits."""
    entries = []
    for leg in funding.legs:
        entries.append(_entry(_account("wallet", leg.lot, currency), leg.amount, Source.WALLET))
        entries.append(_entry(_account("wallet_held", leg.lot, currency), -leg.amount, Source.WALLET))
    return tuple(entries)


def difference(kind: EntryKind, new: tuple[Entry, ...], old: tuple[Entry, ...]) -> JournalEntry:
    """The journal entry that turns what stands in the books into what should stand there."""
    return journal_entry(kind, net((*new, *negated(old))) if old else new)


_new: Final = tuple.__new__


def _account(kind: str, owner: str, currency: str) -> Account:
    """The same as `Account(...)`, twice as fast."""
    return _new(Account, (kind, owner, currency))


def _entry(account: Account, amount: int, source: Source) -> Entry:
    return _new(Entry, (account, amount, source))
