"""`drachm bench`: how fast on this machine, beside what everybody can run. Progress on standard error."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from drachm.bench.options import Options
from drachm.domain.errors import InvalidMessage

bench = typer.Typer(
    help="Measure on a throw-away database, with pgbench in turn.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

MOST: Final = 10**9
"""Rows and events a second beyond which nobody has measured: also keeps infinity and what is no number out."""
Families = Annotated[int, typer.Option(min=1, help="Families in the town.")]
Events = Annotated[int, typer.Option(min=1, help="Events of one round, all writers together.")]
RoundCount = Annotated[int, typer.Option("--rounds", min=1, help="Rounds that count.")]
Writers = Annotated[int, typer.Option(min=1, max=64, help="Writer processes, families split by shard.")]
Batch = Annotated[int, typer.Option(min=1, help="Most events of one transaction.")]
Seed = Annotated[int, typer.Option(help="The town and its events follow from it.")]
Fill = Annotated[int, typer.Option(min=0, help="Events cleared, unmeasured, before the first round.")]
FromJson = Annotated[bool, typer.Option("--from-json", help="Begin with the bytes of our JSON form.")]
Scale = Annotated[int, typer.Option("--pgbench-scale", min=1, help="pgbench -i -s.")]
Seconds = Annotated[int, typer.Option("--pgbench-seconds", min=0, help="pgbench -T; 0 leaves pgbench and ratios out.")]
Gate = Annotated[float | None, typer.Option("--gate-us", help="Exit 1 above so many CPU us an event.")]


def _in_a_folder(path: Path | None) -> Path | None:
    """Asked before anything is measured: a measurement takes minutes."""
    if path is not None and (path.is_dir() or path.suffix == ".md" or not path.parent.is_dir()):
        raise typer.BadParameter(f"a file in a folder that is there is expected, not {str(path)!r}")
    return path


Svg = Annotated[
    Path | None,
    typer.Option("--svg", callback=_in_a_folder, help="Draw a chart; a table with its numbers beside it (.md)."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object with stable keys on standard output.")]


@bench.command()
def engine(
    families: Families = 100_000,
    events: Events = 100_000,
    rounds: RoundCount = 5,
    writers: Writers = 2,
    batch: Batch = 1_000,
    seed: Seed = 1,
    fill: Fill = 0,
    from_json: FromJson = False,
    pgbench_scale: Scale = 50,
    pgbench_seconds: Seconds = 10,
    gate_us: Gate = None,
    svg: Svg = None,
    as_json: Json = False,
) -> None:
    """Live clearing, the full path without HTTP."""
    from drachm.bench.scenarios import engine as run

    options = Options(families, events, rounds, writers, batch, seed, fill, from_json, pgbench_scale, pgbench_seconds)
    _end(run(options, _tell), as_json=as_json, svg=svg, gate_us=gate_us)


def _scenario(name: str, words: str, *, families: int, events: int, batch: int) -> None:
    """A command of the usual options, whose function of the same name stands in `scenarios`."""

    def command(
        families: Families = families,
        events: Events = events,
        rounds: RoundCount = 5,
        writers: Writers = 2,
        batch: Batch = batch,
        seed: Seed = 1,
        fill: Fill = 0,
        pgbench_scale: Scale = 50,
        pgbench_seconds: Seconds = 10,
        gate_us: Gate = None,
        svg: Svg = None,
        as_json: Json = False,
    ) -> None:
        from drachm.bench import scenarios

        options = Options(families, events, rounds, writers, batch, seed, fill, False, pgbench_scale, pgbench_seconds)
        _end(getattr(scenarios, name)(options, _tell), as_json=as_json, svg=svg, gate_us=gate_us)

    bench.command(name, help=words)(command)


_scenario(
    "replay",
    "Recorded care in bulk: large batches, in order of time, with the replay's own counting.",
    families=100_000,
    events=200_000,
    batch=8_000,
)
_scenario(
    "hot",
    "One payer, or one limited fund, touched by every event, in turn with twenty payers.",
    families=50_000,
    events=100_000,
    batch=1_000,
)
_scenario(
    "pockets",
    "Half of the families with three pots, a family's cap and a shared fund, in turn with plain ones.",
    families=50_000,
    events=100_000,
    batch=1_000,
)
_scenario(
    "skew",
    "A few families with thousands of events a batch, in turn with even traffic.",
    families=100_000,
    events=100_000,
    batch=4_000,
)


@bench.command()
def growth(
    sizes: Annotated[
        str, typer.Option(help="Journal rows at which to measure, parted by commas.")
    ] = "100000,500000,1000000,2000000,5000000",
    families: Families = 10_000,
    events: Events = 50_000,
    rounds: RoundCount = 3,
    writers: Writers = 2,
    batch: Batch = 2_000,
    seed: Seed = 1,
    pgbench_scale: Scale = 50,
    pgbench_seconds: Seconds = 10,
    gate_us: Gate = None,
    svg: Svg = None,
    as_json: Json = False,
) -> None:
    """Throughput and CPU as the tables grow."""
    from drachm.bench.scenarios import growth as run

    options = Options(families, events, rounds, writers, batch, seed, 0, False, pgbench_scale, pgbench_seconds)
    wanted = _numbers(sizes, int)
    if not wanted:
        raise typer.BadParameter("at least one number of rows is expected", param_hint="'--sizes'")
    _end(run(options, _tell, wanted), as_json=as_json, svg=svg, gate_us=gate_us)


@bench.command()
def latency(
    rates: Annotated[
        str, typer.Option(help="Offered events a second, parted by commas; empty: 25 to 110 % of a closed loop.")
    ] = "",
    seconds: Annotated[float, typer.Option(min=1, help="How long each load is offered.")] = 20,
    families: Families = 100_000,
    events: Events = 50_000,
    rounds: RoundCount = 2,
    writers: Writers = 2,
    batch: Batch = 2_000,
    seed: Seed = 1,
    fill: Fill = 0,
    pgbench_scale: Scale = 50,
    pgbench_seconds: Seconds = 10,
    gate_us: Gate = None,
    svg: Svg = None,
    as_json: Json = False,
) -> None:
    """How long events wait at a given load; an open loop, with drops and duplicates counted."""
    from drachm.bench.scenarios import latency as run

    options = Options(families, events, rounds, writers, batch, seed, fill, False, pgbench_scale, pgbench_seconds)
    found = run(options, _tell, rates=_numbers(rates, float), seconds=seconds)
    _end(found, as_json=as_json, svg=svg, gate_us=gate_us)


@bench.command()
def peers(
    families: Families = 2_000,
    events: Events = 20_000,
    rounds: RoundCount = 5,
    writers: Writers = 2,
    batch: Batch = 1_000,
    seed: Seed = 1,
    peer_seconds: Annotated[int, typer.Option(min=1, help="How long each peer posts in a round.")] = 10,
    peer_processes: Annotated[int, typer.Option(min=1, help="Processes of each peer.")] = 4,
    pgbench_scale: Scale = 50,
    pgbench_seconds: Seconds = 10,
    as_json: Json = False,
) -> None:
    """Drachm, django-hordak and a naive service side by side on one server; the packages go into a venv thrown away."""
    from drachm.bench.peers.side_by_side import peers as run
    from drachm.bench.peers.side_by_side import table_of

    options = Options(families, events, rounds, writers, batch, seed, 0, False, pgbench_scale, pgbench_seconds)
    report = run(options, _tell, seconds=peer_seconds, processes=peer_processes)
    _say(report, table_of(report), as_json=as_json)
    raise typer.Exit(0 if report["books_ok"] else 1)


@bench.command()
def http(
    seconds: Annotated[float, typer.Option(min=1, help="How long half of the load is offered.")] = 20,
    families: Families = 20_000,
    events: Events = 10_000,
    rounds: RoundCount = 5,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes of the service.")] = 1,
    seed: Seed = 1,
    pgbench_scale: Scale = 50,
    pgbench_seconds: Seconds = 10,
    as_json: Json = False,
) -> None:
    """The running service: single calls and bulks of 1,000, waits at half load, and more than can be served."""
    from drachm.bench.http import http as run

    options = Options(families, events, rounds, workers, 1, seed, 0, True, pgbench_scale, pgbench_seconds)
    _end(run(options, _tell, seconds=seconds), as_json=as_json, svg=None, gate_us=None)


@bench.command()
def desk(
    charges: Annotated[int, typer.Option(min=1_000, help="Charges of the one clinic.")] = 20_000,
    repeats: Annotated[int, typer.Option(min=1, help="How often each kind of page is opened.")] = 20,
    families: Annotated[int, typer.Option(min=0, help="Families in the town; 0: one for each 700 charges.")] = 0,
    writers: Writers = 2,
    seed: Seed = 1,
    gate_ms: Annotated[float | None, typer.Option("--gate-ms", help="Exit 1 when a page's p95 is longer.")] = None,
    as_json: Json = False,
) -> None:
    """How soon the pages of the desk and the office answer with very many charges behind one clinic."""
    from drachm.bench.desk import desk as run
    from drachm.bench.desk import text_of

    report = run(charges, repeats, _tell, families=families, writers=writers, seed=seed)
    _say(report, text_of(report), as_json=as_json)
    slow = [one["page"] for one in report["pages"] if gate_ms is not None and (one["p95_ms"] or 0) > gate_ms]
    if slow:
        _tell(f"slower than {gate_ms:g} ms: {', '.join(slow)}")
    raise typer.Exit(1 if slow else 0)


def _end(report: dict[str, Any], *, as_json: bool, svg: Path | None, gate_us: float | None) -> None:
    """Say it, draw it, and judge it: nothing is judged by the clock on the wall, only the books and CPU time."""
    from drachm.bench.plot import write_chart
    from drachm.bench.report import text_of

    _say(report, text_of(report), as_json=as_json)
    if svg is not None:
        try:
            table = write_chart(report, svg)
        except OSError as error:
            raise InvalidMessage(f"the chart cannot be written: {error.strerror}", where=str(svg)) from None
        _tell(f"chart in {svg}, its numbers in {table}")
    spent = (report["python_us"] or 0) + (report["postgres_us"] or 0)
    if gate_us is not None and spent > gate_us:
        _tell(f"{spent:.1f} CPU us an event are more than the gate of {gate_us:g}")
        raise typer.Exit(1)
    raise typer.Exit(0 if report["books_ok"] and report["rounds"] else 1)


def _say(report: dict[str, Any], text: str, *, as_json: bool) -> None:
    sys.stdout.write((json.dumps(report, ensure_ascii=False, indent=2) if as_json else text) + "\n")


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _numbers(text: str, kind: type[int] | type[float]) -> list[Any]:
    try:
        found = [kind(word) for word in text.replace("_", "").split(",") if word.strip()]
    except ValueError:
        found = [0]
    if not all(0 < number < MOST for number in found):
        raise typer.BadParameter(f"numbers above 0, parted by commas, are expected, not {text!r}")
    return found
