"""Which accounts does a cleared event debit and credit?

Recipes (docs/money-flows/): the payer's part debits its receivable, the drawn part debits the pots' wallets, what is
due debits the patient's receivable; the provider is credited once per source. A hold moves wallet to wallet_held. A
credit for earlier events debits the payer and credits the patient. Contractual adjustments live in the outcome only.
"""

from __future__ import annotations

from drachm.domain.benefits.model import Adjudication
from drachm.domain.funding.model import FundingPlan
from drachm.domain.ledger.model import Account, Entry, EntryKind, JournalEntry, Source, negated, net


def charge_entries(
    adjudication: Adjudication, funding: FundingPlan, *, provider: str, member: str, currency: str
) -> tuple[Entry, ...]:
    """Entries of delivered care: every credit to the provider keeps whose money it is."""
    owed = Account("provider_payable", provider, currency)
    entries = []
    for share in adjudication.shares:
        if share.bearer == "payer":
            entries.append(Entry(Account("payer_receivable", share.party, currency), share.amount, Source.PAYER))
            entries.append(Entry(owed, -share.amount, Source.PAYER))
    for leg in funding.legs:
        entries.append(Entry(Account("wallet", leg.lot, currency), leg.amount, Source.WALLET))
        entries.append(Entry(owed, -leg.amount, Source.WALLET))
    # A negative patient share (a residue in the patient's favour) is due the other way round.
    due = adjudication.patient_responsibility - funding.drawn
    if due:
        entries.append(Entry(Account("patient_receivable", member, currency), due, Source.DUE))
        entries.append(Entry(owed, -due, Source.DUE))
    for credit in adjudication.credits:
        entries.append(Entry(Account("payer_receivable", credit.party, currency), credit.amount, Source.PAYER))
        entries.append(Entry(Account("patient_credit", member, currency), -credit.amount, Source.PAYER))
    return net(entries)


def hold_entries(funding: FundingPlan, *, currency: str) -> tuple[Entry, ...]:
    """Entries of a request: the money leaves what the pots may spend and waits."""
    entries = []
    for leg in funding.legs:
        entries.append(Entry(Account("wallet", leg.lot, currency), leg.amount, Source.WALLET))
        entries.append(Entry(Account("wallet_held", leg.lot, currency), -leg.amount, Source.WALLET))
    return net(entries)


def difference(kind: EntryKind, new: tuple[Entry, ...], old: tuple[Entry, ...]) -> JournalEntry:
    """The journal entry that turns what stands in the books into what should stand there."""
    return JournalEntry(kind, net((*new, *negated(old))))
