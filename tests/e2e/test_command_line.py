"""The commands as a newcomer types them, in processes of their own, on a database of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "synthea"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs `drachm ...` with a data folder that the tests of this file share."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DRACHM_")}
    environment |= {
        "DRACHM_DATA_DIR": str(tmp_path_factory.mktemp("data") / "drachm"),
        "PYTHONPATH": str(ROOT / "src"),
        "NO_COLOR": "1",
    }

    def run_drachm(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "drachm", *map(str, words)]
        return subprocess.run(
            command,
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run_drachm


@pytest.fixture(scope="module")
def replayed(run):
    """The bundled FHIR sample, replayed once."""
    return run("replay", SAMPLE / "fhir-2019", SAMPLE / "fhir-2021", "--json")


def test_replay_of_the_bundled_sample(replayed) -> None:
    assert replayed.returncode == 0, replayed.stderr
    report = json.loads(replayed.stdout)
    assert report["events"] == report["posted"] + report["denied"] > 300
    assert (report["unexplained"], report["duplicates"], report["pended"], report["refused"]) == (0, 0, 0, 0)
    assert report["books_ok"] is True
    billed = sum(row["billed"] for row in report["classes"])
    assert billed == sum(row["payers"] + row["patient"] for row in report["classes"])


def test_a_second_replay_posts_nothing_and_says_so(run, replayed) -> None:
    again = run("replay", SAMPLE / "fhir-2019", SAMPLE / "fhir-2021")
    assert again.returncode == 0, again.stderr
    assert "Nothing new" in again.stdout
    report = json.loads(run("replay", SAMPLE / "fhir-2019", SAMPLE / "fhir-2021", "--json").stdout)
    assert report["duplicates"] == report["events"] == json.loads(replayed.stdout)["events"]
    assert (report["posted"], report["denied"]) == (0, 0)


def test_audit_and_explain_what_was_replayed(run, replayed) -> None:
    audited = json.loads(run("audit", "--json").stdout)
    assert audited["ok"] is True
    assert audited["first_difference"] is None
    assert audited["rows"] > json.loads(replayed.stdout)["events"]
    explained = run("explain", f"rcp_{audited['rows'] - 1}")
    assert explained.returncode == 0, explained.stderr
    assert "Why this amount?" in explained.stdout
    receipt = json.loads(run("explain", f"rcp_{audited['rows'] - 1}", "--json").stdout)
    assert sum(part["amount"] for part in receipt["parts"]) == receipt["billed"]


def test_the_csv_export_replays_too(run) -> None:
    result = run("replay", SAMPLE / "csv", "--json", "--tenant", "2")
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads(result.stdout)["unexplained"] == 0


def test_demo_shows_the_line_and_ends_well(run) -> None:
    shown = run("demo", "--exit", "--pace", "5000")
    assert shown.returncode == 0, shown.stdout[-2000:] + shown.stderr
    for words in (
        "Two payers, one bill",
        "Another country",
        "Why this amount?",
        "books balanced",
        "Everything follows",
        "the family's pot pays 12.00 of it",
    ):
        assert words in shown.stdout
    assert shown.stdout.count("Receipt rcp_") == 3


@pytest.mark.parametrize("version", ["database", "database16"])
def test_any_postgresql_by_url(run, request, version: str) -> None:
    """The same commands on a server that somebody else runs, the oldest supported version among them."""
    url = request.getfixturevalue(version)
    replayed = run("replay", SAMPLE / "fhir-2021", "--json", DRACHM_DATABASE_URL=url)
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["books_ok"] is True
    assert json.loads(run("audit", "--json", DRACHM_DATABASE_URL=url).stdout)["ok"] is True


def test_adjudicate_needs_no_database(run, tmp_path) -> None:
    events = tmp_path / "events.ndjson"
    event = {
        "source": "ehr", "event_id": "e1", "kind": "charge", "member": "ana", "code": {"system": "local", "value": "x"},
        "currency": "USD", "started_at": "2025-03-10T12:00:00Z", "billed": {"micros": 100_000_000, "currency": "USD"},
        "facts": {"category": "lab"},
    }  # fmt: skip
    bad = {**event, "event_id": "e2", "currency": "XYZ"}
    events.write_text("\n".join(json.dumps(one) for one in (event, bad)) + "\n")
    plan = ROOT / "samples" / "plans" / "drachm-us-ppo.json"
    result = run(
        "adjudicate", "--plan", plan, "--events", events, "--json", DRACHM_DATABASE_URL="postgresql://nowhere.invalid/"
    )
    assert result.returncode == 1, result.stderr
    answer = json.loads(result.stdout)
    assert list(answer) == ["lines", "totals", "accumulators"]
    good, refused = answer["lines"]
    assert good["billed"] == good["patient_responsibility"] + good["plan_paid"] + good["provider_borne"] == 100_000_000
    assert refused["error"] == "unknown_currency"
    assert "currency" in refused["where"]


def test_adjudicate_prints_what_documents_and_events_say_as_it_stands(run, tmp_path) -> None:
    """Words in brackets are no markup; a file without events says so; of several plans the faulty one is named."""
    (tmp_path / "plan.json").write_text(
        json.dumps({
            "id": "p", "version": "1", "payer": "x", "currency": "USD", "zone": "America/New_York",
            "effective": {"from": "2025-01-01"}, "steps": [{"id": "a", "kind": "exclude", "clause": "[/b] 3[a]"}],
        })
    )  # fmt: skip
    (tmp_path / "events.json").write_text(
        json.dumps([{
            "source": "ehr", "event_id": "e1", "kind": "charge", "member": "ana", "currency": "USD",
            "code": {"system": "local", "value": "x"}, "started_at": "2025-03-10T12:00:00Z",
            "billed": {"micros": 5_000_000, "currency": "USD"},
        }])
    )  # fmt: skip
    (tmp_path / "none.json").write_text("[]")
    (tmp_path / "faulty.json").write_text("{}")
    plan, events = tmp_path / "plan.json", tmp_path / "events.json"
    told = run("adjudicate", "--plan", plan, "--events", events)
    assert (told.returncode, told.stderr) == (0, "")
    assert "p [/b] 3[a]" in told.stdout
    empty = run("adjudicate", "--plan", plan, "--events", tmp_path / "none.json")
    assert empty.stdout == "There is no event in the file.\n"
    refused = run("adjudicate", "--plan", plan, "--plan", tmp_path / "faulty.json", "--events", events)
    assert (refused.returncode, "faulty.json $: lacks 'id'" in refused.stderr) == (2, True)


def test_empty_books_are_not_called_sound(run) -> None:
    empty = run("audit", "--tenant", "77")
    assert (empty.returncode, "These books are empty" in empty.stdout) == (0, True)
    assert "Everything follows" not in empty.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("replay", "no-such-folder"), "there is no such file"),
        (("replay", str(SAMPLE), "--wallet", "-5"), "a wallet opens with 0 or more"),
        (("explain", "rcp_999999999"), "code: not_found"),
        (("key", "new", "--role", "integrator"), "integrator acts for a party, and none is named"),
        (("key", "new", "--role", "clerk", "--person", "noor"), "clerk acts for a party, and none is named"),
        (("key", "new", "--role", "clerk", "--person", "noor", "--party", "nowhere"), "POST /v1/parties"),
        (("key", "new", "--role", "integrator", "--party", "nowhere"), "no party 'nowhere' is registered"),
        (("explain", "rcp_x'; DROP TABLE journal"), "no such receipt"),
        (("conformance", "no-such-file.json"), "no-such-file.json"),
        (("adjudicate", "--plan", "nope.json", "--events", "nope.json"), "nope.json: the file cannot be read: No such"),
        (("adjudicate", "--plan", "/dev/zero", "--events", "nope.json"), "more than 67108864 bytes"),
    ],
)
def test_mistakes_are_answered_in_words(run, words, said: str) -> None:
    result = run(*words)
    assert result.returncode not in (0, None)
    assert said in result.stderr + result.stdout
    assert "next: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_does_not_answer_is_named(run) -> None:
    result = run("audit", DRACHM_DATABASE_URL="postgresql://127.0.0.1:1/nothing?connect_timeout=1")
    assert result.returncode == 2
    assert "code: unavailable" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(run, tmp_path) -> None:
    (tmp_path / "broken.json").write_text(
        '{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Claim"}}]}'
    )
    (tmp_path / "cut.tar.zst").write_bytes(b"not an archive")
    good = next((SAMPLE / "fhir-2021").glob("*.json.gz"))
    (tmp_path / good.name).write_bytes(good.read_bytes())
    result = run("replay", tmp_path, "--json", "--tenant", "7")
    report = json.loads(result.stdout)
    assert result.returncode == 1
    assert report["posted"] + report["denied"] == report["events"] > 0
    assert {problem["where"].split()[0] for problem in report["unreadable"]} >= {"broken.json", "cut.tar.zst"}
    assert all(problem["next_step"] for problem in report["unreadable"])
    assert report["books_ok"] is True
