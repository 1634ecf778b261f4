"""`drachm serve` as a process of its own, for tests that kill it, restart it and read what it wrote."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 300.0


@dataclass
class ServiceProcess:
    """A running service."""

    process: subprocess.Popen[bytes]
    base_url: str
    first_key: str
    output: Path
    """Everything that its processes wrote to standard output and standard error."""

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return self._children("transport.server")

    @property
    def beside(self) -> list[int]:
        """Process ids of what runs beside the workers."""
        return self._children("transport.beside")

    def _children(self, name: str) -> list[int]:
        found = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            check=False,
            text=True,
        ).stdout
        return [int(line.split()[0]) for line in found.splitlines() if name in line]

    def hang_up(self) -> None:
        """Ask for fresh workers and wait until every one is another."""
        before = set(self.workers)
        self.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            now = set(self.workers)
            if len(now) == len(before) and not now & before:
                return
            time.sleep(0.1)
        raise AssertionError(f"workers {before & set(self.workers)} were not replaced")


@contextmanager
def service_process(database_url: str, folder: Path, *, workers: int = 1, **settings: str) -> Iterator[ServiceProcess]:
    """Start it, wait until it says where it listens, end it with SIGTERM; a bad farewell is an error."""
    output = folder / "output"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DRACHM_")}
    environ |= {"DRACHM_DATABASE_URL": database_url, "DRACHM_DATA_DIR": str(folder), **settings}
    command = [sys.executable, "-P", "-m", "drachm", "serve", "--port", "0", "--workers", str(workers)]
    environ["PYTHONPATH"] = str(Path(__file__).parents[2] / "src")
    with output.open("wb") as file:
        process = subprocess.Popen(command, env=environ, stdout=file, stderr=subprocess.STDOUT)
    try:
        yield _started(process, output)
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_SECONDS) == 0, output.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _started(process: subprocess.Popen[bytes], output: Path) -> ServiceProcess:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        text = output.read_text()
        if "The end: Ctrl-C" in text:
            where = re.search(r"listens on (\S+) \(", text)
            key = re.search(r"shown this once: (\S+)", text)
            assert where is not None
            return ServiceProcess(process, where.group(1), key.group(1) if key else "", output)
        time.sleep(0.05)
    raise AssertionError(f"the service did not start: {output.read_text()}")


def at_once(jobs: list[threading.Thread]) -> None:
    """Run threads together and wait for them."""
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
