"""Whoever follows the tutorial sees what it shows; what the README cuts from the demo is in the demo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from drachm.application.desk import Desk
from drachm.bootstrap import Place, SystemClock, SystemIds
from drachm.cli import books, demo, replay
from drachm.cli.app import app
from drachm.storage.memory import MemoryBooks

REPOSITORY = Path(__file__).parents[2]
TUTORIAL = (REPOSITORY / "docs" / "tutorial" / "first-event.md").read_text("utf-8")
README = (REPOSITORY / "README.md").read_text("utf-8")

# What differs from run to run: speeds, and hashes that hold a random salt or the time.
CHANGING = ((r"[\d,]+ (events|rows) per second", r"N \1 per second"), (r"leaf [0-9a-f]{16}", "leaf H"))


def steady(output: str) -> list[str]:
    for pattern, instead in CHANGING:
        output = re.sub(pattern, instead, output)
    return [line.rstrip() for line in output.strip().splitlines()]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command line as typed; one tenant's books in memory stand in for the database."""
    desk = Desk(MemoryBooks(1, ids=SystemIds()), SystemClock(), SystemIds())

    @contextmanager
    def open_place(*_: object, **__: object) -> Iterator[Place]:
        yield Place(desk, embedded=True)

    for command in (books, demo, replay):
        monkeypatch.setattr(command, "open_place", open_place)

    def typed(line: str) -> str:
        answer = CliRunner().invoke(app, line.split()[1:], env={"COLUMNS": "100", "TERM": "dumb"})
        assert answer.exit_code == 0, answer.output
        return answer.output

    return typed


def test_following_the_tutorial_gives_its_outputs(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When this fails because an output changed: run the tutorial's commands and store what they print."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samples").symlink_to(REPOSITORY / "samples")
    files = re.findall(r"Save this as `([\w.-]+)`:\n\n```json\n(.*?)```", TUTORIAL, re.DOTALL)
    assert len(files) == 2
    for name, content in files:
        (tmp_path / name).write_text(content)
    commands = re.findall(r"```console\n\$ (\./drachm [^\n]+)\n(.*?)```", TUTORIAL, re.DOTALL)
    assert [command.split()[1] for command, _ in commands] == ["adjudicate", "replay", "explain", "audit"]
    for command, shown in commands:
        assert steady(run(command)) == steady(shown), command


def test_what_the_tutorial_says_about_a_second_replay_is_true(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    run("./drachm replay samples/synthea/fhir-2019")
    assert "Nothing new" in run("./drachm replay samples/synthea/fhir-2019")
    assert "us-medicare pays" in run("./drachm explain rcp_143")


def test_the_readme_shows_lines_of_the_demo(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order; three dots stand for what was cut."""
    monkeypatch.setattr(demo.time, "sleep", lambda _seconds: None)
    printed = steady(run("./drachm demo --exit"))
    (excerpt,) = re.findall(r"Cut from a real run:\n\n```text\n(.*?)```", README, re.DOTALL)
    parts = [steady(part) for part in re.split(r"^\.\.\.$", excerpt, flags=re.MULTILINE)]
    assert sum(len(part) for part in parts) > 15
    places = count()
    start = 0
    for part in parts:
        found = [at for at in range(start, len(printed)) if printed[at : at + len(part)] == part]
        assert found, f"part {next(places)} of the excerpt is not in the demo: {part}"
        start = found[0] + len(part)
