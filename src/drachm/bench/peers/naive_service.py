"""A naive service, written for this comparison: SQLAlchemy's mapper, one transaction an event, balances kept by row.

What a careful team writes first: it asks whether the event is here, locks the accounts in one order, checks that the
wallet holds enough, writes the transaction with its entries, moves the balances, commits. No Drachm code is used.
"""

# These packages live in the peers' own environment only.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sys
from typing import Any

from drachm.bench.peers.harness import OPENING, PAYERS, PROVIDERS, WALLETS, Moment, Peer, serve


def _schema() -> Any:
    """The tables and their mapped classes; made here because the packages are the peers' own."""
    from types import SimpleNamespace

    from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, String, Table
    from sqlalchemy.orm import registry, relationship

    tables = MetaData()
    account = Table(
        "account", tables,
        Column("id", BigInteger, primary_key=True),
        Column("name", String, nullable=False, unique=True),
        Column("balance", BigInteger, nullable=False),
    )  # fmt: skip
    posting = Table(
        "posting", tables,
        Column("id", BigInteger, primary_key=True),
        Column("event_id", String, nullable=False, unique=True),
    )  # fmt: skip
    entry = Table(
        "entry", tables,
        Column("id", BigInteger, primary_key=True),
        Column("posting_id", ForeignKey("posting.id"), nullable=False, index=True),
        Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
        Column("amount", BigInteger, nullable=False),
    )  # fmt: skip
    mapper: Any = registry(metadata=tables)
    classes = SimpleNamespace(**{name: type(name.title(), (), {}) for name in ("account", "posting", "entry")})
    mapper.map_imperatively(classes.account, account)
    mapper.map_imperatively(classes.entry, entry)
    mapper.map_imperatively(classes.posting, posting, properties={"entries": relationship(classes.entry)})
    return SimpleNamespace(tables=tables, **vars(classes))


def _engine(url: str) -> Any:
    from sqlalchemy import create_engine

    return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=1)


def _made(kind: Any, **values: object) -> Any:
    row = kind()
    for name, value in values.items():
        setattr(row, name, value)
    return row


def prepare(url: str) -> None:
    """Tables, accounts, and money in the wallets."""
    from sqlalchemy.orm import Session

    schema, engine = _schema(), _engine(url)
    schema.tables.create_all(engine)
    with Session(engine) as session, session.begin():
        for kind, count, balance in (("payer", PAYERS, 0), ("wallet", WALLETS, OPENING), ("provider", PROVIDERS, 0)):
            session.add_all(_made(schema.account, name=f"{kind} {n}", balance=balance) for n in range(count))


class NaiveLedger:
    """One session for each event."""

    def __init__(self, url: str) -> None:
        self._schema = _schema()
        self._engine = _engine(url)
        self._backend = 0

    def post(self, moment: Moment) -> None:
        from sqlalchemy import select
        from sqlalchemy.orm import Session

        schema = self._schema
        payer, wallet, provider = (
            f"payer {moment.payer}",
            f"wallet {moment.wallet}",
            f"provider {moment.provider}",
        )
        amounts = {
            payer: moment.payer_part,
            wallet: moment.wallet_part,
            provider: -moment.payer_part - moment.wallet_part,
        }
        with Session(self._engine) as session, session.begin():
            known = select(schema.posting).where(schema.posting.event_id == moment.event_id)
            if session.scalars(known).first() is not None:
                return
            wanted = select(schema.account).where(schema.account.name.in_(amounts)).order_by(schema.account.id)
            accounts = {account.name: account for account in session.scalars(wanted.with_for_update())}
            if accounts[wallet].balance < moment.wallet_part:
                raise ValueError("the wallet holds too little")
            posting = _made(schema.posting, event_id=moment.event_id)
            for name, amount in amounts.items():
                posting.entries.append(_made(schema.entry, account_id=accounts[name].id, amount=amount))
                accounts[name].balance -= amount
            session.add(posting)

    def backend(self) -> int:
        from sqlalchemy import text

        if not self._backend:
            with self._engine.connect() as connection:
                self._backend = int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        return self._backend


def check(url: str) -> tuple[int, int]:
    from sqlalchemy import text

    engine = _engine(url)
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM posting")).scalar_one()
        total = connection.execute(text("SELECT coalesce(sum(amount), 0) FROM entry")).scalar_one()
    # Or the processes that are forked next would share its connection.
    engine.dispose()
    return int(count), int(total)


if __name__ == "__main__":
    serve(Peer(prepare, NaiveLedger, check), sys.argv[1:])
