"""The doctor says what is wrong and what to do, and fails when something is."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import psycopg
import pytest

from drachm.adapters.rest.transport.server import main as worker
from drachm.application.findings import Finding
from drachm.cli.doctor import run_doctor
from drachm.domain.errors import InvalidMessage
from drachm.service.doctor import examine
from drachm.service.run import serve
from drachm.settings import Settings


def findings(**environ: str) -> dict[str, Finding]:
    return {one.name: one for one in examine(environ)}


def well(url: str, folder: Path) -> dict[str, str]:
    return {"DRACHM_DATABASE_URL": url, "DRACHM_DATA_DIR": str(folder)}


def test_a_whole_installation_has_no_failure(settled: Any, tmp_path: Path) -> None:
    url, _ = settled
    found = findings(**well(url, tmp_path))
    # The tests' own server is not durable, and the tests are its superuser: both are said.
    assert {name for name, one in found.items() if one.state == "fail"} == {"durability"}
    assert found["connection"].state == "warn"
    assert {
        "settings",
        "secrets",
        "disk",
        "clock",
        "migrations",
        "roles",
        "row_security",
        "index",
        "work_queue",
    } <= set(found)
    assert all(one.next_step for one in found.values() if one.state != "ok")


def test_settings_that_cannot_be_used_end_the_examination() -> None:
    found = findings(DRACHM_ENVIRONMENT="prod")
    assert list(found) == ["settings"]
    assert found["settings"].state == "fail"


def test_a_database_that_does_not_answer_fails(tmp_path: Path) -> None:
    found = findings(**well(f"postgresql:///none?host={tmp_path}", tmp_path))
    assert found["database"].state == "fail"
    assert "migrations" not in found


def test_a_database_without_a_schema_is_told_apart(empty_database: str, tmp_path: Path) -> None:
    assert findings(**well(empty_database, tmp_path))["migrations"].state == "warn"


def test_a_table_without_forced_row_security_and_a_changed_migration_fail(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE journal NO FORCE ROW LEVEL SECURITY")
        conn.execute("UPDATE schema_migration SET sha256 = repeat('0', 64) WHERE number = 1")
    found = findings(**well(database, tmp_path))
    assert (found["row_security"].state, "journal" in found["row_security"].said) == ("fail", True)
    assert found["migrations"].state == "fail"


def test_open_files_weak_secrets_and_silent_providers_fail(database: str, tmp_path: Path) -> None:
    (tmp_path / "master.key").write_text(secrets.token_hex(32))
    (tmp_path / "master.key").chmod(0o644)
    provider = {"issuer": "http://127.0.0.1:1/", "audience": "drachm", "tenants": ["1"]}
    (tmp_path / "oidc.json").write_text(json.dumps([provider]))
    found = findings(
        **well(database, tmp_path), DRACHM_ENVIRONMENT="live", DRACHM_OIDC_FILE=str(tmp_path / "oidc.json")
    )
    assert {found[name].state for name in ("data_folder", "secrets", "identity_providers")} == {"fail"}


def test_a_file_of_providers_that_cannot_be_read_fails(database: str, tmp_path: Path) -> None:
    (tmp_path / "oidc.json").write_text('[{"issuer": "https://login.example.org", "colour": 1}]')
    found = findings(**well(database, tmp_path), DRACHM_OIDC_FILE=str(tmp_path / "oidc.json"))
    assert found["identity_providers"].state == "fail"


NO_KEY = {"app_id": "1", "private_key": "none", "public_key": "none"}


@pytest.mark.parametrize(
    ("content", "mode", "place"),
    [
        ("{", 0o600, ""),
        ("{}", 0o644, "chmod 600"),
        ('{"1": {"paypal": {}}}', 0o600, "paypal"),
        (json.dumps({"1": {"bank": {"account": "NL1"}, "collecting": {"USD": {"rail": "stripe"}}}}), 0o600, "1.coll"),
        (json.dumps({"7": {"alipay": NO_KEY}}), 0o600, "7.alipay.private_key"),
    ],
)
def test_rails_that_cannot_be_connected_are_told_and_stop_the_service(
    content: str, mode: int, place: str, database: str, tmp_path: Path
) -> None:
    rails = tmp_path / "rails.json"
    rails.write_text(content)
    rails.chmod(mode)
    found = findings(**well(database, tmp_path), DRACHM_RAILS_FILE=str(rails))["rails"]
    assert found.state == "fail"
    assert place in found.said
    # Before any database is asked and anything listens.
    settings = Settings(data_dir=tmp_path, database_url="postgresql://nowhere.invalid/", rails_file=rails)
    with pytest.raises(InvalidMessage) as refused:
        serve(settings, port=0, workers=1, ready=lambda _: None)
    assert place in str(refused.value)


def test_rails_that_can_be_connected_are_named(database: str, tmp_path: Path) -> None:
    rails = tmp_path / "rails.json"
    rails.write_text(json.dumps({"1": {"bank": {"account": "NL26VAYB8060476890"}}}))
    rails.chmod(0o600)
    found = findings(**well(database, tmp_path), DRACHM_RAILS_FILE=str(rails))["rails"]
    assert (found.state, found.said) == ("ok", "tenant 1: bank")


def test_a_file_of_providers_that_cannot_be_read_stops_the_service(tmp_path: Path) -> None:
    missing = tmp_path / "gone.json"
    settings = Settings(data_dir=tmp_path, database_url="postgresql://nowhere.invalid/", oidc_file=missing)
    with pytest.raises(InvalidMessage, match="cannot be read"):
        serve(settings, port=0, workers=1, ready=lambda _: None)


def test_a_worker_whose_settings_cannot_be_used_says_so_in_three_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """As after a restart by SIGHUP with a file that was changed meanwhile."""
    monkeypatch.setenv("DRACHM_DATA_DIR", str(tmp_path))
    (tmp_path / "rails.json").write_text('{"1": {"paypal": {}}}')
    (tmp_path / "rails.json").chmod(0o600)
    monkeypatch.setenv("DRACHM_RAILS_FILE", str(tmp_path / "rails.json"))
    descriptors = [part for name in ("socket", "ready", "life", "drain") for part in (f"--{name}", "0")]
    assert worker([*descriptors, "drachm.service.together:make_application"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert "DRACHM_RAILS_FILE" in told[0]


@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_printed(
    as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database: str, tmp_path: Path
) -> None:
    for name, value in well(database, tmp_path).items():
        monkeypatch.setenv(name, value)
    ok = run_doctor(as_json=as_json)
    text = capsys.readouterr().out
    assert ok is False
    if as_json:
        report = json.loads(text)
        assert report["ok"] is False
        assert {"name", "state", "said", "next_step"} == set(report["findings"][0])
    else:
        assert text.startswith("ok    settings")
