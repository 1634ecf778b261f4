"""In which language does a page speak, and how does it say amounts and days in it?

A page says `with speaking("de"):` around everything that it writes; inside, `gettext` and the words of `page_words` are
in that language. Texts are looked up in the catalogues beside (`locales/README.md` says how to add one).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from gettext import NullTranslations
from typing import Final

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent, get_decimal_symbol

from drachm.adapters.rest.service.catalogues import PSEUDO, catalogue
from drachm.domain.money import plain

_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_SIGN: Final = "¤"
_SYMBOLS: Final = {
    "CNY": "¥", "EUR": "€", "GBP": "£", "ILS": "₪", "INR": "₹", "JPY": "¥", "KRW": "₩", "NGN": "₦", "PHP": "₱",
    "TRY": "₺", "UAH": "₴", "USD": "$", "VND": "₫",
}  # fmt: skip
"""Signs that mean one currency where it is used; every other currency is written by its code."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language that pages speak."""

    code: str
    """As HTML's `lang` has it (BCP 47)."""
    name: str
    """In its own words and script."""
    locale: Locale
    """Its customs (CLDR)."""
    right_to_left: bool = False

    @property
    def direction(self) -> str:
        return "rtl" if self.right_to_left else "ltr"


def _language(code: str, name: str, locale: str, right_to_left: bool = False) -> Language:
    return Language(code, name, Locale.parse(locale), right_to_left)


LANGUAGES: Final = {
    one.code: one
    for one in (
        _language("en", "English", "en"),
        _language("zh-Hans", "简体中文", "zh_Hans"),
        _language("de", "Deutsch", "de"),
        _language("es", "Español", "es"),
        _language("ko", "한국어", "ko"),
        _language("ar", "العربية", "ar", right_to_left=True),
    )
}
SANDBOX_ONLY: Final = {PSEUDO: _language(PSEUDO, "Ƥšéûðô", "en")}
"""Not a language: English two fifths longer and with marks, to see where a page would break."""
_ENGLISH: Final = LANGUAGES["en"]
_ORDER: Final = {"en": "EEEE d MMMM y"}
"""Where CLDR's order of a day is not the one that people of more than one country read without doubt."""
_spoken: ContextVar[Language] = ContextVar("spoken", default=_ENGLISH)


def language_of(code: str) -> Language:
    """The language of a code; English for one that is not spoken here."""
    return LANGUAGES.get(code) or SANDBOX_ONLY.get(code) or _ENGLISH


@contextmanager
def speaking(code: str) -> Iterator[Language]:
    """Speak a language until the end of the block."""
    language = language_of(code)
    token = _spoken.set(language)
    try:
        yield language
    finally:
        _spoken.reset(token)


def spoken() -> Language:
    """What is spoken now."""
    return _spoken.get()


def gettext(text: str) -> str:
    """A text in the language that is spoken; itself where the catalogue has none."""
    # The empty text is the catalogue's own head.
    return _texts().gettext(text) if text else ""


def ngettext(one: str, many: str, number: int) -> str:
    """A text for a number of things, in the form that the language has for that number."""
    return _texts().ngettext(one, many, number)


def N_(text: str) -> str:  # noqa: N802 - the name that gettext's tools look for
    """Mark a text for the catalogues that is looked up later."""
    return text


def negotiated(accepted: str) -> str:
    """The best language for an Accept-Language field (RFC 9110 section 12.5.4)."""
    wanted: list[tuple[float, int, str]] = []
    for place, item in enumerate(accepted[:500].split(",")):
        tag, _, weight = item.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        wanted.append((-quality, place, tag.strip().lower()))
    for quality, _, tag in sorted(wanted):
        if quality < 0 and (code := _FIRST.get(tag.partition("-")[0])):
            # Who reads traditional Chinese reads neither less nor more of the simplified than of English; it is near.
            return code
    return "en"


_FIRST: Final = {code.partition("-")[0]: code for code in LANGUAGES}


def spelled(day: date) -> str:
    """A day with its weekday and the month's name: no order of digits to guess.

    >>> spelled(date(2026, 11, 21))
    'Saturday 21 November 2026'
    """
    language = spoken()
    return format_date(day, _ORDER.get(str(language.locale), "full"), language.locale)


def short_day(day: date) -> str:
    """A day and its month, for lists.

    >>> short_day(date(2026, 11, 21))
    '21 November 2026'
    """
    language = spoken()
    return format_date(day, "d MMMM y" if str(language.locale) == "en" else "long", language.locale)


def month_said(month: date | str) -> str:
    """A month and its year; of a text such as 2026-11 that is none, the text.

    >>> month_said("2026-11")
    'November 2026'
    """
    if isinstance(month, str):
        try:
            month = date.fromisoformat(f"{month}-01")
        except ValueError:
            return str(month)
    return str(format_skeleton("yMMMM", month, locale=spoken().locale))


def clock(moment: datetime, seconds: bool = False) -> str:
    """The time on a clock of 24 hours, by the clock that the moment hangs on.

    >>> clock(datetime(2026, 11, 21, 9, 5))
    '09:05'
    """
    locale = spoken().locale
    pattern = locale.datetime_skeletons["Hms" if seconds else "Hm"]
    return str(format_time(moment.replace(tzinfo=None), pattern, locale=locale))


def moment_said(moment: datetime, seconds: bool = False, weekday: bool = False) -> str:
    """A day and the time of it.

    >>> moment_said(datetime(2026, 11, 21, 9, 5))
    '09:05, 21 November 2026'
    """
    day = spelled(moment.date()) if weekday else short_day(moment.date())
    return gettext("{time}, {day}").format(time=clock(moment, seconds), day=day)


def digits(micros: int, currency: str) -> str:
    """The size in units, with thousands grouped and at least the currency's own decimals (ISO 4217, not CLDR)."""
    locale = spoken().locale
    whole, _, below = plain(abs(micros), currency).partition(".")
    grouped = format_decimal(int(whole), locale=locale)
    return f"{grouped}{get_decimal_symbol(locale)}{below}" if below else grouped


def counted(number: int) -> str:
    """A whole number with its thousands grouped."""
    return format_decimal(number, locale=spoken().locale)


def gap() -> str:
    """What stands between two sentences: nothing where full stops are as wide as a letter."""
    return "" if spoken().code.startswith("zh") else " "


def percent(share: Decimal) -> str:
    """A share of one, with as many digits behind the point as it has.

    >>> percent(Decimal("0.125"))
    '12.5%'
    """
    return str(format_percent(share, locale=spoken().locale, decimal_quantization=False))


def symbol(currency: str) -> str:
    """The currency's sign, or its code where it has none that is sure."""
    return _SYMBOLS.get(currency, currency)


def frame_of(currency: str) -> tuple[str, str]:
    """(what stands before the digits, what behind): the sign where the language puts it."""
    sign, (before, space) = symbol(currency), _placing(str(spoken().locale))
    if before:
        return (sign if len(sign) == 1 and not space else sign + _NO_BREAK), ""
    return "", _NO_BREAK + sign


@cache
def _placing(locale: str) -> tuple[bool, bool]:
    """(the sign stands to the left, with a space)."""
    language = Locale.parse(locale)
    pattern = language.currency_formats["standard"].pattern.partition(";")[0].strip("\u200e\u200f")
    # Amounts are set left to right everywhere; what follows the digits of a language from the right is left of them.
    left = pattern.startswith(_SIGN) or language.text_direction == "rtl"
    return left, pattern.startswith(_SIGN + _NO_BREAK)


def _texts() -> NullTranslations:
    return catalogue(spoken().code)
