"""Who keeps the readers' index, the index of entries and the figures near the journal?

In a service of several processes one of them does nothing else (`follow_all`, beside the workers): opening bodies takes
about as much time as half of the clearing, and in a worker it would take the interpreter from those who clear. A
service inside another program follows by threads of its own. Of all processes of all machines the database lets one at
a time; whoever is left goes on when that one ends. Payments over rails are taken up there, too, and never
in a worker.
"""

from __future__ import annotations

import os
import threading
from functools import partial
from pathlib import Path
from typing import Final

from drachm import settings as configuration
from drachm.adapters.messengers.sandbox import FileMessenger
from drachm.adapters.rest.service.notices_text import writer
from drachm.adapters.rest.transport.identifiers import Identifiers
from drachm.application.catch_up import keep_catching_up
from drachm.application.desk import Desk
from drachm.application.expiry import keep_sweeping
from drachm.application.figures import Figures, keep_near
from drachm.application.handed import Handed
from drachm.application.journal_index import JournalIndex
from drachm.application.late_dues import keep_paying_late
from drachm.application.money_reading import MoneyReading
from drachm.application.notices import Notices, keep_telling
from drachm.application.paying import Payer, keep_paying
from drachm.application.records import Records
from drachm.application.register import Register
from drachm.application.text_messages import TextMessages, keep_texting
from drachm.bootstrap import SystemClock, SystemIds, read_settings, spare_the_collector
from drachm.service.handing import Handing, listen
from drachm.service.own_secrets import with_secrets
from drachm.service.rails import connect, read_rails
from drachm.settings import Settings
from drachm.storage.figures import open_figures
from drachm.storage.journal_index import open_index
from drachm.storage.money_reading import PostgresMoney
from drachm.storage.postgres import PostgresBooks, open_books
from drachm.storage.register_reading import PostgresRegister

FOLLOW_SECONDS: Final = 0.15
"""Between two looks of the index at the journal: what a list may lag. More rows at a time cost less each."""
LOOK_SECONDS: Final = 0.1
"""How soon a tenant that a worker has opened is followed."""
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""What the processes of one service share: the supervisor names the folder."""
MESSAGES_FILE: Final = "messages.jsonl"
"""Beside the embedded server: what a sandbox would have sent."""
_OPENED: Final = "tenant-"


def follow(
    index: JournalIndex,
    money: MoneyReading,
    figures: Figures,
    notices: Notices,
    desk: Desk,
    messages: TextMessages,
    records: Records,
    stopping: threading.Event,
) -> list[threading.Thread]:
    """Follow one tenant's journal with threads of this process until `stopping` is set; give back what expired, tell
    people how much of their budgets is used, and pay what is due once money comes."""
    works = (
        partial(keep_near, index, figures, stopping, pause=FOLLOW_SECONDS),
        partial(keep_catching_up, money, stopping),
        partial(keep_telling, notices, stopping),
        partial(keep_sweeping, desk, stopping),
        partial(keep_texting, messages, stopping),
        partial(keep_paying_late, desk, records, money, stopping),
    )
    threads = [threading.Thread(target=work, name=f"drachm-follow-{at}", daemon=True) for at, work in enumerate(works)]
    for thread in threads:
        thread.start()
    return threads


def text_messages(
    settings: Settings, index: JournalIndex, register: Register, records: Records, desk: Desk
) -> TextMessages:
    """The text messages of one tenant. In a sandbox they go into a file of the data folder; in live they wait, because
    no gateway is connected."""
    identifiers = Identifiers(lambda: int(desk.clock.now().timestamp() * 1000), desk.ids.random_bytes)
    write = writer(
        str(desk.books.tenant),
        settings.base_url,
        settings.help_phone,
        records,
        desk.ids.random_bytes,
        lambda: identifiers.new("cod"),
    )
    messenger = FileMessenger(settings.data_dir / MESSAGES_FILE) if settings.environment == "sandbox" else None
    return TextMessages(index, desk.books, register, records, write, messenger, desk.clock.now)


def announce(tenant: int) -> Handing:
    """Tell the process that follows that a worker has opened this tenant; what hands on to it."""
    folder = Path(os.environ[FOLDER])
    (folder / f"{_OPENED}{tenant}").touch()
    return Handing(folder, tenant)


def follow_all(stopping: threading.Event) -> None:
    """Follow every tenant that a worker has opened, and take up its payments, until `stopping` is set
    (`transport.beside.Work`)."""
    settings = with_secrets(read_settings())
    master_key, folder = configuration.master_key(settings), Path(os.environ[FOLDER])
    rails = read_rails(settings.rails_file)
    opened: dict[str, PostgresBooks] = {}

    def hear(tenant: int, rows: list[Handed]) -> None:
        books = opened.get(f"{_OPENED}{tenant}")
        if books is not None:
            books.lately.hear(rows)

    threads = [listen(folder, hear, stopping)]
    try:
        while not stopping.is_set():
            for name in [path.name for path in folder.glob(f"{_OPENED}*") if path.name not in opened]:
                tenant = int(name.removeprefix(_OPENED))
                books = open_books(settings.database_url, tenant, master_key=master_key, ids=SystemIds())
                opened[name] = books
                index, money = open_index(books, master_key), PostgresMoney.of(books)
                register = PostgresRegister(books.tenant, books.sessions)
                desk = Desk(books, SystemClock(), SystemIds())
                threads += follow(
                    index,
                    money,
                    open_figures(books, master_key, SystemIds()),
                    Notices(books, index, register, money, books.records()),
                    desk,
                    text_messages(settings, index, register, books.records(), desk),
                    books.records(desk.clock.now),
                    stopping,
                )
                if str(tenant) in rails:
                    form, records = rails[str(tenant)], books.records(desk.clock.now)
                    connected = connect(form, str(tenant), settings.base_url, records, desk.clock.now)
                    payer = Payer(connected.rails, desk, records, money, connected.collecting)
                    threads.append(threading.Thread(target=keep_paying, args=(payer, stopping), daemon=True))
                    threads[-1].start()
                spare_the_collector()
            stopping.wait(LOOK_SECONDS)
    finally:
        stopping.set()
        for thread in threads:
            thread.join(timeout=10)
        for books in opened.values():
            books.close()
