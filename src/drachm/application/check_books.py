"""Do the books balance, and do the pots say what the entries say? A quick look; `audit` is the thorough one."""

from __future__ import annotations

from collections import defaultdict

from drachm.application.ports import Books
from drachm.domain.funding.allotment import fund_named
from drachm.domain.ledger.client_money import client_money
from drachm.domain.ledger.model import Account


def check_books(books: Books) -> list[str]:
    """Every disagreement in words, empty when all is well.

    Entries sum to zero in each currency; what a pot may spend and has promised equals its wallet accounts; slices and
    rest of a shared fund are what its entries leave of it; the money of clients is all there (`client_money`). All of
    it at one moment, so whoever posts meanwhile makes no disagreement.
    """
    by_source, states = books.at_once()
    balances: dict[Account, int] = defaultdict(int)
    for (account, _), amount in by_source.items():
        balances[account] += amount
    problems: list[str] = []
    sums: dict[str, int] = defaultdict(int)
    wallets: dict[str, int] = defaultdict(int)
    held: dict[str, int] = defaultdict(int)
    for account, balance in balances.items():
        sums[account.currency] += balance
        if account.kind == "wallet":
            wallets[account.owner] -= balance
        elif account.kind == "wallet_held":
            held[account.owner] -= balance
    problems.extend(f"entries in {currency} sum to {total}" for currency, total in sums.items() if total)
    problems.extend(
        f"money of clients in {one.currency}: {one.difference} more is there than is owed to them"
        for one in client_money(by_source)
        if one.difference
    )
    funds: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for pot in sorted(states.keys() | wallets.keys() | held.keys()):
        said = states.get(pot, (0, 0))
        rebuilt = (wallets[pot], held[pot])
        if said != rebuilt:
            problems.append(f"pot {pot} says {said}, its entries say {rebuilt}")
        fund = fund_named(pot)
        if fund in states:
            funds[fund][0] += sum(said)
            funds[fund][1] += sum(rebuilt)
    for fund, (slices, entries) in funds.items():
        rest, left = sum(states[fund]), wallets[fund] + held[fund]
        if slices + rest != entries + left:
            problems.append(f"fund {fund}: slices {slices} and rest {rest}, its entries leave {entries + left}")
    return problems
