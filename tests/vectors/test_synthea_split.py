"""The 2021-06 plan table as ordinary plan documents reproduces the split that Synthea's CSV export recorded.

Line by line, to the cent. Where the recorded copay exceeds the charge (older Synthea versions do not cap it), taking
exactly the charge counts. Every other line is listed with its reason, which must be one we can show from the data.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from drachm.adapters.synthea.csv_truth import TruthLine, read_truth
from drachm.application.body import read_body
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.application.ports import Books
from drachm.application.recall import Kept, recall
from drachm.application.replay import enrol
from drachm.bootstrap import SystemClock, SystemIds, read_recorded, sample_plans
from drachm.domain.catalog import AS_SUBMITTED
from drachm.storage.memory import MemoryBooks

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("DRACHM_SHARED") or ROOT.parent / "shared") / "data" / "synthea" / "csv-plan-aware"
CENT = 10_000


@pytest.mark.parametrize("folder", [path for path in (ROOT / "samples/synthea/csv", SHARED) if path.is_dir()], ids=str)
def test_the_recorded_split_is_reproduced(folder: Path, capsys) -> None:
    books, outcomes = cleared(folder)
    truths = list(read_truth(folder))
    assert len(truths) == len(outcomes)
    misses: dict[str, list[TruthLine]] = defaultdict(list)
    over = 0
    for truth in truths:
        outcome = outcomes[truth.event_id]
        over += truth.copay_exceeds_charge
        if not reproduced(truth, outcome, payers_of(outcome, books)):
            misses[reason_of_miss(truth, outcome)].append(truth)
    missed = sum(map(len, misses.values()))
    with capsys.disabled():
        print(f"\n{folder.name}: {len(truths) - missed} of {len(truths)} lines reproduced")
        print(f"  {over} with a copay above the charge")
        for reason, lines in misses.items():
            print(f"  {len(lines)} x {reason}: {', '.join(line.event_id for line in lines)}")
    assert (len(truths) - missed) * 1000 >= 967 * len(truths)
    assert set(misses) <= {"deductible used by events that are not in the sample"}


def cleared(folder: Path) -> tuple[Books, dict[str, Outcome]]:
    world = read_recorded([folder])
    assert list(world.problems) == []
    desk = Desk(MemoryBooks(1, ids=SystemIds()), SystemClock(), SystemIds())
    for plan in sample_plans():
        desk.books.publish("plan", plan)
    enrol(world, desk, wallet=0, currency="USD", price_book=AS_SUBMITTED)
    events = sorted(world.events, key=lambda event: event.started_at)
    outcomes = clear_events(events, desk)
    assert Counter(outcome.status for outcome in outcomes).keys() <= {"posted", "denied"}
    return desk.books, {outcome.event_id: outcome for outcome in outcomes}


def payers_of(outcome: Outcome, books: Books) -> list[str]:
    """Who covered the event, in order."""
    [recalled] = recall([Kept(b"", outcome.status, read_body(outcome.body))], books)
    assert recalled.at is not None
    return [cover.payer for cover in recalled.at.covers]


def reproduced(truth: TruthLine, outcome: Outcome, payers: list[str]) -> bool:
    assert outcome.decision is not None
    answer = outcome.decision.adjudication
    assert answer is not None
    if truth.copay_exceeds_charge:
        return answer.patient_responsibility == truth.charge
    wanted = [truth.primary_paid, truth.secondary_paid]
    paid = [sum(s.amount for s in answer.shares if s.bearer == "payer" and s.party == payer) for payer in payers]
    paid += [0] * (2 - len(paid))
    patient = truth.copay + truth.patient_paid
    pairs = [(answer.patient_responsibility, patient), *zip(paid, wanted, strict=True)]
    return all(abs(ours - theirs) <= CENT for ours, theirs in pairs)


def reason_of_miss(truth: TruthLine, outcome: Outcome) -> str:
    """Why a line differs, from its own figures: the payer paid of a rest from which we still took deductible."""
    assert outcome.decision is not None
    answer = outcome.decision.adjudication
    assert answer is not None
    deductible = sum(share.amount for share in answer.shares if share.component == "deductible")
    if deductible and truth.primary_paid > answer.plan_paid:
        return "deductible used by events that are not in the sample"
    return "unexplained"
