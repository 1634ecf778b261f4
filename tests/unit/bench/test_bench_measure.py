"""Counters: what is read from the system, and how reports of other programs are understood."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from drachm.bench.measure import Probe, Reading, images_in, process_time, server_time
from drachm.bench.pgbench import rate_in
from drachm.bench.server import SETTINGS_FILE, settings_hash, settings_of
from drachm.domain.errors import Unavailable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processor time is read from /proc")

WALDUMP = """\
WAL statistics between 0/17E7A58 and 0/2000000:
Type                                           N      (%)          Record size      (%)             FPI size      (%)
----                                           -      ---          -----------      ---             --------      ---
Heap                                        1234 ( 12.30)                98765 ( 40.00)               654321 ( 99.00)
                                        --------                      --------                      --------
Total                                      10031                        246913 [27.42%]               653500 [72.58%]
"""
PGBENCH = """\
number of transactions actually processed: 41234
latency average = 1.940 ms
initial connection time = 26.094 ms
tps = 4123.286290 (without initial connection time)
"""


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_processor_time_of_a_process_is_what_it_used() -> None:
    before = process_time(os.getpid())
    burn(0.3)
    used = process_time(os.getpid()) - before
    assert 200_000 < used < 900_000


def test_time_of_a_server_counts_living_and_buried_children() -> None:
    """A parent whose children burn: one has ended, one lives."""
    child = "import time\nwhile time.process_time() < 0.3: pass\n"
    parent = (
        "import subprocess, sys, time\n"
        f"subprocess.run([sys.executable, '-c', {child!r}])\n"
        f"alive = subprocess.Popen([sys.executable, '-c', {child + 'time.sleep(30)'!r}])\n"
        "time.sleep(2)\nprint('ready', flush=True)\nsys.stdin.read()\nalive.kill()\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert server_time(process.pid) > 450_000
        process.stdin.close()


def test_a_process_that_is_gone_has_no_time() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert process_time(process.pid) is None
    with pytest.raises(Unavailable):
        server_time(process.pid)


def test_page_images_are_read_from_the_total_of_waldump() -> None:
    assert images_in(WALDUMP) == 653_500
    with pytest.raises(Unavailable):
        images_in("nothing of the kind")


def test_the_rate_is_read_from_a_report_of_pgbench() -> None:
    assert rate_in(PGBENCH) == pytest.approx(4123.28629)
    with pytest.raises(Unavailable):
        rate_in("")


def test_the_committed_settings_keep_commits_durable() -> None:
    settings = settings_of(SETTINGS_FILE.read_text("utf-8"))
    assert {settings[name] for name in ("fsync", "synchronous_commit", "full_page_writes")} == {"on"}
    assert len(settings_hash()) == 64


def test_settings_are_read_as_the_server_reads_them() -> None:
    assert settings_of("a = 1  # why\n\n# b = 2\nc = 'x y'\n") == {"a": "1", "c": "x y"}


def test_growth_is_told_by_table_and_counted_as_the_journals_unless_it_is_known_to_be_others(monkeypatch) -> None:
    """A table that nobody thought of counts as the journal's, so that no cost of an event can hide."""
    probe = Probe(None, "")
    monkeypatch.setattr(probe, "_ask", lambda *_about: [(0,)])
    sizes = {"journal.rows": 100, "journal.indexes": 10, "state.rows": 7, "sheet.overflow": 3, "new.rows": 0}
    grown = {
        "journal.rows": 160,
        "journal.indexes": 15,
        "state.rows": 9,
        "sheet.overflow": 4,
        "new.rows": 6,
        "total.rows": 8,
    }
    before, after = (Reading(0, {}, 0, "0/0", tables, 0) for tables in (sizes, grown))
    cost = probe.cost(before, after)
    assert cost.disk == 60 + 5 + 6
    assert cost.disk_other == 2 + 1 + 8
    assert sum(cost.tables.values()) == cost.disk + cost.disk_other
