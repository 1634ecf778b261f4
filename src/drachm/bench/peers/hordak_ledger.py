"""django-hordak as its manual has it: a transaction with its legs in one atomic block, checked by its own triggers."""

# These packages live in the peers' own environment only.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import sys
from typing import Any

from drachm.bench.peers.harness import PAYERS, PROVIDERS, WALLETS, Moment, Peer, serve


def _django(url: str) -> None:
    import django
    from django.conf import settings
    from psycopg.conninfo import conninfo_to_dict

    if settings.configured:
        return
    place = conninfo_to_dict(url)
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "djmoney", "hordak"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": place["dbname"],
                "USER": place["user"],
                "HOST": place["host"],
                "PORT": place["port"],
                "CONN_MAX_AGE": None,
            }
        },
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DEFAULT_CURRENCY="USD",
        CURRENCIES=["USD"],
        HORDAK_CURRENCIES=["USD"],
        HORDAK_INTERNAL_CURRENCY="USD",
    )
    django.setup()


def prepare(url: str) -> None:
    """Its migrations, and the accounts: what payers owe, what wallets hold, what providers are owed."""
    _django(url)
    from django.core.management import call_command
    from django.db import transaction
    from hordak.models import Account, AccountType

    call_command("migrate", verbosity=0)
    with transaction.atomic():
        for kind, count, side in (
            ("payer", PAYERS, AccountType.asset),
            ("wallet", WALLETS, AccountType.liability),
            ("provider", PROVIDERS, AccountType.liability),
        ):
            for number in range(count):
                Account.objects.create(name=f"{kind} {number}", type=side, currencies=["USD"])


class HordakLedger:
    """Posts with accounts it has read once, which is kinder than a request would be."""

    def __init__(self) -> None:
        from hordak.models import Account

        self._accounts: dict[str, Any] = {account.name: account for account in Account.objects.all()}

    def post(self, moment: Moment) -> None:
        from django.db import transaction
        from hordak.models import Leg, Transaction
        from moneyed import Money

        payer = Money(moment.payer_part, "USD") / 100
        wallet = Money(moment.wallet_part, "USD") / 100
        with transaction.atomic():
            entry = Transaction.objects.create(description=moment.event_id)
            legs = Leg.objects
            legs.create(transaction=entry, account=self._accounts[f"payer {moment.payer}"], debit=payer)
            legs.create(transaction=entry, account=self._accounts[f"wallet {moment.wallet}"], debit=wallet)
            legs.create(transaction=entry, account=self._accounts[f"provider {moment.provider}"], credit=payer + wallet)

    def backend(self) -> int:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])


def open_ledger(url: str) -> HordakLedger:
    _django(url)
    return HordakLedger()


def check(url: str) -> tuple[int, int]:
    _django(url)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM hordak_transaction),"
            " (SELECT coalesce(sum(coalesce(debit, 0) - coalesce(credit, 0)), 0) FROM hordak_leg)"
        )
        count, total = cursor.fetchone()
    # Or the processes that are forked next would share it.
    connection.close()
    return int(count), int(total * 100)


if __name__ == "__main__":
    serve(Peer(prepare, open_ledger, check), sys.argv[1:])
