"""Where the money of clients lies, and that what is missing shows."""

import pytest

from drachm.domain.errors import IntegrityError
from drachm.domain.ledger.client_money import ClientMoney, client_money
from drachm.domain.ledger.model import Account, Source


def sums(*entries: tuple[str, str, int, Source], currency: str = "USD") -> dict[tuple[Account, Source], int]:
    return {(Account(kind, owner, currency), source): amount for kind, owner, amount, source in entries}


WHOLE = sums(
    ("cash", "bank", 100, Source.RAIL),
    ("cash", "stripe", 40, Source.RAIL),
    ("holder_receivable", "ana", 7, Source.DUE),
    ("cash_difference", "window", 3, Source.RAIL),
    ("wallet", "ana-cash", -90, Source.RAIL),
    ("wallet", "ana-cash", 20, Source.WALLET),
    ("wallet_held", "ana-cash", -15, Source.WALLET),
    ("unallocated", "NL26", -45, Source.RAIL),
    ("provider_payable", "clinic", -20, Source.WALLET),
    # Care that nobody has paid yet is no money of clients.
    ("provider_payable", "clinic", -900, Source.PAYER),
    ("payer_receivable", "health", 880, Source.PAYER),
    ("provider_payable", "clinic", -30, Source.DUE),
    ("patient_receivable", "ana", 30, Source.DUE),
    ("patient_credit", "ana", -10, Source.PAYER),
    ("wallet", "empty", 0, Source.WALLET),
)


def test_what_is_owed_lies_somewhere() -> None:
    [one] = client_money(WHOLE)
    assert one == ClientMoney("USD", 85, 20, 45, 100, 40, 10)
    assert (one.owed, one.difference) == (150, 0)


def test_each_currency_for_itself_and_none_without_money() -> None:
    yen = sums(("cash", "cash", 500, Source.RAIL), ("wallet", "y", -400, Source.RAIL), currency="JPY")
    told = {one.currency: one.difference for one in client_money({**WHOLE, **yen})}
    assert told == {"JPY": 100, "USD": 0}
    assert client_money(sums(("payer_receivable", "health", 880, Source.PAYER))) == []


@pytest.mark.parametrize("source", [Source.PAYER, Source.DUE])
def test_a_provider_paid_from_a_pot_that_gave_nothing_shows(source: Source) -> None:
    clinic = Account("provider_payable", "clinic", "USD")
    broken = {**WHOLE, (clinic, Source.WALLET): -20 - 5, (clinic, source): WHOLE[clinic, source] + 5}
    assert sum(broken.values()) == sum(WHOLE.values())
    assert [one.difference for one in client_money(broken)] == [-5]


def test_an_account_that_the_chart_does_not_know_is_told() -> None:
    with pytest.raises(IntegrityError, match="chart"):
        client_money(sums(("slush", "us", 1, Source.RAIL)))
