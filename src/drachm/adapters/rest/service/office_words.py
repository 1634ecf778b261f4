"""How are spans, months and reasons written in the office?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from babel.dates import format_interval
from babel.numbers import format_compact_decimal, get_decimal_symbol

from drachm.adapters.plots.scales import short
from drachm.adapters.rest.service.speech import N_, counted, gettext, month_said, ngettext, percent, spoken
from drachm.domain.figures.spans import DAY, HOUR, MINUTE, SECOND
from drachm.domain.money import plain

_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_KINDS: Final = {
    "antenatal": N_("Antenatal care"),
    "cosmetic": N_("Cosmetic care"),
    "delivery": N_("Delivery"),
    "dental": N_("Dental care"),
    "drug": N_("Medicine"),
    "emergency": N_("Emergency care"),
    "imaging": N_("Imaging"),
    "inpatient": N_("Inpatient care"),
    "lab": N_("Laboratory"),
    "mental_health": N_("Mental health"),
    "monitor": N_("Monitoring"),
    "preventive": N_("Preventive care"),
    "primary_care": N_("Primary care"),
    "registration": N_("Registration"),
    "remote_monitoring": N_("Remote monitoring"),
    "specialist": N_("Specialist care"),
    "supply": N_("Supplies"),
    "surgery": N_("Surgery"),
    "telehealth": N_("Telehealth"),
    "therapy": N_("Therapy"),
    "uncategorised": N_("Without a kind"),
    "vaccine": N_("Vaccination"),
    "vision": N_("Eye care"),
}
"""Kinds of care that price books often name; of others their own word is shown."""
_REASONS: Final = {
    "not_covered": N_("Not covered"),
    "over_limit": N_("Over the limit"),
    "visit_limit": N_("Visits used up"),
    "frequency": N_("Too soon again"),
    "waiting_period": N_("Waiting period"),
    "no_authorisation": N_("No authorisation"),
    "timely_filing": N_("Filed too late"),
    "patient_category": N_("Not for this patient"),
    "no_eligible_line": N_("No eligible line"),
    "unknown_code": N_("Unknown service"),
    "price_not_supported": N_("Price rule not supported"),
    "unknown_member": N_("Unknown member"),
    "unknown_provider": N_("Unknown provider"),
    "unknown_plan": N_("Unknown plan"),
    "no_contract": N_("No contract"),
    "currency_mismatch": N_("Currencies differ"),
    "unknown_currency": N_("Unknown currency"),
    "fact_missing": N_("Fact missing"),
    "fact_invalid": N_("Fact does not fit"),
    "ambiguous_rule": N_("Ambiguous rule"),
    "unknown_target": N_("Earlier event missing"),
    "two_payors": N_("Two payors on one day"),
    "payor_not_in_force": N_("Payor not in force"),
    "defect": N_("Our own fault"),
}
_OTHERS: Final = N_("Others together")


def span_said(milliseconds: int | None) -> str:
    """A span in at most two units.

    >>> [span_said(one) for one in (None, 20, 1_500, 90_000, 67_500_000, 259_200_000)]
    ['–', '20 ms', '1.5 s', '1 min 30 s', '18 h 45 min', '3 days']
    """
    if milliseconds is None:
        return "–"
    if milliseconds < SECOND:
        return _joined(gettext("{number} ms").format(number=milliseconds))
    if milliseconds < MINUTE:
        whole, part = divmod(milliseconds, SECOND)
        size = f"{whole}{get_decimal_symbol(spoken().locale)}{part // 100}" if part else str(whole)
        return _joined(gettext("{number} s").format(number=size))
    if milliseconds < HOUR:
        return _joined(_minutes(milliseconds // MINUTE), _seconds(milliseconds % MINUTE // SECOND))
    if milliseconds < 2 * DAY:
        return _joined(_hours(milliseconds // HOUR), _minutes(milliseconds % HOUR // MINUTE))
    days = milliseconds // DAY
    said = ngettext("{number} day", "{number} days", days).format(number=days)
    return _joined(said, _hours(milliseconds % DAY // HOUR))


def months_said(since: date, until: date) -> str:
    """Whole months.

    >>> months_said(date(2026, 11, 1), date(2026, 11, 30)), months_said(date(2026, 9, 1), date(2026, 11, 30))
    ('November 2026', 'September to November 2026')
    """
    if (since.year, since.month) == (until.year, until.month):
        return month_said(since)
    said = str(format_interval(since, until, skeleton="yMMMM", locale=spoken().locale))
    # A word is read aloud, a dash is not.
    return said.replace("\N{THIN SPACE}–\N{THIN SPACE}", " to ") if spoken().code == "en" else said


def kind_said(word: str | None) -> str:
    """A kind of care, or what several small ones are called."""
    if word is None:
        return gettext(_OTHERS)
    return gettext(_KINDS[word]) if word in _KINDS else word.replace("_", " ").capitalize()


def reason_said(code: str | None) -> str:
    """Why an insurer said no, or an event waits, as people at work call it."""
    if code is None:
        return gettext(_OTHERS)
    return gettext(_REASONS[code]) if code in _REASONS else code.replace("_", " ").capitalize()


def digits(micros: int, currency: str) -> str:
    """An amount for a file: digits and a point."""
    return plain(micros, currency)


def axis(number: int) -> str:
    """A round number for an axis, as short as the language has it."""
    locale = spoken().locale
    if str(locale) == "en" or abs(number) < 1_000:
        return short(number)
    said = str(format_compact_decimal(number, locale=locale, fraction_digits=1))
    return counted(number) if said.isdecimal() else said


def of_hundred(part: int, whole: int) -> str:
    """A share in whole percent, rounded to the nearest; never 0 or 100 for what is neither.

    >>> of_hundred(1, 3), of_hundred(1, 1000), of_hundred(999, 1000), of_hundred(0, 0)
    ('33%', 'under 1%', 'over 99%', '0%')
    """
    if whole <= 0 or part <= 0:
        return percent(Decimal(0))
    nearest = (200 * part + whole) // (2 * whole)
    if nearest == 0:
        return gettext("under {share}").format(share=percent(Decimal(1) / 100))
    if nearest >= 100 and part < whole:
        return gettext("over {share}").format(share=percent(Decimal(99) / 100))
    return percent(Decimal(nearest) / 100)


def _hours(number: int) -> str:
    return gettext("{number} h").format(number=number) if number else ""


def _minutes(number: int) -> str:
    return gettext("{number} min").format(number=number) if number else ""


def _seconds(number: int) -> str:
    return gettext("{number} s").format(number=number) if number else ""


def _joined(*parts: str) -> str:
    return " ".join(part.replace(" ", _NO_BREAK) for part in parts if part)
