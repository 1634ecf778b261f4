"""Every recorded patient we have replays without an unexplained refusal; the larger sets are used where present."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from drachm.application.audit import audit
from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.replay import ReplayReport, enrol, replay
from drachm.bootstrap import SystemClock, SystemIds, read_recorded, sample_plans
from drachm.domain.catalog import AS_SUBMITTED
from drachm.domain.money import MICROS
from drachm.storage.postgres import open_books
from drachm.storage.tally import DiskTally

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("DRACHM_SHARED") or ROOT.parent / "shared") / "data" / "synthea"
BUNDLED = ROOT / "samples" / "synthea"


def places() -> list[Path]:
    """The bundled records, and each archive of the larger sets where they are."""
    larger = [*sorted(SHARED.glob("fhir-r4-*/bundles-*.tar.zst")), SHARED / "smoke", SHARED / "csv-plan-aware"]
    return [BUNDLED / "fhir-2019", BUNDLED / "fhir-2021", BUNDLED / "csv", *(path for path in larger if path.exists())]


@pytest.mark.parametrize("place", places(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_everything_replays(place: Path, database: str) -> None:
    world = read_recorded([place])
    assert list(world.problems) == []
    books = open_books(database, 1, master_key=bytes(32), ids=SystemIds())
    try:
        desk = Desk(books, SystemClock(), SystemIds())
        for plan in sample_plans():
            books.publish("plan", plan)
        enrol(world, desk, wallet=1000 * MICROS, currency="USD", price_book=AS_SUBMITTED)
        report = ReplayReport()
        started = time.monotonic()
        replay(world, desk, report, lambda _outcome, _event: None)
        report.seconds = time.monotonic() - started
        assert (report.events, report.unexplained, report.conflicts) == (len(world.events), 0, 0)
        assert report.posted + report.denied == report.events
        assert not report.reasons
        billed = sum(totals.billed for totals in report.classes.values())
        assert billed == sum(event.billed or 0 for event in world.events)
        assert billed == sum(totals.payers + totals.patient for totals in report.classes.values())
        assert check_books(books) == []
        if place.parent == BUNDLED:
            _again_and_audit(desk, world)
    finally:
        books.close()


def _again_and_audit(desk: Desk, world) -> None:
    before = desk.books.balances()
    assert all(outcome.duplicate for outcome in clear_events(list(world.events), desk))
    assert desk.books.balances() == before
    with DiskTally() as totals, DiskTally() as pots:
        report = audit(desk.books, totals, pots, time.monotonic, lambda _: None)
    assert report.first_difference == ""
