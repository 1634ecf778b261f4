"""Traps of Python, JSON and HTTP: each is a documented 4xx problem, repeats nothing and changes nothing."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from drachm.adapters.rest.transport.problem_table import KINDS
from drachm.application import notices, text_messages
from drachm.service.run import Running, running
from drachm.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))

from trap_list import CANARY, EVENT, Trap, every_trap

TRAPS = every_trap()


@pytest.fixture(scope="module")
def service(service_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("data")
    settings = Settings(data_dir=folder, master_key=bytes(range(32)), calls_per_minute=1_000_000)
    with running(settings, service_database) as found:
        yield found


def sent(service: Running, trap: Trap, token: str) -> tuple[int, dict[str, str], bytes]:
    """The answer to a trap: status, header fields, body."""
    address = urlsplit(service.base_url)
    data = trap.raw
    if not data:
        fields = {"host": address.netloc, "authorization": f"Bearer {token}", "connection": "close", **trap.headers}
        if trap.body is not None:
            fields["content-length"] = str(len(trap.body))
        lines = [f"{trap.method} {trap.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        data = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + (trap.body or b"")
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=20) as connection:
        received = b""
        # What is too large is refused before all of it was sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        with suppress(ConnectionResetError):
            while not complete(received) and (piece := connection.recv(65_536)):
                received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return int(first.split(" ")[1]), fields, body


def complete(received: bytes) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(lengths) and len(body) >= int(lengths[0][15:])


RECORDS = ("record", "record_version", "record_tag")
FOLLOWERS = (text_messages.KIND, text_messages.PLACE, notices.NOTICE, notices.MARK, notices.PLACE)
"""Kinds of records that threads of the service write by themselves, seconds after the care they are about."""


def state(service: Running, town: Any) -> dict[str, Any]:
    """Everything that a trap could have changed: every row of every table of the tenant, by count, and the balances."""
    with psycopg.connect(service.settings.database_url) as conn:
        tables = conn.execute(
            "SELECT c.table_schema, c.table_name FROM information_schema.columns c JOIN information_schema.tables t"
            " USING (table_schema, table_name) WHERE c.column_name = 'tenant' AND t.table_type = 'BASE TABLE'"
            " AND t.table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        ).fetchall()
        counts: dict[str, Any] = {}
        for schema, name in tables:
            others = "AND kind <> ALL (%(followers)s)" if name in RECORDS else ""
            row = conn.execute(
                f'SELECT count(*) FROM "{schema}"."{name}" WHERE tenant::text = %(tenant)s {others}',
                {"tenant": town.name, "followers": list(FOLLOWERS)},
            ).fetchone()
            counts[f"{schema}.{name}"] = row[0] if row else 0
    assert len(counts) > 5
    return {**counts, "balances": dict(town.desk.books.balances())}


def settled_state(service: Running, town: Any) -> dict[str, Any]:
    """The same, once what follows the journal by itself has come to rest."""
    for _ in range(20):
        found = state(service, town)
        time.sleep(0.7)
        if state(service, town) == found:
            return found
    raise AssertionError("the tables do not come to rest")


def test_there_are_many_and_each_has_a_name() -> None:
    assert len(TRAPS) >= 200
    assert len({trap.name for trap in TRAPS}) == len(TRAPS)


def test_every_trap_is_a_documented_refusal_without_an_echo_and_without_an_effect(service: Running, town: Any) -> None:
    token = service.person_token("olga", ["operator"], tenant=town.tenant)
    assert sent(service, Trap("a look", "GET", "/v1/parties"), token)[0] == 200
    before = settled_state(service, town)
    wrong = []
    for trap in TRAPS:
        try:
            status, fields, body = sent(service, trap, token)
        except (OSError, IndexError, ValueError) as error:
            wrong.append((trap.name, repr(error)))
            continue
        wrong += [(trap.name, fault, status, body[:200]) for fault in faults(status, fields, body)]
    assert wrong == []
    assert settled_state(service, town) == before


def faults(status: int, fields: dict[str, str], body: bytes) -> Iterator[str]:
    """What is wrong with the answer to a trap."""
    if not 400 <= status < 500:
        yield "not a refusal"
        return
    if CANARY.encode() in body or any(CANARY in value for value in fields.values()):
        yield "it repeats what was sent"
    if fields.get("content-type", "").startswith("text/html"):
        return  # A page for people, behind a link.
    if fields.get("content-type") != "application/problem+json":
        yield "not a problem document"
        return
    document = json.loads(body)
    if document["code"] not in KINDS or KINDS[document["code"]].status != status:
        yield f"the code {document['code']} is not documented with this status"
    if document["status"] != status or document["type"] != f"/problems/{document['code']}":
        yield "the document disagrees with its status"
    for fault in document.get("errors", ()):
        if fault["code"] not in KINDS:
            yield f"the code {fault['code']} is not documented"


def test_what_the_traps_are_made_from_is_accepted_without_them(service: Running, town: Any) -> None:
    token = service.person_token("olga", ["operator"], tenant=town.tenant)
    body = json.dumps(EVENT).encode()
    plain = Trap("plain", "POST", "/v1/service-events", body, {"content-type": "application/json"})
    assert sent(service, plain, token)[0] == 201
    marked = Trap("marked", "POST", "/v1/service-events", b"\xef\xbb\xbf" + body, plain.headers)
    assert sent(service, marked, token)[0] == 200, "one byte order mark is tolerated"
