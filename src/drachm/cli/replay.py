"""`drachm replay`: recorded care through the main job, with progress and a closing table."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.progress import Progress

from drachm.application.check_books import check_books
from drachm.application.replay import ReplayReport, enrol, replay
from drachm.bootstrap import open_place, read_recorded, read_settings, sample_plans
from drachm.cli.render import closing_table, problems_list, wide_console
from drachm.domain.catalog import AS_SUBMITTED
from drachm.domain.errors import InvalidMessage
from drachm.domain.money import micros


def run_replay(paths: Sequence[Path], *, as_json: bool, wallet: str, tenant: int, batch: int) -> bool:
    """Read, enrol, clear, report; True when the books balance and nothing is unexplained."""
    console = wide_console(stderr=as_json)
    opening = micros(wallet, where="--wallet")
    if opening < 0:
        raise InvalidMessage("a wallet opens with 0 or more", where="--wallet", code="invalid_amount")
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise InvalidMessage("there is no such file or folder", where=missing[0], next_step="Check the path.")
    with console.status("reading records"):
        world = read_recorded(paths)
    report = ReplayReport()
    with open_place(read_settings(), tenant=tenant) as place:
        for plan in sample_plans():
            place.desk.books.publish("plan", plan)
        enrol(world, place.desk, wallet=opening, currency="USD", price_book=AS_SUBMITTED)
        started = time.monotonic()
        with Progress(console=console, disable=not console.is_terminal) as progress:
            bar = progress.add_task("clearing", total=len(world.events))
            replay(world, place.desk, report, lambda _outcome, _event: progress.advance(bar), batch=batch)
        report.seconds = time.monotonic() - started
        disagreements = check_books(place.desk.books)
        report.books_ok = not disagreements
    if as_json:
        sys.stdout.write(json.dumps(as_object(report), indent=2) + "\n")
        return report.ok
    problems_list(console, report.unreadable)
    if not world.events:
        console.print("There is no care in these records.")
    closing_table(console, report)
    for disagreement in disagreements:
        console.print(f"[red]{disagreement}[/red]")
    return report.ok


def as_object(report: ReplayReport) -> dict[str, Any]:
    """The stable keys of `--json`; money in micros."""
    return {
        "events": report.events,
        "posted": report.posted,
        "denied": report.denied,
        "pended": report.pended,
        "refused": report.refused,
        "unexplained": report.unexplained,
        "duplicates": report.duplicates,
        "conflicts": report.conflicts,
        "books_ok": report.books_ok,
        "events_per_second": report.events_per_second,
        "reasons": dict(report.reasons),
        "classes": [
            {"currency": currency, "class": name, **asdict(sums)}
            for (currency, name), sums in sorted(report.classes.items())
        ],
        "unreadable": [
            {"code": error.code, "where": error.where, "message": error.message, "next_step": error.next_step}
            for error in report.unreadable
        ],
    }
