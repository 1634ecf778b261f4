"""How does Drachm look beside what others would use, on one server, in turn?

Not like for like, and the report says so: Drachm prices, adjudicates and funds each event and posts what comes of it;
the peers post a bare transaction of three entries that somebody else has decided.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from drachm.bench.crew import SOURCES
from drachm.bench.options import Options
from drachm.bench.rounds import TRIES, WORST, Arm, Tell, run_round
from drachm.bench.stage import live_task, move_in, set_up
from drachm.domain.errors import Unavailable

REQUIREMENTS: Final = SOURCES.parent / "requirements" / "peers.txt"
BUILDER: Final = "setuptools"
"""One peer comes as source; what builds it is pinned like everything else, and installed first."""
PEERS: Final[Mapping[str, tuple[str, str]]] = {
    "django-hordak": ("hordak_ledger", "bare posting of three entries, one transaction each, balance trigger"),
    "naive-sqlalchemy": ("naive_service", "written for this comparison: bare posting, one transaction each, row locks"),
}
DRACHM: Final = ("drachm", "priced, adjudicated, funded, posted, receipt and log leaf; batches")

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One contestant's go, with pgbench before and after."""

    name: str
    rate: float
    python_us: float
    postgres_us: float
    books_ok: bool
    pgbench: tuple[float, float] = (0.0, 0.0)

    @property
    def ratio(self) -> float | None:
        reference = sum(self.pgbench) / 2
        return self.rate / reference if reference else None


def peers(options: Options, tell: Tell, *, seconds: int, processes: int) -> Figures:
    """The table of the README, measured here and now. A peer that cannot be installed is told as NOT RUN, with why."""
    with set_up(options.checked(), tell) as stage, move_in(stage) as town, tempfile_folder() as folder:
        arm = town.arm("drachm", live_task(options))
        contestants: dict[str, Callable[[int], Turn]] = {DRACHM[0]: lambda _round: _drachm(arm)}
        not_run: dict[str, str] = {}
        try:
            python = install(folder, tell)
        except Unavailable as refusal:
            not_run = dict.fromkeys(PEERS, refusal.message)
        else:
            for name, (module, _) in PEERS.items():
                url = stage.server.make_database(module, schema=False)
                try:
                    _peer(python, module, "prepare", url)
                except Unavailable as refusal:
                    not_run[name] = refusal.message
                    continue
                contestants[name] = _runner(python, module, name, url, options.seed, seconds, processes)
        for name, why in not_run.items():
            tell(f"{name}: NOT RUN ({why})")
        turns = _in_turn(contestants, options.rounds, stage.pgbench.run if stage.pgbench else lambda: 0.0, tell)
        report = _report(turns, not_run, processes, options)
        return {**report, "machine": stage.machine.as_object()}


@contextmanager
def tempfile_folder() -> Iterator[Path]:
    """A folder for the peers' environment, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="drachm-bench-peers-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def install(folder: Path, tell: Tell) -> Path:
    """The peers' packages in a virtual environment of their own; its Python.

    Raises `Unavailable` with the installer's words when they cannot be had.
    """
    if not REQUIREMENTS.is_file():
        raise Unavailable("requirements/peers.txt is not here; it comes with a clone of the project")
    tell("installing the peers into an environment that is thrown away")
    _checked([sys.executable, "-m", "venv", str(folder / "venv")])
    python = folder / "venv" / "bin" / "python"
    first = folder / "builder.txt"
    first.write_text(builder_of(REQUIREMENTS.read_text("utf-8")), "utf-8")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q", "--require-hashes"]
    _checked([*pip, "--no-deps", "-r", str(first)])
    _checked([*pip, "--no-deps", "--no-build-isolation", "-r", str(REQUIREMENTS)])
    return python


def builder_of(requirements: str) -> str:
    """The pin of the builder alone, with its hashes."""
    found = re.search(rf"^{BUILDER}==[^\n]*(\n    [^\n]*)*", requirements, re.MULTILINE)
    if found is None:
        raise Unavailable(f"requirements/peers.txt does not pin {BUILDER}")
    return found[0] + "\n"


def table_of(report: Mapping[str, Any]) -> str:
    """The report for people."""
    lines = [f"{'':<18}{'tx/s':>10}{'ratio':>8}{'(least - most)':>18}{'Python us':>11}{'PostgreSQL us':>15}"]
    for row in report["rows"]:
        if row["status"] != "run":
            lines.append(f"{row['name']:<18}{row['status']}: {row['why']}")
            continue
        ratio = "-" if row["ratio_median"] is None else f"{row['ratio_median']:.2f}"
        spread = "" if row["ratio_median"] is None else f"({row['ratio_min']:.2f} - {row['ratio_max']:.2f})"
        lines.append(
            f"{row['name']:<18}{row['transactions_per_second']:>10,.0f}{ratio:>8}{spread:>18}"
            f"{row['python_us']:>11,.0f}{row['postgres_us']:>15,.0f}"
        )
    return "\n".join([*lines, *(f"{row['name']}: {row['what']}" for row in report["rows"])])


def _drachm(arm: Arm) -> Turn:
    one = run_round(arm)
    return Turn(DRACHM[0], one.rate, one.cost.python / one.events, one.cost.postgres / one.events, not one.problems)


def _runner(
    python: Path, module: str, name: str, url: str, seed: int, seconds: int, processes: int
) -> Callable[[int], Turn]:
    def run(number: int) -> Turn:
        said = json.loads(_peer(python, module, "run", url, f"{seed}/{number}", str(seconds), str(processes)))
        count = said["transactions"]
        each = (said["python_us"] / count, said["postgres_us"] / count)
        return Turn(name, count / said["seconds"], each[0], each[1], said["books_ok"])

    return run


def _in_turn(
    contestants: Mapping[str, Callable[[int], Turn]], rounds: int, pgbench: Callable[[], float], tell: Tell
) -> list[Turn]:
    """Everybody in turn, pgbench between; turns beside a slow pgbench are repeated, and only good ones returned."""
    turns: list[Turn] = []
    before = pgbench()
    for number in range(rounds * TRIES):
        kept = _kept(turns)
        short = [name for name in contestants if sum(turn.name == name for turn in kept) < rounds]
        if not short:
            break
        for name in short:
            turn = contestants[name](number)
            after = pgbench()
            turns.append(Turn(name, turn.rate, turn.python_us, turn.postgres_us, turn.books_ok, (before, after)))
            before = after
            tell(f"{name} {number + 1}: {turn.rate:,.0f}/s")
    return _kept(turns)


def _kept(turns: list[Turn]) -> list[Turn]:
    best = max((rate for turn in turns for rate in turn.pgbench), default=0.0)
    return [turn for turn in turns if all(rate * WORST >= best for rate in turn.pgbench)]


def _report(turns: list[Turn], not_run: Mapping[str, str], processes: int, options: Options) -> Figures:
    words = {DRACHM[0]: DRACHM[1], **{name: what for name, (_, what) in PEERS.items()}}
    rows = [
        _row(name, words[name], [turn for turn in turns if turn.name == name])
        if name not in not_run
        else {"name": name, "what": words[name], "status": "NOT RUN", "why": not_run[name]}
        for name in words
    ]
    return {
        "command": "peers",
        "rows": rows,
        "peer_processes": processes,
        "writers": options.writers,
        "batch": options.batch,
        "families": options.families,
        "seed": options.seed,
        "pgbench_tps": round(median(rate for turn in turns for rate in turn.pgbench), 1) if turns else None,
        "books_ok": bool(turns) and all(turn.books_ok for turn in turns),
    }


def _row(name: str, what: str, turns: list[Turn]) -> Figures:
    if not turns:
        return {"name": name, "what": what, "status": "NOT RUN", "why": "no round found pgbench undisturbed"}
    ratios = [turn.ratio for turn in turns if turn.ratio is not None]
    return {
        "name": name,
        "what": what,
        "status": "run",
        "rounds": len(turns),
        "transactions_per_second": round(median(turn.rate for turn in turns), 1),
        "ratio_median": round(median(ratios), 3) if ratios else None,
        "ratio_min": round(min(ratios), 3) if ratios else None,
        "ratio_max": round(max(ratios), 3) if ratios else None,
        "python_us": round(median(turn.python_us for turn in turns), 1),
        "postgres_us": round(median(turn.postgres_us for turn in turns), 1),
        "books_ok": all(turn.books_ok for turn in turns),
    }


def _peer(python: Path, module: str, *arguments: str) -> str:
    return _checked([str(python), "-P", "-m", f"drachm.bench.peers.{module}", *arguments], {"PYTHONPATH": str(SOURCES)})


def _checked(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.strip().splitlines() if line.strip()]
        raise Unavailable(" / ".join(said[-2:]) or "it ended without a word", where=command[-1])
    return done.stdout
