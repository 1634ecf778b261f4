"""Are these two descriptions of one person?

A deterministic score over what a desk knows: names, birth date, sex, identifiers. Names are compared without case,
marks and punctuation (Unicode NFKC, case folding, combining marks removed); a slip of one character, a transposition,
an initial and day and month in the wrong order still count for something. Weights follow the order of discriminating
power of Fellegi and Sunter's record linkage (JASA 64, 1969): an identifier says most, sex says little.

Wrongly joined records hurt more than missed ones: who gives too little finds nobody, and so does who fits two.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple

Grade = Literal["equal", "close", "different"]

MATCH: Final = 72
"""From here on two descriptions are one person's."""
LIKELY: Final = 55
"""From here on a person should look before a second record is made."""

_POINTS: Final[Mapping[str, Mapping[Grade, int]]] = {
    "identifier": {"equal": 60, "different": -40},
    "birth_date": {"equal": 30, "close": 12, "different": -40},
    "family_name": {"equal": 25, "close": 17, "different": -15},
    "given_name": {"equal": 20, "close": 12, "different": -30},
    "sex": {"equal": 3, "different": -15},
}
_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})
_WORDS: Final = re.compile(r"[^\W_]+")
_TYPO_LENGTH: Final = 4
"""A name shorter than this has no room for a slip: Li and Lu are two names."""


@dataclass(frozen=True, slots=True)
class Described:
    """What is known, or said, of a person."""

    family: str = ""
    given: str = ""
    birth_date: date | None = None
    sex: str = ""
    identifiers: frozenset[tuple[str, str]] = frozenset()
    """(system, value): a national number, a card, a hospital's own number."""


class Likeness(NamedTuple):
    """How much speaks for one person."""

    score: int
    evidence: Mapping[str, Grade]
    """What was known of both, and how alike it is."""


class Found(NamedTuple):
    """The answer to "who is this?"."""

    outcome: Literal["found", "nobody", "several", "too_little"]
    id: str = ""
    likeness: Likeness | None = None


def name_words(name: str) -> tuple[str, ...]:
    """A name as compared: its words without case, marks and punctuation.

    >>> name_words("Ó Súilleabháin-STRAẞE")
    ('o', 'suilleabhain', 'strasse')
    """
    text = unicodedata.normalize("NFKC", name).casefold().translate(_LETTERS)
    plain = "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))
    return tuple(_WORDS.findall(unicodedata.normalize("NFKC", plain).replace("'", "").replace("’", "")))


def number_key(value: str) -> str:
    """An identifier as compared: letters and digits only."""
    return "".join(_WORDS.findall(unicodedata.normalize("NFKC", value).casefold()))


def enough(one: Described) -> bool:
    """Whether there is enough to tell one person from others: an identifier with a name or birth date, or both names
    with the birth date."""
    family, given = name_words(one.family), name_words(one.given)
    if _keys(one.identifiers):
        return bool(family or one.birth_date)
    return bool(family and given and one.birth_date)


def blocking_terms(one: Described) -> frozenset[str]:
    """Words under which a person is kept, so that whoever may be the same shares one of them."""
    terms = {f"id={system}|{key}" for system, key in _keys(one.identifiers)}
    if one.birth_date is not None:
        terms.add(f"born={one.birth_date.isoformat()}")
    family, given = name_words(one.family), name_words(one.given)
    if family and given:
        terms.add(f"name={''.join(family)}|{given[0][0]}")
    return frozenset(terms)


def said_terms(text: str) -> list[tuple[str, str]]:
    """(blocking term, first letters of the given name) for every way to read a name that somebody typed: given name
    first or last, or the family name alone. Of names in letters without small initials the family name alone finds
    nobody.

    >>> said_terms("Ana Cruz")
    [('name=cruz|a', 'ana'), ('name=ana|c', 'cruz')]
    """
    words = name_words(text)
    if len(words) == 1:
        return [(f"name={words[0]}|{letter}", "") for letter in string.ascii_lowercase]
    ways = [("".join(words[at:]), words[:at]) for at in range(1, len(words))]
    ways += [("".join(words[:at]), words[at:]) for at in range(1, len(words))]
    return [(f"name={family}|{given[0][0]}", given[0]) for family, given in ways]


def likeness(one: Described, other: Described) -> Likeness:
    """How much speaks for the two being one person; symmetric.

    Names given in the wrong order are tried too, and count a little less.
    """
    evidence: dict[str, Grade] = {}
    _note(evidence, "identifier", _identifiers(one.identifiers, other.identifiers))
    _note(evidence, "birth_date", _dates(one.birth_date, other.birth_date))
    _note(evidence, "sex", _sexes(one.sex, other.sex))
    family, given = _families(one.family, other.family), _givens(one.given, other.given)
    points = _sum({"family_name": family, "given_name": given})
    crossed = _families(one.family, other.given), _families(one.given, other.family)
    if crossed == ("equal", "equal") and points < _sum({"family_name": "close", "given_name": "close"}):
        family = given = "close"
    _note(evidence, "family_name", family)
    _note(evidence, "given_name", given)
    return Likeness(_sum(evidence), dict(sorted(evidence.items())))


def find_one(wanted: Described, people: Iterable[tuple[str, Described]]) -> Found:
    """The one person who fits. Too little to go on finds nobody, and so does a description that fits several."""
    if not enough(wanted):
        return Found("too_little")
    fits: dict[str, Likeness] = {}
    for id_, person in people:
        alike = likeness(wanted, person)
        if alike.score >= MATCH and alike.score > (fits[id_].score if id_ in fits else 0):
            fits[id_] = alike
    if len(fits) != 1:
        return Found("several" if fits else "nobody")
    ((id_, alike),) = fits.items()
    return Found("found", id_, alike)


def _note(evidence: dict[str, Grade], what: str, grade: Grade | None) -> None:
    if grade is not None:
        evidence[what] = grade


def _sum(evidence: Mapping[str, Grade | None]) -> int:
    return sum(_POINTS[what].get(grade, 0) for what, grade in evidence.items() if grade is not None)


def _identifiers(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> Grade | None:
    left, right = _keys(one), _keys(other)
    if left & right:
        return "equal"
    return "different" if {system for system, _ in left} & {system for system, _ in right} else None


def _keys(identifiers: frozenset[tuple[str, str]]) -> set[tuple[str, str]]:
    """As compared; a number of signs alone says nothing."""
    return {(system, key) for system, value in identifiers if (key := number_key(value))}


def _dates(one: date | None, other: date | None) -> Grade | None:
    if one is None or other is None:
        return None
    if one == other:
        return "equal"
    swapped = (one.year, one.month, one.day) == (other.year, other.day, other.month)
    return "close" if swapped or one_slip(one.isoformat(), other.isoformat()) else "different"


def _sexes(one: str, other: str) -> Grade | None:
    told = {"female", "male"}
    if one not in told or other not in told:
        return None
    return "equal" if one == other else "different"


def _families(one: str, other: str) -> Grade | None:
    left, right = name_words(one), name_words(other)
    if not left or not right:
        return None
    if "".join(left) == "".join(right) or sorted(left) == sorted(right):
        return "equal"
    # One of two surnames; the particle "de" or "van" alone would say nothing.
    shared = {word for word in set(left) & set(right) if len(word) >= _TYPO_LENGTH}
    return "close" if shared or _slip("".join(left), "".join(right)) else "different"


def _givens(one: str, other: str) -> Grade | None:
    left, right = name_words(one), name_words(other)
    if not left or not right:
        return None
    if left[0] == right[0] or "".join(left) == "".join(right):
        return "equal"
    initial = min(len(left[0]), len(right[0])) == 1 and left[0][0] == right[0][0]
    return "close" if initial or set(left) & set(right) or _slip(left[0], right[0]) else "different"


def _slip(one: str, other: str) -> bool:
    return min(len(one), len(other)) >= _TYPO_LENGTH and one_slip(one, other)


def one_slip(one: str, other: str) -> bool:
    """Whether one character more, less or other, or two neighbours exchanged, turns one text into the other.

    >>> one_slip("martin", "matrin"), one_slip("martin", "marin"), one_slip("martin", "mardon")
    (True, True, False)
    """
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    at = next((place for place, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
    if len(long) - len(short) == 1:
        return short[at:] == long[at + 1 :]
    if len(long) != len(short):
        return False
    if short[at + 1 :] == long[at + 1 :]:
        return True
    return short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
