"""What the core and the rails say is in the catalogues: every sentence of the sources, whatever it names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from markupsafe import Markup

import drachm
from drachm.adapters.rest.service.engine_words import SENTENCES, in_words
from drachm.adapters.rest.service.speech import LANGUAGES, speaking
from drachm.adapters.rest.service.staff_words import own_words

SOURCE = Path(drachm.__file__).parent
FAULTS = (
    *("domain/benefits/load.py", "domain/benefits/load_rules.py", "domain/benefits/load_steps.py"),
    *("domain/benefits/place.py", "domain/benefits/conditions.py", "domain/benefits/reading.py"),
    *("domain/catalog/document.py", "domain/catalog/load.py", "domain/catalog/rules.py", "domain/catalog/rule.py"),
    *("domain/catalog/tables.py", "domain/catalog/measured.py", "domain/catalog/relative_value.py"),
    *("domain/catalog/facts.py", "domain/catalog/listing.py", "domain/catalog/books.py", "domain/succession.py"),
    *("application/draft_checks.py", "adapters/rest/service/drafts.py"),
)
RAILS = ("adapters/stripe/rail.py", "adapters/alipay/rail.py", "adapters/wechat/rail.py", "adapters/stripe/amounts.py")
RAISED = {"refuse", "invalid", "Clash", "faulty", "Pended", "Conflict", "DraftFault", "Refused"}
OF_RAILS = {"Unavailable", "InvalidMessage"}
NOT_ON_PAGES = ("this is not in a form that we know", "the callback", "{a}; {b}", "{a}: {b}")
"""What a callback of a rail is told, and sentences that are put together of others'."""


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return ""
    names = iter("abcdef")
    return "".join(str(part.value) if isinstance(part, ast.Constant) else f"{{{next(names)}}}" for part in node.values)


def sentences(path: str, raised: set[str]) -> Iterator[str]:
    """What a module gives to whatever it raises."""
    for call in ast.walk(ast.parse((SOURCE / path).read_text("utf-8"))):
        if not isinstance(call, ast.Call) or ast.unparse(call.func).rpartition(".")[2] not in raised:
            continue
        for given in [*call.args, *(one.value for one in call.keywords if one.arg in ("next_step", "message"))]:
            for one in (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,):
                text = text_of(one)
                if " " in text.strip() and not text.startswith("$"):
                    yield text


@pytest.mark.parametrize("path", FAULTS)
def test_every_fault_of_a_draft_is_in_the_catalogues(path: str) -> None:
    found = set(sentences(path, RAISED)) - set(NOT_ON_PAGES)
    assert found
    assert found - set(SENTENCES) == set()


@pytest.mark.parametrize("path", RAILS)
def test_every_refusal_of_a_rail_is_in_the_catalogues(path: str) -> None:
    found = {one for one in sentences(path, OF_RAILS) if not one.startswith(NOT_ON_PAGES)}
    assert found
    assert found - set(SENTENCES) == set()


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_sentence_is_said_in_every_language_with_what_it_names(language: str) -> None:
    with speaking(language):
        for sentence in SENTENCES:
            text = sentence
            for name in "abcdef":
                text = text.replace(f"{{{name}}}", f"'x{name}<b>'")
            told = in_words(text)
            assert told is not None, sentence
            assert Markup(told) != Markup.escape(text), sentence
            for name in "abcdef":
                if f"{{{name}}}" in sentence:
                    assert f"x{name}&lt;b&gt;" in told, sentence


def test_a_sentence_within_a_sentence_is_said_too() -> None:
    with speaking("de"):
        told = own_words("version 2 of 'book': 'until' is the first day out of force and lies after 'from'")
        assert told.startswith('Fassung <bdi dir="ltr">2</bdi> von')
        assert "nicht mehr gilt" in told
        assert 'lang="en"' in own_words("a sentence that nobody knows")
    with speaking("en"):
        assert own_words("is <empty>") == "is &lt;empty&gt;"
