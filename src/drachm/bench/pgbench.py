"""What does everybody's own PostgreSQL benchmark say on this server, right now?

TPC-B of `pgbench` from the same wheel, on the same server with the same settings: `-i -s 50` once, then
`-M prepared -c 8 -j 2 -T 10` between our own rounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from drachm.bench.server import BenchServer
from drachm.domain.errors import Unavailable

DATABASE: Final = "pgbench"
_RATE: Final = re.compile(r"^tps = ([\d.]+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pgbench:
    """The reference, ready to run."""

    server: BenchServer
    scale: int
    seconds: int

    @property
    def words(self) -> str:
        """How it is run."""
        return f"pgbench -i -s {self.scale}; pgbench -M prepared -c 8 -j 2 -T {self.seconds}"

    def run(self) -> float:
        """Transactions per second of one run."""
        options = ("-M", "prepared", "-c", "8", "-j", "2", "-T", str(self.seconds))
        return rate_in(self.server.run_client("pgbench", *options, DATABASE))


def prepare_pgbench(server: BenchServer, scale: int, seconds: int) -> Pgbench:
    """Make and fill its database."""
    server.make_database(DATABASE, schema=False)
    server.run_client("pgbench", "-i", "-q", "-s", str(scale), DATABASE)
    return Pgbench(server, scale, seconds)


def rate_in(report: str) -> float:
    """The rate that a pgbench report states. Raises `Unavailable` when there is none."""
    found = _RATE.search(report)
    if found is None:
        raise Unavailable("pgbench told no rate", where="pgbench")
    return float(found[1])
