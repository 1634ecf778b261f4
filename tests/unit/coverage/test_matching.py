"""One person or two? Names as people write them, and slips as people make them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.coverage.matching import (
    LIKELY,
    MATCH,
    Described,
    blocking_terms,
    enough,
    find_one,
    likeness,
    name_words,
    one_slip,
)

ANA = Described("García Márquez", "Ana María", date(1990, 5, 1), "female", frozenset({("ssn", "900-12-3456")}))
BARE = replace(ANA, identifiers=frozenset())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GARCÍA", "garcia"),
        ("Garci\u0301a", "García"),
        ("Müller", "MULLER"),
        ("Strauß", "STRAUSS"),
        ("O'Brien", "O’BRIEN"),
        ("Smith-Jones", "Smith Jones"),
        ("Ｗａｎｇ", "wang"),
        ("Łukasz", "lukasz"),
        ("ﬁnn", "Finn"),
        ("  de  la  Cruz ", "De La Cruz"),
        ("Ἀχιλλεύς", "αχιλλευσ"),
    ],
)
def test_names_are_compared_as_people_read_them(one: str, other: str) -> None:
    assert name_words(one) == name_words(other) != ()


def test_other_scripts_keep_their_letters() -> None:
    assert name_words("王小明") == ("王小明",)
    assert name_words("Ольга") != name_words("Олег")
    assert name_words("!?- ") == ()


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (BARE, "match"),
        (replace(BARE, family="garcia marquez", given="ANA"), "match"),
        (replace(BARE, given="A."), "likely"),
        (replace(BARE, family="Garcia"), "likely"),
        (replace(BARE, family="Garcia Marqez"), "likely"),
        (replace(BARE, identifiers=frozenset({("ssn", "900 12 3456")}), family="Garcia", birth_date=None), "match"),
        (replace(BARE, birth_date=date(1990, 1, 5)), "likely"),
        (replace(BARE, birth_date=date(1990, 5, 2)), "likely"),
        (replace(BARE, birth_date=date(1990, 6, 2)), "neither"),
        (replace(BARE, given="Garcia Marquez", family="Ana Maria"), "likely"),
        (replace(BARE, given="Luisa"), "neither"),
        (replace(BARE, sex="male"), "likely"),
        (replace(BARE, sex="other"), "match"),
        (replace(ANA, family="Smith", sex=""), "match"),
        (replace(ANA, family="Smith", given="John", sex="male"), "neither"),
        (replace(BARE, identifiers=frozenset({("ssn", "900-12-9999")})), "neither"),
        (Described(), "neither"),
    ],
)
def test_what_is_one_person(other: Described, verdict: str) -> None:
    score = likeness(replace(ANA, identifiers=ANA.identifiers if other.identifiers else frozenset()), other).score
    assert ("match" if score >= MATCH else "likely" if score >= LIKELY else "neither") == verdict, score


PEOPLE = st.builds(
    Described,
    st.sampled_from(["", "Garcia", "García Márquez", "Smith", "Smyth", "Li", "Lu"]),
    st.sampled_from(["", "Ana", "A", "Ann", "Anna", "Maria"]),
    st.none() | st.sampled_from([date(1990, 5, 1), date(1990, 1, 5), date(1991, 5, 1), date(2000, 2, 29)]),
    st.sampled_from(["", "female", "male", "other"]),
    st.sets(st.tuples(st.sampled_from(["ssn", "mrn"]), st.sampled_from(["1", "2", "-"])), max_size=2).map(frozenset),
)


@given(PEOPLE, PEOPLE)
def test_likeness_does_not_depend_on_who_is_asked_first(one: Described, other: Described) -> None:
    assert likeness(one, other) == likeness(other, one)


@given(PEOPLE)
def test_nobody_is_unlike_themselves(one: Described) -> None:
    assert set(likeness(one, one).evidence.values()) <= {"equal"}
    if enough(one):
        assert find_one(one, [("x", one)]).outcome == "found"


@given(PEOPLE, st.lists(st.tuples(st.sampled_from("abc"), PEOPLE), max_size=5))
def test_too_little_finds_nobody_and_so_does_what_fits_two(
    wanted: Described, people: list[tuple[str, Described]]
) -> None:
    found = find_one(wanted, people)
    fit = {name for name, person in people if likeness(wanted, person).score >= MATCH}
    if not enough(wanted):
        assert found.outcome == "too_little"
    else:
        assert found.outcome == ("nobody", "found", "several")[min(len(fit), 2)]
    assert bool(found.id) == (found.outcome == "found")


@given(PEOPLE, PEOPLE)
def test_who_matches_shares_a_word_under_which_to_be_found(one: Described, other: Described) -> None:
    if likeness(one, other).score >= MATCH:
        assert blocking_terms(one) & blocking_terms(other)


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_one_slip_is_one_edit(one: str, other: str) -> None:
    edits = {one}
    for place in range(len(one) + 1):
        edits.add(one[:place] + one[place + 1 :])
        edits.update(one[:place] + letter + one[place:] for letter in "abc")
        edits.update(one[:place] + letter + one[place + 1 :] for letter in "abc" if place < len(one))
        if place + 1 < len(one):
            edits.add(one[:place] + one[place + 1] + one[place] + one[place + 2 :])
    assert one_slip(one, other) == (other in edits)
