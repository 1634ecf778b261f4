"""Are the words of the pages whole in every language, and does each count, write amounts and days as it should?"""

from __future__ import annotations

import importlib.util
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from drachm.adapters.rest.service import catalogues
from drachm.adapters.rest.service.page_words import Amount, listed, shares_said
from drachm.adapters.rest.service.speech import (
    LANGUAGES,
    counted,
    gettext,
    negotiated,
    ngettext,
    short_day,
    speaking,
    spelled,
)

ROOT = Path(__file__).resolve().parents[2]
DOLLAR = Amount(1_234_400_000, "USD")


def loaded() -> ModuleType:
    """The tool that extracts what pages say."""
    spec = importlib.util.spec_from_file_location("messages", ROOT / "tools" / "messages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["messages"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return loaded()


def test_every_catalogue_is_whole(tool: Any) -> None:
    """When this fails: PYTHONPATH=src python tools/messages.py, then write the drafts (locales/README.md)."""
    faults = tool.faults()
    assert faults == [], "\n".join(["the catalogues are not whole (locales/README.md):", *faults[:40]])


def test_the_tool_names_what_is_short(tool: Any) -> None:
    said = tool.Text("{one} of %(two)s", "", "x")
    assert list(tool._faults_of(said, None, 2)) == ["not translated: '{one} of %(two)s' (area x)"]
    assert list(tool._faults_of(said, "%(two)s {one}", 2)) == []
    assert "placeholders" in next(tool._faults_of(said, "{one} of {two}", 2))
    assert "lone %" in next(tool._faults_of(tool.Text("%(two)s", "", "x"), "50 % %(two)s", 2))
    many = tool.Text("%(num)s part", "%(num)s parts", "x")
    assert list(tool._faults_of(many, ("%(num)s a", "ein Teil"), 2)) == []
    assert "1 forms, the language has 2" in next(tool._faults_of(many, ("%(num)s a",), 2))
    assert "not translated" in next(tool._faults_of(many, ("%(num)s a", ""), 2))


def test_every_file_says_that_it_is_a_draft_and_how_its_language_counts() -> None:
    for language in LANGUAGES:
        for path in catalogues.areas(language):
            head = path.read_text("utf-8").partition("\n\n")[0]
            assert "Machine-drafted" in head or "Signed" in head, path
            assert f"nplurals={ {'ar': 6, 'ko': 1, 'zh-Hans': 1}.get(language, 2) }" in head, path


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["0 parts", "1 part", "2 parts", "11 parts"]),
        ("de", ["0 Teile", "1 Teil", "2 Teile", "11 Teile"]),
        ("es", ["0 partes", "1 parte", "2 partes", "11 partes"]),
        ("zh-Hans", ["0 项", "1 项", "2 项", "11 项"]),
        ("ko", ["0건", "1건", "2건", "11건"]),
    ],
)
def test_plurals(language: str, said: list[str]) -> None:
    with speaking(language):
        assert [ngettext("%(num)s part", "%(num)s parts", n) % {"num": n} for n in (0, 1, 2, 11)] == said


def test_arabic_has_six_forms() -> None:
    with speaking("ar"):
        forms = [ngettext("%(num)s part", "%(num)s parts", n) for n in (0, 1, 2, 3, 10, 11, 99, 100, 102, 103, 111)]
    assert forms[:3] == ["لا أجزاء", "جزء واحد", "جزءان"]
    assert forms[3] == forms[4] == forms[9] == "%(num)s أجزاء"
    assert forms[5] == forms[6] == forms[10] == "%(num)s جزءًا"
    assert forms[7] == forms[8] == "%(num)s جزء"


@pytest.mark.parametrize(
    ("language", "money", "day"),
    [
        ("en", "$1,234.40", "Saturday 21 November 2026"),
        ("de", "1.234,40\xa0$", "Samstag, 21. November 2026"),
        ("es", "1.234,40\xa0$", "sábado, 21 de noviembre de 2026"),
        ("zh-Hans", "$1,234.40", "2026年11月21日星期六"),
        ("ko", "$1,234.40", "2026년 11월 21일 토요일"),
        ("ar", "$1,234.40", "السبت، 21 نوفمبر 2026"),
    ],
)
def test_money_and_days(language: str, money: str, day: str) -> None:
    with speaking(language):
        assert str(DOLLAR) == money
        assert spelled(date(2026, 11, 21)) == day
        assert "2026" in short_day(date(2026, 11, 21))
        assert DOLLAR.__html__() == f'<bdi dir="ltr" class="money">{money}</bdi>'


def test_decimals_are_those_of_the_currency_and_never_rounded_away() -> None:
    # ISO 4217, not the cash habits of CLDR: the Iraqi dinar has three.
    assert str(Amount(1_000_000, "IQD")) == "IQD\xa01.000"
    assert str(Amount(12_500, "USD")) == "$0.0125"
    assert str(Amount(5_000_000, "JPY")) == "¥5"
    assert str(Amount(-1, "KWD")) == "−KWD\xa00.000001"
    with speaking("de"):
        assert str(Amount(-12_500, "KWD")) == "−0,0125\xa0KWD"
        assert counted(12_345) == "12.345"


def test_lists_and_bars_speak_too() -> None:
    with speaking("de"):
        assert listed(["a", "b", "c"]) == "a, b und c"
        said = shares_said([("insurance", 1_000_000), ("you", 500_000), ("due", 0)], 1_500_000, "EUR")
    assert said == "Von 1,50\xa0€: die Versicherung zahlte 1,00\xa0€ und Sie zahlten 0,50\xa0€."


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("de-CH,de;q=0.9", "de"),
        ("fr;q=1, ar;q=0.2", "ar"),
        ("fr", "en"),
        ("zh-TW", "zh-Hans"),
        ("es;q=0, ko", "ko"),
        ("de;q=x, ;q=, ,,;", "en"),
        ("en;q=0.5, de;q=0.5", "en"),
        ("de," * 1_000, "de"),
    ],
)
def test_the_browser_is_asked(accepted: str, language: str) -> None:
    assert negotiated(accepted) == language


def test_a_language_ends_with_its_page() -> None:
    with speaking("de"):
        assert gettext("Why?") == "Warum?"
        with speaking("en-XA"):
            said = gettext("Pay %(amount)s to {who}")
        assert gettext("Why?") == "Warum?"
    assert gettext("Why?") == "Why?"
    assert gettext("") == ""
    assert "%(amount)s" in said
    assert "{who}" in said
    assert len(said) >= 1.4 * len("Pay %(amount)s to {who}") - 4
    with speaking("xx"):
        assert gettext("Why?") == "Why?"
