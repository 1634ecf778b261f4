"""How do the statements of a posting reach the server with little ado?

Each is prepared once on a connection, under its own name, and then sent and answered by one call of libpq. The driver's
own way does the same through thirty functions, which for a batch of one event cost more than everything decided in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.abc import PyFormat
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

Connection = psycopg.Connection[Any]

_VALUE: Final = re.compile(r"%\((\w+)\)s")
_ANSWERED: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Statement(NamedTuple):
    """One statement as the server takes it: `$1` where its text has ``%(tenant)s``."""

    name: bytes
    text: bytes
    values: tuple[str, ...]
    """Which value stands at each place."""
    formats: Sequence[PyFormat]


class Prepared(psycopg.Connection[Any]):
    """A connection that knows which statements its server has."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.known: set[bytes] = set()


def statements(texts: Mapping[str, str]) -> dict[str, Statement]:
    """Statements by name (`queries.load`)."""
    found = {}
    for name, text in texts.items():
        values = tuple(dict.fromkeys(_VALUE.findall(text)))
        numbered = _VALUE.sub(lambda match, values=values: f"${values.index(match[1]) + 1}", text)  # type: ignore[misc]
        found[name] = Statement(name.encode(), numbered.encode(), values, [PyFormat.AUTO] * len(values))
    return found


def ask(conn: Connection, statement: Statement, values: Mapping[str, object]) -> list[Any]:
    """The rows that a statement answers. Raises psycopg.Error."""
    transformer = Transformer(conn)
    result = _run(conn, statement, values, transformer)
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


def tell(conn: Connection, statement: Statement, values: Mapping[str, object]) -> int:
    """How many rows a statement changed. Raises psycopg.Error."""
    return _run(conn, statement, values, Transformer(conn)).command_tuples or 0


def _run(conn: Connection, statement: Statement, values: Mapping[str, object], transformer: Any) -> PGresult:
    server = conn.pgconn
    name, text, order, formats = statement
    given = transformer.dump_sequence([values[one] for one in order], formats)
    if isinstance(conn, Prepared) and name not in conn.known:
        _checked(conn, server.prepare(name, text, transformer.types))
        conn.known.add(name)
    return _checked(conn, server.exec_prepared(name, given, transformer.formats, Format.BINARY))


def _checked(conn: Connection, result: PGresult) -> PGresult:
    if result.status in _ANSWERED:
        return result
    if conn.pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError("the connection was lost")
    raise error_from_result(result)
