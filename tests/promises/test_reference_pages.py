"""The reference pages say what the code says: settings, codes, commands, accounts, and every key of an answer."""

from __future__ import annotations

import ast
import json
import re
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from drachm.adapters.vectors import ConformanceReport, as_json
from drachm.adapters.vectors.compare import Difference
from drachm.adapters.vectors.read import Label
from drachm.adapters.vectors.report import COLUMNS, Example, Verdict
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.replay import ReplayReport, replay
from drachm.application.replay import World as Recorded
from drachm.bootstrap import Place
from drachm.cli import books as books_command
from drachm.cli.adjudicate import run_adjudicate
from drachm.cli.replay import as_object
from drachm.domain.errors import InvalidMessage
from drachm.domain.reasons import REASONS
from drachm.domain.receipts.model import Part, Receipt, Why
from drachm.settings import Settings

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "drachm"
REFERENCE = REPOSITORY / "docs" / "reference"
MAKE = runpy.run_path(str(REFERENCE / "make.py"))

DYNAMIC = {"reasons": "<reason>", "by_country": "<country>", "by_family": "<family>", "by_example": "<example>"}
"""Keys that are words of the answer itself, by the key above them."""


def page(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


@pytest.mark.parametrize("path", MAKE["pages"](), ids=lambda path: path.name)
def test_generated_tables_are_what_the_code_says(path: Path) -> None:
    """When this fails: PYTHONPATH=src python docs/reference/make.py, and read what changed."""
    assert MAKE["remade"](path.read_text("utf-8")) == path.read_text("utf-8")


def test_every_table_stands_on_a_page() -> None:
    found = {name for path in MAKE["pages"]() for _, name, _ in MAKE["MADE"].findall(path.read_text("utf-8"))}
    assert found == set(MAKE["TABLES"])


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    launcher = (REPOSITORY / "drachm").read_text("utf-8")
    source = (PACKAGE / "settings.py").read_text("utf-8")
    read = set(re.findall(r"DRACHM_[A-Z_]+\b(?<!_)", source)) | set(re.findall(r"\$\{(DRACHM_[A-Z_]+)", launcher))
    documented = set(re.findall(r"^\| `(DRACHM_[A-Z_]+)`", page("settings.md"), re.MULTILINE))
    assert read == documented
    assert len(fields(Settings)) == len(set(re.findall(r"DRACHM_[A-Z_]+\b(?<!_)", source)))


def raised_codes() -> Iterator[tuple[str, str, str]]:
    """(file, kind of call, code) of every code that is written out where an error is made."""
    for path in PACKAGE.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            said = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
            # A reader's own helper may take the column before the code.
            first = call.args[: {"Pended": 1, "Refused": 1, "fault": 1, "refusal": 2, "_refusal": 1}.get(name, 0)]
            for value in (*first, *said):
                if isinstance(value, ast.Constant) and re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", str(value.value)):
                    yield path.name, name, str(value.value)


def test_every_reason_for_a_pend_or_a_refusal_is_in_the_published_table() -> None:
    found = {(file, code) for file, name, code in raised_codes() if name in ("Pended", "Refused")}
    assert len(found) > 20
    assert {(file, code) for file, code in found if code not in REASONS} == set()


def test_every_code_of_unreadable_input_is_documented_and_used() -> None:
    narrowed = page("reasons.md").partition("`InvalidMessage` narrows its code")[2]
    documented = set(re.findall(r"^\| `([a-z0-9_]+)` \|", narrowed, re.MULTILINE))
    used = {code for _, name, code in raised_codes() if name not in ("Pended", "Refused")}
    assert used - documented - REASONS.keys() == set()
    assert documented - used == set()


def keys_of(value: Any, path: str = "", above: str = "") -> Iterator[str]:
    """The place of every leaf: ``lines[].shares[].amount``."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            word = DYNAMIC.get(above, key)
            word = "<result>" if key in COLUMNS and path else word
            word = "<kind>" if above == "misses" else word
            yield from keys_of(inner, f"{path}.{word}".strip("."), key)
    elif isinstance(value, list) and value:
        for item in value:
            yield from keys_of(item, f"{path}[]", "")
    else:
        yield path


def documented_keys(name: str, heading: str = "") -> set[str]:
    text = page(name)
    if heading:
        text = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| ", text, re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`([^`]+)`", row)}


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The people of the money flows; their books stand in for the database of the commands."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs" / "money-flows"))
    import town

    return town


def test_every_key_of_adjudicate_is_documented(town: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, events = tmp_path / "plan.json", tmp_path / "events.json"
    plan.write_text(json.dumps(town.MONTH_PLAN))
    visit = {
        "source": "s",
        "kind": "charge",
        "member": "mei",
        "code": {"system": "local", "value": "visit"},
        "currency": "USD",
        "started_at": "2025-03-10T14:02:00Z",
        "billed": {"micros": 40_000_000, "currency": "USD"},
        "facts": {"facility_id": "clinic"},
    }
    events.write_text(json.dumps([*({**visit, "event_id": f"e{n}"} for n in (1, 2)), {**visit, "event_id": ""}]))
    assert run_adjudicate([plan], events, as_json=True) is False
    said = set(keys_of(json.loads(capsys.readouterr().out)))
    assert said - {"lines[].credits"} == documented_keys("json-output.md", "drachm adjudicate")


def test_every_key_of_replay_is_documented(town: Any) -> None:
    report = ReplayReport()
    problem = InvalidMessage("cannot be read", where="file", code="wrong_type")
    events = [town.charge("e1", 40), town.charge("e2", 40, member="dan")]
    replay(Recorded([], [], [], events, [problem]), town.new_town({}), report, lambda _outcome, _event: None)
    assert set(keys_of(as_object(report))) == documented_keys("json-output.md", "drachm replay")


def test_every_key_of_conformance_is_documented() -> None:
    label = Label("case", "family", "XX")
    differences = (Difference("patient", "1.00", "2.00"),)
    report = ConformanceReport(
        "cases.json",
        verdicts=(Verdict(label, "failed", differences, ("plan.what",), "problem"),),
        examples=(Example("fracture", 3, 2, {"deductible is lower": 1}),),
    )
    said = set(keys_of(as_json(report)))
    documented = documented_keys("json-output.md", "drachm conformance")
    documented -= {"unsupported_cases[]", "reconcile_failures[]"}
    assert said - {"unsupported_cases", "reconcile_failures"} == documented


@pytest.fixture
def opened(town: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Books in memory that the commands find instead of a database."""
    desk: Desk = town.new_town({"ana-cash": 10})

    @contextmanager
    def open_place(_settings: Settings, **_: Any) -> Iterator[Place]:
        yield Place(desk, embedded=False)

    monkeypatch.setattr(books_command, "open_place", open_place)
    return desk


def test_every_key_of_explain_is_documented(opened: Desk, town: Any, capsys: pytest.CaptureFixture[str]) -> None:
    [outcome] = clear_events([town.charge("e1", 40)], opened)
    books_command.run_explain(f"rcp_{outcome.position}", as_json=True, tenant=1)
    said = set(keys_of(json.loads(capsys.readouterr().out)))
    documented = documented_keys("receipt.md")
    assert said == documented
    assert {field.name for model in (Receipt, Part, Why) for field in fields(model)} - {"parts", "why", "plans"} == {
        key.rpartition(".")[2] for key in documented
    } - {"plans[]"}


def test_every_key_of_audit_is_documented(opened: Desk, town: Any, capsys: pytest.CaptureFixture[str]) -> None:
    clear_events([town.charge("e1", 40)], opened)
    assert books_command.run_audit(as_json=True, tenant=1)
    assert set(keys_of(json.loads(capsys.readouterr().out))) == documented_keys("json-output.md", "drachm audit")
