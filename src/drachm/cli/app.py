"""The command line: one command for each job, exit status 0 only when all is well."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from drachm.cli.bench import bench
from drachm.domain.errors import DrachmError

app = typer.Typer(
    help="Drachm pays for each moment of care when it happens.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(bench, name="bench")
key = typer.Typer(help="API keys of the service.", no_args_is_help=True, add_completion=False)
app.add_typer(key, name="key")

Json = Annotated[bool, typer.Option("--json", help="One JSON object with stable keys on standard output.")]


def main() -> None:
    """Run the command line; an error of ours is told in three lines, never as a traceback."""
    # What a lost connection means is told by our own error; the pool's note beside it helps nobody.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    try:
        app(prog_name="drachm")
    except DrachmError as error:
        sys.stderr.write(f"drachm: {error}\n  code: {error.code}\n  next: {error.next_step}\n")
        raise SystemExit(2) from None


@app.command()
def demo(
    leave: Annotated[bool, typer.Option("--exit", help="End after the summary.")] = False,
    pace: Annotated[int, typer.Option(min=1, help="Events per second shown.")] = 60,
) -> None:
    """The main job on bundled real data: a small network, a few hundred events, receipts, books."""
    from drachm.cli.demo import run_demo

    raise typer.Exit(0 if run_demo(leave=leave, pace=pace) else 1)


@app.command()
def replay(
    paths: Annotated[list[Path], typer.Argument(help="Synthea FHIR R4 or CSV: files, folders, .gz, .tar.zst, NDJSON.")],
    as_json: Json = False,
    wallet: Annotated[str, typer.Option(help="What each member's wallet opens with, in USD.")] = "1000",
    tenant: Annotated[int, typer.Option(min=1, help="Whose books.")] = 1,
    batch: Annotated[int, typer.Option(min=1, max=4000, help="Events per transaction.")] = 500,
) -> None:
    """Clear recorded care in order of time; a second replay of the same records posts nothing."""
    from drachm.cli.replay import run_replay

    raise typer.Exit(0 if run_replay(paths, as_json=as_json, wallet=wallet, tenant=tenant, batch=batch) else 1)


@app.command()
def conformance(
    file: Annotated[Path, typer.Argument(help="Published cases (.json) or insurers' reported examples (.csv).")],
    as_json: Json = False,
) -> None:
    """Run published adjudication cases through ordinary plan documents and compare."""
    from drachm.bootstrap import conformance_object, conformance_text, run_conformance

    report = run_conformance(file)
    typer.echo(_dump(conformance_object(report)) if as_json else conformance_text(report))
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def adjudicate(
    plan: Annotated[list[Path], typer.Option(help="Plan document; several in stack order.")],
    events: Annotated[Path, typer.Option(help="Events in our JSON form, priced as submitted.")],
    as_json: Json = False,
) -> None:
    """Who owes what for these events under these plans? No database."""
    from drachm.cli.adjudicate import run_adjudicate

    raise typer.Exit(0 if run_adjudicate(plan, events, as_json=as_json) else 1)


@app.command()
def explain(
    receipt: Annotated[str, typer.Argument(help="Receipt number, rcp_...")],
    as_json: Json = False,
    tenant: Annotated[int, typer.Option(min=1, help="Whose books.")] = 1,
) -> None:
    """Why this amount? Every step of one receipt."""
    from drachm.cli.books import run_explain

    run_explain(receipt, as_json=as_json, tenant=tenant)


@app.command()
def audit(
    as_json: Json = False,
    tenant: Annotated[int, typer.Option(min=1, help="Whose books.")] = 1,
) -> None:
    """Rebuild balances, running totals and decisions from raw entries; name the first row that disagrees."""
    from drachm.cli.books import run_audit

    raise typer.Exit(0 if run_audit(as_json=as_json, tenant=tenant) else 1)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; 0: any free one.")] = 8000,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Worker processes; else as DRACHM_WORKERS says.")
    ] = None,
) -> None:
    """The service: the interface of docs/reference/api.md on loopback, until Ctrl-C."""
    from drachm.cli.serve import run_serve

    raise typer.Exit(run_serve(port=port, workers=workers))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Is everything here that the service needs? Each line says ok, warn or fail, and what to do next."""
    from drachm.cli.doctor import run_doctor

    raise typer.Exit(0 if run_doctor(as_json=as_json) else 1)


@key.command("new")
def new_key(
    role: Annotated[list[str], typer.Option(help="operator, integrator, clerk, finance ...; several may be given.")],
    party: Annotated[
        list[str] | None, typer.Option(help="Clinic, payer or funder it acts for; several may be given.")
    ] = None,
    tenant: Annotated[int, typer.Option(min=1, help="Whose market.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=400, help="How long it lasts.")] = 365,
    person: Annotated[str, typer.Option(help="A sandbox token for this person instead of a key for a machine.")] = "",
    name: Annotated[str, typer.Option(help="What it is for.")] = "made on the console",
) -> None:
    """Make an API key, or in a sandbox a person's token; it alone stands on standard output."""
    from drachm.cli.serve import run_key

    run_key(roles=role, parties=party or [], tenant=tenant, days=days, person=person, name=name)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
