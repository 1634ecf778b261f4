"""Whoever follows the tutorial or the how-to page sees what they show: their blocks, in order, on a real server."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial" / "first-receipt.md").read_text("utf-8")
HOWTO = (ROOT / "docs" / "how-to" / "integrate-an-ehr.md").read_text("utf-8")
TOOLS = ("bash", "curl", "pkill", "seq", "sed")
MARK = "@@ block {number} ended with {status}"


class Block(NamedTuple):
    """What the reader types, and what the page says comes back; empty: nothing is said."""

    typed: str
    shown: str


def blocks(page: str) -> list[Block]:
    fences = re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL)
    found = []
    for (kind, typed), following in zip(fences, [*fences[1:], ("", "")], strict=True):
        if kind == "sh":
            found.append(Block(typed, following[1] if following[0] in ("json", "text") else ""))
    return found


def fits(shown: str, came: str) -> bool:
    """Three dots stand for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("..."))
    return re.fullmatch(pattern, came.strip(), re.DOTALL) is not None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a reader's clone has, as far as the page uses it."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        why = f"NOT RUN: the tutorial needs {', '.join(missing)}"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    clone = tmp_path / "clone"
    (tmp_path / "tmp").mkdir()
    clone.mkdir()
    (clone / "samples").symlink_to(ROOT / "samples")
    program = clone / "drachm"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}/src" exec "{sys.executable}" -P -m drachm "$@"\n')
    program.chmod(0o755)
    return clone


@pytest.fixture
def port() -> str:
    """A port that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def test_the_pages_have_their_steps() -> None:
    tutorial, howto = blocks(TUTORIAL), blocks(HOWTO)
    assert (len(tutorial), sum(1 for block in tutorial if block.shown)) == (9, 7)
    assert (len(howto), sum(1 for block in howto if block.shown)) == (7, 6)
    assert not fits("a ... c", "a b")
    assert fits("a ... c", "a b c")


@pytest.mark.parametrize("page", ["tutorial", "how-to"])
def test_following_a_page_gives_what_it_shows(folder: Path, port: str, page: str) -> None:
    tutorial = blocks(TUTORIAL)
    # The how-to page begins where the tutorial's second step ends, and leaves the sandbox to it.
    end = Block('kill $SERVER\nwait $SERVER\nrm -r "$DRACHM_DATA_DIR" *.txt *.log', "")
    steps = tutorial if page == "tutorial" else [*tutorial[:2], *blocks(HOWTO), end]
    script = "\n".join(
        f'{step.typed}\necho; echo "{MARK.format(number=number, status="$?")}"' for number, step in enumerate(steps)
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DRACHM_")}
    done = subprocess.run(
        # Another port, since 8000 may be taken here; else the page as it stands, in one shell.
        ["bash", "-c", script.replace(":8000", f":{port}").replace("--port 8000", f"--port {port}")],
        cwd=folder,
        env=environment | {"NO_COLOR": "1", "TMPDIR": str(folder.parent / "tmp")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    came = re.split(r"\n@@ block \d+ ended with (\d+)\n", done.stdout)
    outputs, statuses = came[0::2][:-1], came[1::2]
    told = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert len(outputs) == len(steps), told
    for step, output, status in zip(steps, outputs, statuses, strict=True):
        shown = step.shown.replace(":8000", f":{port}")
        assert fits(shown, output) if shown else True, f"{step.typed}\n-> {output}\n{told}"
        # The step with the kill ends with the status of what was killed.
        assert status == "0" or "kill" in step.typed, f"{step.typed}\n-> {status}\n{told}"
    assert sorted(path.name for path in folder.iterdir()) == ["drachm", "samples"]
