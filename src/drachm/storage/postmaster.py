"""How does one PostgreSQL server come up, answer and go, whatever became of the one before it?

Every function takes the server's `Home` and expects the caller to hold the server's mutex (see `embedded`).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from drachm.domain.errors import Unavailable
from drachm.storage.embedded_home import LOCALE, Home

SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 100
"""The kernel's limit is 107 bytes on Linux and 103 on macOS; beyond ours the socket moves to a short folder."""

LOG_BYTES_MAX = 10_000_000
STOP_SECONDS_MAX = 120.0

READY, STARTING = 0, 1
"""Answers of pg_isready; anything else means that nobody listens."""


def ensure_running(home: Home, settings: Mapping[str, str], deadline: float) -> None:
    """Join the running server or start it; returns when it accepts connections."""
    if not (home.data / "PG_VERSION").exists():
        _create_cluster(home)
    if _answer(home) in (READY, STARTING) and _wait_until_ready(home, None, deadline):
        return
    process_id = _postmaster(home)
    if process_id and _lost_socket(home):
        stop(home)
    elif process_id and _wait_until_ready(home, process_id, deadline):
        return
    log = home.folder / "server.log"
    while True:
        _remove_leftovers(home)
        seen = log.stat().st_size if log.exists() else 0
        if _wait_until_ready(home, _launch(home, log, settings), deadline):
            return
        said = log.read_bytes()[seen:].decode(errors="replace") if log.exists() else ""
        # After kill -9 of the postmaster its children live until they notice; PostgreSQL waits for them, and so do we.
        if "pre-existing shared memory block" not in said or time.monotonic() > deadline:
            raise _not_started(log, said)
        time.sleep(0.2)


def _create_cluster(home: Home) -> None:
    part = home.folder / "data.part"
    shutil.rmtree(part, ignore_errors=True)  # of an interrupted first start
    options = ["--username=postgres", "--auth-local=trust", "--auth-host=reject", "--data-checksums", "--encoding=UTF8"]
    made = home.run([home.binaries / "initdb", "-D", part, *options, f"--locale={LOCALE}", "--no-instructions"])
    if made.returncode != 0:
        raise _not_started(home.folder, made.stderr.decode(errors="replace"))
    part.rename(home.data)


def _launch(home: Home, log: Path, settings: Mapping[str, str]) -> int:
    """Start the postmaster in a session of its own; its process id."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.old"))
    options = [f"-cunix_socket_directories={socket_folder(home)}"]
    options += [f"-c{name}={value}" for name, value in settings.items()]
    # Through a shell that ends at once: the system adopts the server, so no user of it is left with a zombie.
    script = '"$@" </dev/null >>"$0" 2>&1 & echo $!'
    server: list[str | Path] = [home.binaries / "postgres", "-D", home.data, *options]
    return int(home.run(["/bin/sh", "-c", script, log, *server], new_session=True).stdout)


def _wait_until_ready(home: Home, process_id: int | None, deadline: float) -> bool:
    """True when the server accepts connections, False when it is gone; without an id, ask the socket only."""
    pause = 0.01
    while True:
        answer = _answer(home)
        if answer == READY:
            return True
        if not (_is_alive(process_id) if process_id else answer == STARTING):
            return False
        if time.monotonic() > deadline:
            raise Unavailable(
                "PostgreSQL is alive but does not accept connections yet (a crash recovery can take long)",
                where=str(home.folder / "server.log"),
                next_step="Wait and try again, or set DRACHM_PG_START_SECONDS higher.",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


def _answer(home: Home) -> int:
    """What pg_isready says. pg_ctl status would take a dead or dying server for a running one."""
    folder = socket_folder(home)
    if not (folder / SOCKET).exists():
        return 2
    return home.run([home.binaries / "pg_isready", "-h", folder, "-p", "5432", "-U", "postgres", "-t", "5"]).returncode


def stop(home: Home) -> None:
    """Fast shutdown; returns when the server is gone, or leaves it to finish by itself."""
    process_id = _postmaster(home)
    if process_id is None:
        return
    with suppress(ProcessLookupError):
        os.kill(process_id, signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while _is_alive(process_id) and time.monotonic() < deadline:
        time.sleep(0.01)


def _postmaster(home: Home) -> int | None:
    """The process id of the living postmaster of this folder; None when it is dead, a zombie or another program."""
    try:
        process_id = int((home.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return process_id if str(home.data) in (_command(process_id) or "") else None


def _lost_socket(home: Home) -> bool:
    """True when the server is up but its socket was deleted (a cleaner of /tmp): nobody can join it any more."""
    with suppress(FileNotFoundError):
        up = (home.data / "postmaster.pid").read_text().rstrip().endswith("ready")
        return up and not (socket_folder(home) / SOCKET).exists()
    return False


def _is_alive(process_id: int) -> bool:
    return _command(process_id) is not None


def _command(process_id: int) -> str | None:
    """The command line of a process, empty in its last moments; None when it is gone or a zombie."""
    if sys.platform != "linux":
        shown = subprocess.run(
            ["ps", "-ww", "-o", "stat=,command=", "-p", str(process_id)], capture_output=True, check=False
        )
        text = shown.stdout.decode(errors="replace").strip()
        return None if text.startswith("Z") or not text else text
    try:
        # The state follows the name, which may itself hold spaces and brackets.
        state = Path(f"/proc/{process_id}/stat").read_bytes().rpartition(b")")[2].split()[0]
        return None if state in (b"Z", b"X") else os.fsdecode(Path(f"/proc/{process_id}/cmdline").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return None


def _remove_leftovers(home: Home) -> None:
    """Remove what a killed postmaster left; PostgreSQL would not while its process id is a zombie's or a stranger's."""
    socket = socket_folder(home) / SOCKET
    for leftover in (home.data / "postmaster.pid", socket, socket.with_name(SOCKET + ".lock")):
        leftover.unlink(missing_ok=True)


def socket_folder(home: Home) -> Path:
    """The server's own folder, or a short one of its own when that path is too long or libpq would split it."""
    if len(os.fsencode(home.folder / SOCKET)) <= SOCKET_PATH_BYTES_MAX and "," not in str(home.folder):
        return home.folder
    note = home.folder / "socket-folder"
    if note.exists() and Path(note.read_text()).is_dir():
        return Path(note.read_text())
    # Closed to others (0700) and with a name nobody can take first; noted, because all processes must agree.
    folder = Path(tempfile.mkdtemp(prefix="drachm-", dir="/tmp"))
    if home.account:
        os.chown(folder, home.account.user_id, home.account.group_id)
    note.unlink(missing_ok=True)
    with note.open("x") as file:
        file.write(str(folder))
    return folder


def _not_started(where: Path, said: str) -> Unavailable:
    lines = [line for line in said.splitlines() if line.strip()]
    return Unavailable(
        f"PostgreSQL did not start: {' / '.join(lines[-4:]) or 'it said nothing'}",
        where=str(where),
        next_step="Correct what it names, or set DRACHM_DATABASE_URL to a server of your own.",
    )
