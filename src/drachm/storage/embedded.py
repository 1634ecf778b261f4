"""How does PostgreSQL run beside the program, with nothing to install or administer?

`EmbeddedServer` starts the server that the wheel carries, shares it between the processes of one user, and stops it
with the last of them. Two lock files beside the server's folder decide who does what:

* `pg18.mutex`, held exclusively while one process starts or stops the server;
* `pg18.use`, held shared by every process that uses it. The kernel lets go of it when a process dies, however it dies,
  so "nobody uses it" is a fact and not a count that can go wrong.

The server listens on a socket in a closed folder only. Commits are durable and pages carry checksums.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from drachm.domain.errors import Unavailable
from drachm.storage.embedded_home import Home, make_data_dir, make_home
from drachm.storage.postmaster import ensure_running, socket_folder, stop

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # A new file of the log is not filled with zeros first: everybody waited a tenth of a second for that, every 16 MB.
    # A commit is as durable; it makes the blocks that it writes durable, too.
    "wal_init_zero": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Rows of a failing statement stay out of the log.
    "log_error_verbosity": "terse",
}
"""What every embedded server runs with; a caller may add settings or override these (a measurement, a test)."""


class EmbeddedServer:
    """One PostgreSQL server of `major` under `data_dir`, shared by all processes that name the same folder.

    `start_seconds` bounds the wait for a server that lives but does not answer yet: crash recovery of a large ledger
    takes minutes. `settings` count for whoever starts the server; who joins it takes it as it is. Use it as a context
    manager, or call `release` when done (at exit it is called for you).
    """

    def __init__(
        self,
        data_dir: Path,
        major: int = 18,
        *,
        start_seconds: float = 600.0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = Path(data_dir).expanduser().absolute()
        self.major = major
        self._start_seconds = start_seconds
        self._settings = {**SETTINGS, **(settings or {})}
        self._home: Home | None = None
        self._use: int | None = None
        self._process_id = os.getpid()

    def start(self) -> str:
        """Start or join the server; the URL of its maintenance database. Again after a crash: it is started again.

        Raises Unavailable when the folder cannot be used or the server does not come up, with the server's own words.
        """
        try:
            make_data_dir(self.data_dir)
            with self._mutex():
                self._home = make_home(self.data_dir, self.major)
                if self._use is None:
                    self._use = self._open_lock("use")
                    fcntl.flock(self._use, fcntl.LOCK_SH)
                    atexit.register(self.release)
                ensure_running(self._home, self._settings, time.monotonic() + self._start_seconds)
        except OSError as error:
            self.release()
            raise Unavailable(
                f"the data folder cannot be used: {error.strerror or error}",
                where=str(error.filename or self.data_dir),
                next_step="Set DRACHM_DATA_DIR to a folder this user may write, with free space.",
            ) from error
        except Unavailable:
            self.release()
            raise
        return self.url("postgres")

    def url(self, database: str) -> str:
        """The libpq URL of one database of the started server; its user may do everything in it."""
        if self._home is None:
            raise Unavailable("the embedded server was not started", next_step="Call start() first.")
        # The port is named so that a PGPORT of the environment cannot send us elsewhere.
        host = quote(str(socket_folder(self._home)), safe="")
        return f"postgresql://postgres@/{quote(database, safe='')}?host={host}&port=5432"

    def release(self) -> None:
        """Stop using the server; the last of all processes stops it. Safe to call twice."""
        if self._use is None:
            return
        use, self._use = self._use, None
        atexit.unregister(self.release)
        if os.getpid() != self._process_id:
            os.close(use)  # a forked child: its parent goes on using the server
            return
        try:
            with self._mutex():
                os.close(use)
                if self._home and self._unused():
                    stop(self._home)
        except FileNotFoundError:
            os.close(use)  # the data folder was deleted; without it PostgreSQL ends by itself

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _unused(self) -> bool:
        """True when no process holds `use`. Only asked under the mutex, so nobody can join in between."""
        descriptor = self._open_lock("use")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    @contextmanager
    def _mutex(self) -> Iterator[None]:
        descriptor = self._open_lock("mutex")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _open_lock(self, name: str) -> int:
        path = self.data_dir / f"pg{self.major}.{name}"
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return os.open(path, flags)
        owner = self.data_dir.stat()
        if owner.st_uid != os.geteuid():  # root in the folder of an ordinary user, who must be able to lock too
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        return descriptor
