"""The embedded server is shared, stops with its last user, and comes back after every kind of sudden death."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from drachm.domain.errors import InvalidMessage, Unavailable
from drachm.storage import embedded_home
from drachm.storage.embedded import EmbeddedServer

ROOT = os.geteuid() == 0
SOURCES = Path(embedded_home.__file__).parents[2]

# Another process: says which postmaster it found, then uses the server until its standard input ends.
USER_PROCESS = """
import sys
from pathlib import Path
import psycopg
from drachm.storage.embedded import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])) as server, psycopg.connect(server.url("postgres")) as conn:
    print((Path(sys.argv[1]) / "pg18" / "data" / "postmaster.pid").read_text().split()[0], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder like `mktemp -d` gives; pytest's own temporary folders are closed to other accounts."""
    folder = Path(tempfile.mkdtemp(prefix="drachm-embedded-"))
    yield folder
    remove(folder)


@pytest.fixture(scope="module")
def used_dir() -> Iterator[Path]:
    """A data folder with a PostgreSQL 18 that has been started before; each test leaves it stopped."""
    folder = Path(tempfile.mkdtemp(prefix="drachm-embedded-"))
    with EmbeddedServer(folder):
        pass
    yield folder
    remove(folder)


def remove(data_dir: Path) -> None:
    for major in (18, 16):
        shutil.rmtree((data_dir / f"pg{major}").resolve(), ignore_errors=True)
    shutil.rmtree(data_dir)


def ask(server: EmbeddedServer, statement: str) -> object:
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        cursor = conn.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def postmaster_id(data_dir: Path) -> int:
    return int((data_dir / "pg18" / "data" / "postmaster.pid").read_text().split()[0])


def is_running(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def user_process(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER_PROCESS, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )


def said(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def leave(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.parametrize(("major", "version"), [(18, "18.4"), (16, "16.14")])
def test_both_versions_start_durable_private_and_in_utc(data_dir: Path, major: int, version: str) -> None:
    expected = {
        "server_version": version,
        "data_checksums": "on",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
    }
    with EmbeddedServer(data_dir, major) as server:
        found = {name: ask(server, f"SELECT current_setting('{name}')") for name in expected}
        folder = (data_dir / f"pg{major}").resolve()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert found == expected


def test_a_restart_keeps_the_data_and_the_address(used_dir: Path) -> None:
    with EmbeddedServer(used_dir) as server:
        first_url = server.url("postgres")
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedServer(used_dir) as server:
        assert server.url("postgres") == first_url
        assert ask(server, "SELECT answer FROM kept") == 42
        ask(server, "DROP TABLE kept")


def test_racing_processes_share_one_server_and_the_last_stops_it(used_dir: Path) -> None:
    users = [user_process(used_dir) for _ in range(3)]
    found = {said(user) for user in users}
    assert len(found) == 1
    (server_id,) = found
    leave(users[0])
    leave(users[1])
    assert is_running(server_id)
    leave(users[2])
    assert not is_running(server_id)


def test_a_killed_process_does_not_keep_the_server_alive(used_dir: Path) -> None:
    killed, other = user_process(used_dir), user_process(used_dir)
    server_id = said(killed)
    assert said(other) == server_id
    killed.kill()
    killed.communicate()
    assert is_running(server_id)
    leave(other)
    assert not is_running(server_id)


def test_after_kill_9_of_the_only_process_the_next_joins_and_stops_the_server(used_dir: Path) -> None:
    killed = user_process(used_dir)
    server_id = said(killed)
    killed.kill()
    killed.communicate()
    with EmbeddedServer(used_dir):
        assert postmaster_id(used_dir) == server_id
    assert not is_running(server_id)


def test_after_kill_9_of_the_postmaster_the_next_start_has_every_commit(used_dir: Path) -> None:
    with EmbeddedServer(used_dir) as first, EmbeddedServer(used_dir) as second:
        ask(first, "CREATE TABLE committed AS SELECT count(*) AS total FROM generate_series(1, 1000)")
        killed = postmaster_id(used_dir)
        os.kill(killed, signal.SIGKILL)
        second.start()  # at once, while children of the dead postmaster may still run
        assert postmaster_id(used_dir) != killed
        assert ask(first, "SELECT total FROM committed") == 1000
        ask(first, "DROP TABLE committed")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("command", "state"), [(["true"], "Z"), (["sleep", "60"], "S")])
def test_a_pid_file_that_names_a_zombie_or_a_stranger_is_no_server(
    used_dir: Path, command: list[str], state: str
) -> None:
    folder = (used_dir / "pg18").resolve()
    other = subprocess.Popen(command, user=folder.stat().st_uid)
    try:
        wait_for_state(other.pid, state)
        text = f"{other.pid}\n{folder}/data\n1700000000\n5432\n{folder}\n\n  0  0\nready   \n"
        for leftover in ("data/postmaster.pid", ".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (folder / leftover).write_text(text)
            os.chown(folder / leftover, folder.stat().st_uid, folder.stat().st_gid)
        with EmbeddedServer(used_dir) as server:
            assert ask(server, "SELECT 1") == 1
            assert postmaster_id(used_dir) != other.pid
        assert is_running(other.pid) is (state == "S")
    finally:
        other.kill()
        other.wait()


def wait_for_state(process_id: int, state: str) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != state:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_interrupted_first_start_is_repaired(used_dir: Path, data_dir: Path) -> None:
    with EmbeddedServer(data_dir):
        pass
    folder = (data_dir / "pg18").resolve()
    (folder / "data").rename(folder / "data.part")
    (folder / "data.part" / "PG_VERSION").unlink()
    with EmbeddedServer(data_dir) as server:
        assert ask(server, "SELECT 1") == 1
    assert not (folder / "data.part").exists()


def test_a_long_path_with_spaces_and_commas_works(data_dir: Path) -> None:
    deep = data_dir / "a long name, with a comma" / ("deep " * 20).strip()
    with EmbeddedServer(deep) as server:
        socket_folder = Path(str(ask(server, "SHOW unix_socket_directories")))
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        first_url = server.url("postgres")
    with EmbeddedServer(deep) as server:
        assert server.url("postgres") == first_url
    shutil.rmtree((deep / "pg18").resolve())
    if socket_folder.name.startswith("drachm-"):
        shutil.rmtree(socket_folder)


def test_a_forked_child_does_not_stop_its_parents_server(used_dir: Path) -> None:
    script = """
import os, sys
from pathlib import Path
import psycopg
from drachm.storage.embedded import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])) as server:
    if os.fork() == 0:
        sys.exit()  # leaves the with block and runs what is registered for the exit, as a forked worker would
    assert os.wait()[1] == 0
    with psycopg.connect(server.url("postgres")) as conn:
        conn.execute("SELECT 1")
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(used_dir)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )
    assert run.returncode == 0, run.stderr


def test_a_server_that_cannot_start_says_why_and_is_let_go(used_dir: Path) -> None:
    with pytest.raises(Unavailable, match="max_connections") as caught:
        EmbeddedServer(used_dir, settings={"max_connections": "plenty"}).start()
    assert caught.value.where.endswith("server.log")
    with EmbeddedServer(used_dir) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_folder_that_cannot_be_used_is_named(data_dir: Path) -> None:
    (data_dir / "file").touch()
    with pytest.raises(Unavailable, match="the data folder cannot be used") as caught:
        EmbeddedServer(data_dir / "file").start()
    assert caught.value.where == str(data_dir / "file")
    assert "DRACHM_DATA_DIR" in caught.value.next_step


def test_a_version_that_is_not_carried_is_refused(data_dir: Path) -> None:
    with pytest.raises(InvalidMessage, match="DRACHM_PG_MAJOR: no embedded PostgreSQL 15"):
        EmbeddedServer(data_dir, 15).start()


def test_the_address_is_known_only_after_the_start(data_dir: Path) -> None:
    with pytest.raises(Unavailable, match="was not started"):
        EmbeddedServer(data_dir).url("postgres")


@pytest.mark.skipif(not ROOT, reason="only root can run servers as another account")
def test_as_root_nothing_outside_our_folders_changes_hands_or_permissions(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "letter").write_text("not ours")
    watched = [closed, closed / "letter", *closed.parents, Path(sys.prefix), *Path(sys.prefix).parents]
    before = [ownership(path) for path in watched]
    with EmbeddedServer(closed) as server:
        assert ask(server, "SELECT 1") == 1
        assert Path(f"/proc/{postmaster_id(closed)}").stat().st_uid != 0
    after = [ownership(path) for path in watched]
    placed = (closed / "pg18").resolve()
    shutil.rmtree(placed)
    assert placed.is_relative_to(embedded_home.CLUSTERS)
    assert after == before


@pytest.mark.skipif(not ROOT, reason="only root follows links of other users")
def test_as_root_a_planted_link_is_not_followed(data_dir: Path) -> None:
    target = data_dir / "elsewhere"
    target.mkdir()
    (data_dir / "pg18").symlink_to(target)
    with pytest.raises(Unavailable, match="does not follow a link"):
        EmbeddedServer(data_dir).start()
    assert ownership(target)[1:] == (0, 0)


def ownership(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


@pytest.mark.skipif(not ROOT, reason="every other test of this file runs as an ordinary user then")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_an_ordinary_user_runs_the_server_as_themselves(
    used_dir: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sources may sit where that user cannot read, so the child is a fork and takes the readable copy of the wheel.
    binaries = next(embedded_home.SYSTEM_HOME.glob("pg-*-18")) / embedded_home.PACKAGE
    monkeypatch.setattr(embedded_home, "_package_folder", lambda major: binaries)
    nobody = pwd.getpwnam("nobody")
    os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    report = data_dir / "report"
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            with EmbeddedServer(data_dir / "home" / "data") as server:
                ask(server, "SELECT 1")
                report.write_text(str((data_dir / "home" / "data" / "pg18" / "data").stat().st_uid))
            status = 0
        except BaseException:  # noqa: BLE001 - it must reach the parent's report, not pytest's
            report.write_text(traceback.format_exc())
        finally:
            os._exit(status)
    assert (os.waitpid(child, 0)[1], report.read_text()) == (0, str(nobody.pw_uid))


def test_a_folder_of_an_ordinary_user_is_served_as_that_user(data_dir: Path) -> None:
    if not ROOT:
        pytest.skip("only root meets folders of other users")
    nobody = pwd.getpwnam("nobody")
    os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    with EmbeddedServer(data_dir):
        owners = {path.name: path.stat().st_uid for path in data_dir.iterdir()}
    assert owners == dict.fromkeys(("pg18", "pg18.mutex", "pg18.use"), nobody.pw_uid)
