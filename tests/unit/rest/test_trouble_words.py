"""A refusal of the interface, said on a page: a whole sentence in the language that is spoken."""

from __future__ import annotations

from typing import Any

import pytest

from drachm.adapters.rest.service.speech import speaking
from drachm.adapters.rest.service.trouble_words import whole, words_of


def problem(detail: str, *errors: str, code: str = "conflict", **more: Any) -> dict[str, Any]:
    faults = [{"pointer": "/amount", "detail": one} for one in errors]
    document = {"status": 409, "code": code, "title": "Conflict", "detail": detail, "next_step": "", "errors": faults}
    return {**document, **more}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("there is no such party", "There is no such party."),
        ("no, it has ended already.", "No, it has ended already."),
        ("Look again", "Look again."),
        ("is this one yours?", "Is this one yours?"),
        ("write one of: card, cash", "Write one of: card, cash."),
        # An id, a path or a name with signs is no word: it stays as it is.
        ("cov_1 has ended", "cov_1 has ended."),
        ("c-ana has the plan already", "c-ana has the plan already."),
        ("$.plan is missing", "$.plan is missing."),
        ("é", "É."),
        ("", ""),
    ],
)
def test_a_sentence_begins_and_ends(said: str, shown: str) -> None:
    with speaking("en"):
        assert whole(said) == shown
        assert whole(shown) == shown


def test_every_part_of_it_is_whole_and_the_interface_is_not_touched() -> None:
    document = problem("less is due", "less is due", "the amount is no number", next_step="pay at most what is due")
    before = repr(document)
    with speaking("en"):
        trouble = words_of(document, False, ["amount"])
    assert (trouble.detail, trouble.next_step) == ("Less is due.", "Pay at most what is due.")
    assert list(trouble.faults) == [("amount", "The amount is no number.")]
    assert repr(document) == before


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("de", "Der Text enthält ein Steuerzeichen."),
        ("zh-Hans", "文本含有控制字符。"),
        ("ar", "النص يحوي حرف تحكم."),
    ],
)
def test_what_a_catalogue_has_is_whole_too(language: str, shown: str) -> None:
    with speaking(language):
        trouble = words_of(problem("the text holds a control character"), False)
    assert shown in [words for _, words in trouble.faults]


def test_what_no_catalogue_has_is_a_sentence_and_marked_as_english() -> None:
    with speaking("de"):
        trouble = words_of(problem("nobody has <b>this</b>"), False)
    [(_, words)] = trouble.faults
    assert words == '<bdi lang="en" dir="ltr">Nobody has &lt;b&gt;this&lt;/b&gt;.</bdi>'
