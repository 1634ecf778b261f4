"""Run a file of published results: which of them does the product reproduce?

Each case is read strictly, computed from plan, state and lines, and only then compared with what it expects.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drachm.adapters import jsonsafe
from drachm.adapters.vectors import sbc
from drachm.adapters.vectors.compare import differences, expected_of
from drachm.adapters.vectors.compute import compute
from drachm.adapters.vectors.read import Case, Unsupported, label_of, read_case
from drachm.adapters.vectors.reconcile import unreconciled
from drachm.adapters.vectors.report import ConformanceReport, Verdict
from drachm.domain.errors import DrachmError, InvalidMessage


def run(path: Path) -> ConformanceReport:
    """Run the cases of a JSON file, or the reported example costs of a CSV file.

    Raises `InvalidMessage` when the file cannot be read as either.
    """
    with jsonsafe.opened(path, path.name) as stream:
        data = jsonsafe.read_whole(stream, path.name)
    if path.suffix.lower() == ".json" or data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return ConformanceReport(path.name, verdicts=run_cases(jsonsafe.loads(data, path.name), path.name))
    return ConformanceReport(path.name, examples=sbc.examples(sbc.read_rows(data, path.name)))


def run_cases(document: Any, source: str = "cases") -> tuple[Verdict, ...]:
    """A verdict for every case of a parsed document: an object with `cases`, or the list itself."""
    cases = document.get("cases") if isinstance(document, dict) else document
    if not isinstance(cases, list) or not cases:
        raise InvalidMessage(
            "there is no list of cases" if not isinstance(cases, list) else "the list of cases is empty",
            where=f"{source} $.cases",
            next_step="Send an object whose key `cases` holds the list of cases.",
            code="invalid_cases",
        )
    return tuple(_verdict(raw, position) for position, raw in enumerate(cases))


def _verdict(raw: Any, position: int) -> Verdict:
    label = label_of(raw, position)
    try:
        case = read_case(raw, position)
        if case.check == "compute":
            return _computed(case)
        if case.check == "reconcile":
            broken = unreconciled(case)
            return Verdict(label, "reconcile_failed" if broken else "reconcile", differences=broken)
        expected_of(case)
        return Verdict(label, "other_module")
    except Unsupported as refusal:
        return Verdict(label, "unsupported", names=refusal.names)


def _computed(case: Case) -> Verdict:
    try:
        names = compute(case)
    except DrachmError as error:
        # Every name is known and yet no answer came: that is ours to repair, never the case's fault.
        return Verdict(case.label, "failed", problem=f"{error.code}: {error}")
    found = differences(case, names)
    return Verdict(case.label, "failed" if found else "passed", differences=found)
