"""Every setting has a default, a check, and an error that names the variable and keeps secrets."""

from __future__ import annotations

import multiprocessing
import os
import stat
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from drachm import settings as settings_module
from drachm.domain.errors import InvalidMessage, Unavailable
from drachm.settings import Settings, load, master_key

KEY = "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100"


def test_nothing_set_gives_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    settings = load({"HOME": str(tmp_path)})
    assert settings.database_url == ""
    assert settings.data_dir == tmp_path / ".local" / "share" / "drachm"
    assert settings.master_key == b""
    assert (settings.pg_major, settings.pg_start_seconds) == (18, 600)


def test_empty_variables_count_as_not_set(tmp_path: Path) -> None:
    names = ("DATABASE_URL", "DATA_DIR", "MASTER_KEY", "PG_MAJOR", "PG_START_SECONDS", "SHARED")
    assert load({"HOME": str(tmp_path)} | {f"DRACHM_{name}": "" for name in names}) == load({"HOME": str(tmp_path)})


def test_everything_can_be_set(tmp_path: Path) -> None:
    settings = load(
        {
            "DRACHM_DATABASE_URL": "postgresql://drachm@books/drachm",
            "DRACHM_DATA_DIR": str(tmp_path / "new folder"),
            "DRACHM_MASTER_KEY": KEY,
            "DRACHM_PG_MAJOR": "16",
            "DRACHM_PG_START_SECONDS": "30",
            "DRACHM_SHARED": str(tmp_path),
        }
    )
    expected = Settings(
        "postgresql://drachm@books/drachm", tmp_path / "new folder", bytes.fromhex(KEY), 16, 30, tmp_path
    )
    assert settings == expected
    assert not settings.data_dir.exists()


@pytest.mark.parametrize(
    ("user_id", "environ", "expected"),
    [
        (0, {"HOME": "/home/ana", "XDG_DATA_HOME": "/data"}, "/var/lib/drachm"),
        (1000, {"HOME": "/home/ana", "XDG_DATA_HOME": "/data"}, "/data/drachm"),
        (1000, {"HOME": "/home/ana"}, "/home/ana/.local/share/drachm"),
        (0, {"HOME": "/home/ana", "DRACHM_DATA_DIR": "~/books"}, "/home/ana/books"),
        (1000, {"HOME": "/home/ana", "DRACHM_DATA_DIR": "/books"}, "/books"),
    ],
)
def test_the_data_folder_depends_on_who_asks(
    monkeypatch: pytest.MonkeyPatch, user_id: int, environ: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user_id)
    assert load(environ).data_dir == Path(expected)


def test_a_relative_data_folder_is_fixed_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({"DRACHM_DATA_DIR": "books"}).data_dir == tmp_path / "books"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DRACHM_DATABASE_URL", "mysql://books:secret@host/drachm"),
        ("DRACHM_DATA_DIR", __file__),
        ("DRACHM_MASTER_KEY", "secret"),
        ("DRACHM_MASTER_KEY", KEY[:-1]),
        ("DRACHM_MASTER_KEY", KEY[:-2] + "zz"),
        ("DRACHM_MASTER_KEY", KEY[:-3] + " 00"),
        ("DRACHM_PG_MAJOR", "17"),
        ("DRACHM_PG_MAJOR", "18.4"),
        ("DRACHM_PG_START_SECONDS", "0"),
        ("DRACHM_PG_START_SECONDS", "-5"),
        ("DRACHM_PG_START_SECONDS", "ten"),
        ("DRACHM_SHARED", "/no/such/folder"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        load({variable: value})
    assert caught.value.where == variable
    assert caught.value.next_step != InvalidMessage.default_next_step
    if variable in ("DRACHM_DATABASE_URL", "DRACHM_MASTER_KEY"):
        assert value not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    shown = repr(load({"DRACHM_DATABASE_URL": "postgresql://drachm:secret@books/drachm", "DRACHM_MASTER_KEY": KEY}))
    assert "pg_major=18" in shown
    assert "database_url" not in shown
    assert "master_key" not in shown


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        load({}).pg_major = 16  # type: ignore[misc]


def test_every_setting_is_explained_with_its_variable_and_default() -> None:
    source = Path(settings_module.__file__).read_text()
    for field in fields(Settings):
        explained = source.split(f"    {field.name}: ", 1)[1].split('"""')[1]
        assert explained.startswith(f"DRACHM_{field.name.upper()}: "), field.name
        assert "Default: " in explained, field.name


def test_the_folder_beside_the_source_tree_is_the_shared_one() -> None:
    beside = Path(settings_module.__file__).resolve().parents[3] / "shared"
    assert load({}).shared == (beside if beside.is_dir() else None)


def test_a_master_key_that_was_set_needs_no_file(tmp_path: Path) -> None:
    assert master_key(Settings(data_dir=tmp_path, master_key=bytes.fromhex(KEY))) == bytes.fromhex(KEY)
    assert list(tmp_path.iterdir()) == []


def test_the_first_call_makes_a_key_that_only_its_owner_reads_and_later_calls_keep_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "books")
    key = master_key(settings)
    assert len(key) == 32
    assert master_key(settings) == key
    (file,) = settings.data_dir.iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("master.key", 0o600)
    assert master_key(Settings(data_dir=tmp_path / "other")) != key


def test_processes_that_race_agree_on_one_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "books")
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        keys = set(pool.map(master_key, [settings] * 12, chunksize=1))
    assert len(keys) == 1
    assert [path.name for path in settings.data_dir.iterdir()] == ["master.key"]


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    master_key(Settings(data_dir=tmp_path))
    (tmp_path / "master.key").chmod(0o644)
    with pytest.raises(InvalidMessage, match="other users can read the master key"):
        master_key(Settings(data_dir=tmp_path))


def test_a_damaged_key_file_is_refused_and_kept(tmp_path: Path) -> None:
    master_key(Settings(data_dir=tmp_path))
    (tmp_path / "master.key").write_text("0011\n")
    with pytest.raises(InvalidMessage, match="is not 64 hexadecimal digits"):
        master_key(Settings(data_dir=tmp_path))
    assert (tmp_path / "master.key").read_text() == "0011\n"


def test_a_folder_that_cannot_hold_the_key_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="the master key cannot be read or made"):
        master_key(Settings(data_dir=tmp_path / "file" / "books"))
