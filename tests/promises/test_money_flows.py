"""The pages of the money flows are what really running them gives, and every kind of posting has one."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from drachm.domain.ledger.model import CHART, EntryKind

FLOWS = Path(__file__).parents[2] / "docs" / "money-flows"


def load() -> dict[str, Any]:
    sys.path.insert(0, str(FLOWS))
    try:
        return runpy.run_path(str(FLOWS / "make.py"))
    finally:
        sys.path.remove(str(FLOWS))


MAKE = load()


@pytest.mark.parametrize("story", MAKE["STORIES"], ids=lambda story: story.name)
def test_a_page_is_the_output_of_its_story(story: Any) -> None:
    """When this fails: PYTHONPATH=src python docs/money-flows/make.py, and read what changed."""
    assert MAKE["page"](story) == (FLOWS / f"{story.name}.md").read_text("utf-8")


@pytest.mark.parametrize("story", MAKE["STORIES"], ids=lambda story: story.name)
def test_the_books_of_a_page_are_in_balance(story: Any) -> None:
    assert "books: in balance" in MAKE["page"](story)


def test_every_page_has_a_story_and_is_listed() -> None:
    stories = [f"{story.name}.md" for story in MAKE["STORIES"]]
    assert sorted(path.name for path in FLOWS.glob("*.md")) == sorted([*stories, "README.md"])
    listed = re.findall(r"^\| \[.*?\]\((.+?)\) \|", (FLOWS / "README.md").read_text("utf-8"), re.MULTILINE)
    assert listed == stories


def test_every_kind_of_posting_and_every_account_is_shown() -> None:
    text = "\n".join((FLOWS / f"{story.name}.md").read_text("utf-8") for story in MAKE["STORIES"])
    assert {kind.name for kind in EntryKind} - {"NOTE"} == set(re.findall(r"Position \d+, `(\w+)`", text))
    assert CHART.keys() == set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
