"""Patients read plain words: grade 6 of Kincaid's formula, over everything that their pages, slips and messages say.

0.39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid, Fishburne, Rogers and Chissom, 1975). Syllables are
groups of vowels, without an unspoken end; a value in a text counts as one word of one syllable.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_messages import loaded

STAFF = ("desk", "engine", "office", "operator", "refusals")
"""Areas whose readers are staff."""
GRADE = 6
SHORT = 8
"""Fewer words say too little for a formula: 'Counted for your family together.' is grade 10 by it."""


class Size(NamedTuple):
    words: int
    sentences: int
    syllables: int

    @property
    def grade(self) -> float:
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59


def syllables(word: str) -> int:
    word = re.sub(r"[^a-z]", "", word.lower())
    unspoken = (
        (word.endswith("e") and not word.endswith(("le", "ee")))
        or (word.endswith("ed") and not word.endswith(("ted", "ded")))
        or (word.endswith("es") and not re.search(r"(s|x|z|ch|sh|c|g)es$", word))
    )
    return max(1, len(re.findall(r"[aeiouy]+", word)) - unspoken)


def size_of(text: str) -> Size:
    plain = re.sub(r"%\(\w+\)s|\{\w+\}", "five", re.sub(r"<[^>]+>", "", text))
    sentences = [one for one in re.split(r"[.!?:]+(?:\s|$)", plain) if re.search(r"\w", one)]
    words = re.findall(r"[A-Za-z’']+", plain)
    return Size(len(words), max(1, len(sentences)), sum(map(syllables, words)))


@pytest.fixture(scope="module")
def texts() -> list[Any]:
    return [text for text in loaded().texts().values() if text.area not in STAFF]


def test_syllables_are_counted_as_they_are_spoken() -> None:
    words = ("pay", "paid", "refused", "deductible", "table", "changes", "waited", "insurance")
    assert [syllables(word) for word in words] == [1, 1, 2, 4, 2, 2, 2, 3]
    assert size_of("Pay {amount} now. Nothing more.") == Size(5, 2, 6)


def test_everything_together_and_every_page_is_plain(texts: list[Any]) -> None:
    areas: dict[str, list[Size]] = {}
    for text in texts:
        size = size_of(text.one)
        if size.words > 3:
            areas.setdefault(text.area, []).append(size)
    assert len(areas) > 15
    grades = {area: Size(*map(sum, zip(*sizes, strict=True))).grade for area, sizes in areas.items()}
    assert {area: round(grade, 1) for area, grade in grades.items() if grade > GRADE} == {}


def test_no_single_text_is_hard(texts: list[Any]) -> None:
    sizes = {text.one: size_of(text.one) for text in texts}
    hard = {one: round(size.grade, 1) for one, size in sizes.items() if size.words >= SHORT and size.grade > GRADE + 1}
    assert hard == {}
