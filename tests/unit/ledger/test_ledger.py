"""Balanced entries and stable account ids."""

import pytest

from drachm.domain.errors import IntegrityError
from drachm.domain.ledger.model import (
    CHART,
    MAX_ENTRIES,
    Account,
    Entry,
    EntryKind,
    Source,
    account_id,
    journal_entry,
    negated,
    net,
    stable_id,
)

WALLET = Account("wallet", "ana-cash", "USD")
CLINIC = Account("provider_payable", "clinic", "USD")


def test_debits_equal_credits() -> None:
    with pytest.raises(IntegrityError, match="debits and credits differ"):
        journal_entry(EntryKind.CHARGE, (Entry(WALLET, 5, Source.WALLET),))


def test_one_currency_an_entry() -> None:
    other = Account("wallet", "ana-cash", "CNY")
    with pytest.raises(IntegrityError, match="two currencies"):
        journal_entry(EntryKind.CHARGE, (Entry(WALLET, 5, Source.WALLET), Entry(other, -5, Source.WALLET)))


def test_an_entry_has_a_largest_size() -> None:
    legs = tuple(Entry(WALLET, 1 if n % 2 else -1, Source.WALLET) for n in range(MAX_ENTRIES + 2))
    with pytest.raises(IntegrityError, match="too many entries"):
        journal_entry(EntryKind.CHARGE, legs)


def test_net_adds_equal_accounts_and_drops_zeros() -> None:
    legs = [Entry(WALLET, 5, Source.WALLET), Entry(CLINIC, -5, Source.WALLET), Entry(WALLET, -5, Source.WALLET)]
    assert net(legs) == (Entry(CLINIC, -5, Source.WALLET),)
    assert net([*legs, *negated(legs)]) == ()


def test_ids_are_stable_for_ever() -> None:
    assert account_id(1, WALLET) == stable_id(1, "wallet", "ana-cash", "USD")
    assert account_id(1, WALLET) == -2395400856743506767
    assert account_id(2, WALLET) != account_id(1, WALLET)


def test_the_chart_names_every_kind_the_journal_uses() -> None:
    used = {
        "payer_receivable",
        "patient_receivable",
        "cash",
        "wallet",
        "wallet_held",
        "patient_credit",
        "provider_payable",
        "holder_receivable",
        "cash_difference",
        "unallocated",
        "funder_payable",
        "residue",
    }
    assert set(CHART) == used
