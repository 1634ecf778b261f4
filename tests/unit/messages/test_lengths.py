"""A text message is counted as the network counts it, and goes out in one part or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.messages.lengths import BASIC, EXTENSION, NAME_LEAST, fitted, length


@pytest.mark.parametrize(
    ("text", "alphabet", "places", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("[]{}\\~^|", "GSM-7", 16, 1),
        ("äöüßñàèéùìò", "GSM-7", 11, 1),
        ("á", "UCS-2", 1, 1),
        ("a" * 69 + "ó", "UCS-2", 70, 1),
        ("a" * 70 + "ú", "UCS-2", 71, 2),
        ("保" * 70, "UCS-2", 70, 1),
        ("보" * 71, "UCS-2", 71, 2),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        ("`", "UCS-2", 1, 1),
    ],
)
def test_places_and_parts(text: str, alphabet: str, places: int, parts: int) -> None:
    assert length(text) == (alphabet, places, parts)


def test_the_default_alphabet_has_its_127_signs_and_the_extension_its_ten() -> None:
    # 128 places, one of which is the escape to the extension.
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION
    assert not set("áíóúçÁ`") & BASIC


@given(st.text(max_size=400))
def test_every_text_has_a_length(text: str) -> None:
    found = length(text)
    assert found.places >= len(text)
    assert (found.parts == 1) == (found.places <= (160 if found.alphabet == "GSM-7" else 70))


FORMS = ["{clinic} {day}: {rest} and more that may go", "{clinic} {day}: {rest}", "{clinic}: {rest}"]


@given(st.text(st.sampled_from("abc é保"), min_size=1, max_size=220), st.integers(1, 120))
def test_what_is_sent_fits_into_one_and_keeps_what_matters(clinic: str, rest: int) -> None:
    values = {"clinic": clinic, "day": "21 Nov", "rest": "1" * rest}
    text = fitted(FORMS, values, "clinic")
    if text is None:
        shortest = FORMS[-1].format(**{**values, "clinic": clinic[:NAME_LEAST] + "."})
        assert len(shortest) > 70 or len(clinic) <= NAME_LEAST
        return
    assert length(text).is_one
    assert values["rest"] in text


def test_the_fullest_form_that_fits_is_taken_and_the_name_is_cut_last() -> None:
    values = {"clinic": "Clinic", "day": "21 Nov", "rest": "1"}
    assert fitted(FORMS, values, "clinic") == "Clinic 21 Nov: 1 and more that may go"
    long = {**values, "rest": "1" * 130}
    assert fitted(FORMS, long, "clinic") == f"Clinic 21 Nov: {'1' * 130}"
    wide = {**long, "clinic": "C" * 60}
    text = fitted(FORMS, wide, "clinic")
    assert text is not None
    assert text.startswith("CCC")
    assert length(text).places == 160
    assert fitted(FORMS, {**values, "rest": "1" * 170}, "clinic") is None
