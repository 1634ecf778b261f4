"""A text message is counted as the network counts it, and goes out in one part or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.messages.lengths import BASIC, EXTENSION, fitted, length


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


FORMS = ["Visit {day}: {rest} and more that may go", "Visit {day}: {rest}", "{rest}"]


@given(st.text(st.sampled_from("abc é保"), max_size=20), st.integers(1, 200))
def test_what_is_sent_fits_into_one_and_keeps_what_matters(day: str, rest: int) -> None:
    text = fitted(FORMS, {"day": day, "rest": "1" * rest})
    if text is None:
        assert rest > 160
        return
    assert length(text).is_one
    assert "1" * rest in text


def test_the_fullest_form_that_fits_is_taken() -> None:
    assert fitted(FORMS, {"day": "21 Nov", "rest": "1"}) == "Visit 21 Nov: 1 and more that may go"
    assert fitted(FORMS, {"day": "21 Nov", "rest": "1" * 140}) == f"Visit 21 Nov: {'1' * 140}"
    assert fitted(FORMS, {"day": "21 Nov", "rest": "1" * 160}) == "1" * 160
    assert fitted(FORMS, {"day": "21 Nov", "rest": "1" * 161}) is None
