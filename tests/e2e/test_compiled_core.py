"""The compiled core is the same core: same stories, same leaves, byte by byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LEAVES = """
import sys
from itertools import count
from datetime import UTC, datetime, timedelta
from hashlib import shake_256
from pathlib import Path
from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.bench.load import Load
from drachm.bench.settle import settle
from drachm.bench.world import make_world
from drachm.domain.clearing import clear
from drachm.storage.memory import MemoryBooks

class Fixed:
    def __init__(self): self.n = count(1)
    def now(self): return datetime(2025, 6, 1, tzinfo=UTC) + timedelta(seconds=next(self.n))
    def random_bytes(self, length): return shake_256(next(self.n).to_bytes(8, "big")).digest(length)

fixed = Fixed()
desk = Desk(MemoryBooks(1, ids=fixed), fixed, fixed)
world = make_world(3, 300, samples=Path("samples"), shared=None)
settle(world, desk, lambda words: None)
events = Load(world).events(3_000)
for first in range(0, len(events), 250):
    for outcome in clear_events(events[first:first + 250], desk):
        print(outcome.status, outcome.reason, outcome.leaf.hex())
print("compiled" if clear.__file__.endswith(".so") else "as it is", file=sys.stderr)
"""

STORIES = """
import sys
import pytest
from drachm.domain.clearing import clear
assert clear.__file__.endswith(".so")  # imported before pytest puts the sources first
chosen = ["tests/e2e/test_corrections.py", "tests/e2e/test_one_visit.py", "tests/e2e/test_audit.py"]
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *chosen]))
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of a freshly compiled tree."""
    if shutil.which("cc") is None:
        if os.environ.get("CI"):
            pytest.fail("NOT RUN: CI needs a C compiler for the compiled core")
        pytest.skip("NOT RUN: no C compiler")
    pytest.importorskip("setuptools", reason="NOT RUN: requirements/build.txt is not installed")
    tree = tmp_path_factory.mktemp("compiled") / "tree"
    tool = ROOT / "tools" / "compile_core.py"
    made = subprocess.run([sys.executable, str(tool), str(tree)], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
    return tree / "src"


def run(sources: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(sources)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", LEAVES], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done


def test_every_leaf_is_the_same(compiled: Path) -> None:
    ours, plain = run(compiled), run(ROOT / "src")
    assert ours.stderr.strip() == "compiled"
    assert plain.stderr.strip() == "as it is"
    assert len(ours.stdout.splitlines()) == 3_000
    assert {line.split()[0] for line in ours.stdout.splitlines()} >= {"posted", "denied", "pended", "refused"}
    assert ours.stdout == plain.stdout


def test_the_stories_of_the_books_run_on_it(compiled: Path) -> None:
    """Those that replace no function of the sources."""
    environment = {**os.environ, "PYTHONPATH": str(compiled)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", STORIES], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
