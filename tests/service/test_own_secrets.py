"""Live takes no secret that is missing, weak or shared; a sandbox makes its own and keeps them to itself."""

from __future__ import annotations

import secrets
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drachm.domain.errors import InvalidMessage
from drachm.service.own_secrets import NAMES, SECRETS_FILE, with_secrets
from drachm.settings import Settings, load


def live(folder: Path, **changes: Any) -> Settings:
    made: dict[str, Any] = {name: (secrets.token_bytes(32),) for name in NAMES}
    whole = Settings(
        data_dir=folder,
        environment="live",
        base_url="https://pay.example.org",
        master_key=secrets.token_bytes(32),
        **made,
    )
    return replace(whole, **changes)


def test_a_sandbox_makes_its_secrets_once_for_its_owner_only(tmp_path: Path) -> None:
    first = with_secrets(Settings(data_dir=tmp_path / "data"))
    again = with_secrets(Settings(data_dir=tmp_path / "data"))
    assert first == again
    assert len({getattr(first, name)[0] for name in NAMES}) == len(NAMES)
    file = tmp_path / "data" / SECRETS_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert with_secrets(Settings(data_dir=tmp_path / "other")) != replace(first, data_dir=tmp_path / "other")


def test_what_is_set_counts_more_than_the_file(tmp_path: Path) -> None:
    own = secrets.token_bytes(32)
    found = with_secrets(Settings(data_dir=tmp_path, link_secret=(own,)))
    assert found.link_secret == (own,)


def test_an_open_or_damaged_file_is_refused(tmp_path: Path) -> None:
    with_secrets(Settings(data_dir=tmp_path))
    file = tmp_path / SECRETS_FILE
    file.chmod(0o644)
    with pytest.raises(InvalidMessage, match="other users can read"):
        with_secrets(Settings(data_dir=tmp_path))
    file.chmod(0o600)
    file.write_text("{}")
    with pytest.raises(InvalidMessage, match="no file of secrets"):
        with_secrets(Settings(data_dir=tmp_path))


def test_live_with_everything_set_needs_no_file(tmp_path: Path) -> None:
    settings = live(tmp_path)
    assert with_secrets(settings) == settings
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*NAMES, "master_key"])
def test_live_refuses_a_missing_secret_and_makes_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidMessage) as refused:
        with_secrets(live(tmp_path, **{name: b"" if name == "master_key" else ()}))
    assert refused.value.where == f"DRACHM_{name.upper()}"
    assert list(tmp_path.iterdir()) == []


def test_live_refuses_plain_http_a_counted_master_key_and_one_secret_for_two_things(tmp_path: Path) -> None:
    with pytest.raises(InvalidMessage, match="https"):
        with_secrets(live(tmp_path, base_url="http://pay.example.org"))
    with pytest.raises(InvalidMessage, match="no random secret"):
        with_secrets(live(tmp_path, master_key=bytes(range(32))))
    one = secrets.token_bytes(32)
    with pytest.raises(InvalidMessage, match="same secret") as refused:
        with_secrets(live(tmp_path, link_secret=(one,), cursor_secret=(secrets.token_bytes(32), one)))
    assert one.hex() not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DRACHM_KEY_PEPPER", "short"),
        ("DRACHM_LINK_SECRET", "00" * 32),
        ("DRACHM_CURSOR_SECRET", "ab" * 32),
        ("DRACHM_TOKEN_SECRET", bytes(range(32)).hex()),
        ("DRACHM_ANSWER_SECRET", ",".join(secrets.token_hex(32) for _ in range(2))),
        ("DRACHM_ENVIRONMENT", "production"),
        ("DRACHM_BASE_URL", "https://pay.example.org/"),
        ("DRACHM_BASE_URL", "ftp://pay.example.org"),
        ("DRACHM_BASE_URL", "https://user:secret@pay.example.org"),
        ("DRACHM_WORKERS", "0"),
        ("DRACHM_WORKERS", "65"),
        ("DRACHM_CALLS_PER_MINUTE", "-1"),
        ("DRACHM_OIDC_FILE", "/no/such/file"),
    ],
)
def test_a_setting_of_the_service_that_cannot_be_used_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        load({variable: value})
    assert refused.value.where == variable
    if "SECRET" in variable or "PEPPER" in variable or "BASE" in variable:
        assert value not in str(refused.value)


def test_several_secrets_are_kept_in_order_and_not_shown() -> None:
    words = [secrets.token_hex(32) for _ in range(3)]
    settings = load({"DRACHM_LINK_SECRET": f"{words[0]}, {words[1]},{words[2]}"})
    assert [secret.hex() for secret in settings.link_secret] == words
    assert words[0] not in repr(settings)
