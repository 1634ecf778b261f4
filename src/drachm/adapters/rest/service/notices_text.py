"""What does a text message say? The whole answer, so that nobody has to open anything: when, what it cost, what to do.

No clinic, no service, no name: it lies on a locked screen. No currency sign, because in many alphabets it takes two
places. The forms of a message stand from the fullest to the shortest, and the first that fits into one is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from babel.dates import format_date

from drachm.adapters.rest.service.journal_reading import name_of
from drachm.adapters.rest.service.speech import N_, digits, gettext, speaking, spoken
from drachm.application.arrears import RETURNED
from drachm.application.journal_index import Indexed
from drachm.application.receipt_codes import LINK_LETTERS, Coded, make_code
from drachm.application.records import Records
from drachm.application.text_messages import Ended, Late, Owing, Writer
from drachm.domain.messages.lengths import fitted

LINK_LASTS: Final = timedelta(days=30)
_PAID: Final = N_(
    "Visit {day}: price {price}, insurance {insurance}, you {you}, paid. Nothing more to pay. See why: {link} "
    "Help {phone}"
)
_PAID_SHORT: Final = N_("Visit {day}: price {price}, insurance {insurance}, you {you}, paid. {link}")
_NOTHING: Final = N_("Visit {day}: price {price}, insurance {insurance}. Nothing to pay. See why: {link} Help {phone}")
_NOTHING_SHORT: Final = N_("Visit {day}: price {price}, insurance {insurance}. Nothing to pay. {link}")
_DUE: Final = N_(
    "Visit {day}: price {price}, insurance {insurance}, you {you}. Please pay {due}, in cash too. {link} Help {phone}"
)
_DUE_SHORT: Final = N_("Visit {day}: price {price}, insurance {insurance}. Please pay {due}. {link}")
_WAITING: Final = N_(
    "Visit {day}: your insurer has not answered. Your part so far {you}. Nothing to pay now, we tell you. {link} "
    "Help {phone}"
)
_WAITING_SHORT: Final = N_("Visit {day}: insurer has not answered. Your part so far {you}. Nothing to pay now. {link}")
_SETTLED: Final = N_(
    "Visit {day}: settled. Price {price}, insurance {insurance}, you {you}. Nothing more to pay. {link} Help {phone}"
)
_SETTLED_SHORT: Final = N_("Visit {day}: settled. Price {price}, insurance {insurance}, you {you}. {link}")
_RETURNED: Final = N_(
    "A payment to your wallet went back. Until it is made good, the wallet pays nothing by itself. What to do: {link} "
    "Help {phone}"
)
_RETURNED_SHORT: Final = N_("A payment went back; your wallet does not pay until you do. {link}")
_CURED: Final = N_("What you owed your wallet is paid. It pays again by itself. {link} Help {phone}")
_CURED_SHORT: Final = N_("Your wallet pays again by itself. {link}")
_LATE: Final = N_("Visit {day}: {amount} that was still to pay is paid now, by itself. See why: {link} Help {phone}")
_LATE_SHORT: Final = N_("Visit {day}: {amount} is paid now, by itself. {link}")
_LATE_PART: Final = N_(
    "Visit {day}: {amount} is paid now, by itself. Still to pay: {due}. See why: {link} Help {phone}"
)
_LATE_PART_SHORT: Final = N_("Visit {day}: {amount} paid now, {due} still to pay. {link}")
_LATE_MANY: Final = N_(
    "{amount} of earlier visits that was still to pay is paid now, by itself. See: {link} Help {phone}"
)
_LATE_MANY_SHORT: Final = N_("{amount} of earlier visits is paid now, by itself. {link}")
_DAYS: Final = {"en": "d MMM", "de": "d. MMM", "es": "d MMM", "zh-Hans": "M月d日", "ko": "M/d", "ar": "d/M"}


def writer(
    tenant: str,
    base_url: str,
    help_phone: str,
    records: Records,
    random: Callable[[int], bytes],
    new_id: Callable[[], str],
) -> Writer:
    """Writes messages of one tenant, each with a short link of its own. `base_url`: how phones reach the service."""
    host = base_url.partition("://")[2] or base_url

    def link_to(row: Indexed, member: str) -> str:
        coded = Coded(name_of(row, "rcp"), member, 0, row.posted_at + LINK_LASTS, "birth_date")
        code = make_code(records, new_id(), coded, row.parties, random, "drachm", LINK_LETTERS)
        return f"{host}/s/{tenant}-{code}"

    # Whether it fits is known before a code is made that nobody would get.
    sample = f"{host}/s/{tenant}-{'0' * LINK_LETTERS}"

    def write(said: Ended | Owing | Late) -> str | None:
        if isinstance(said, Owing):
            return told_owing(said, f"{host}/my/wallet", help_phone)
        if isinstance(said, Late):
            if said.row is None:
                return told_late(said, f"{host}/my", help_phone)
            fits = told_late(said, sample, help_phone) is not None
            return told_late(said, link_to(said.row, said.member), help_phone) if fits else None
        fits = told(said, sample, help_phone) is not None
        return told(said, link_to(said.row, said.member), help_phone) if fits else None

    return write


def told(ended: Ended, link: str, phone: str) -> str | None:
    """The message in its member's language; None where even the shortest form takes more than one."""
    with speaking(ended.language or "en"):
        values = {
            "day": _day(ended.day),
            "price": digits(ended.price, ended.currency) if ended.currency else "0",
            "insurance": digits(ended.insurance, ended.currency) if ended.currency else "0",
            "you": digits(ended.patient, ended.currency) if ended.currency else "0",
            "due": digits(ended.due, ended.currency) if ended.currency else "0",
            "link": link,
            "phone": phone,
        }
        forms = [form for form in _forms(ended) if phone or "{phone}" not in form]
    return fitted(forms, values)


def told_owing(owing: Owing, link: str, phone: str) -> str | None:
    """The message about a payment that went back; the link asks who is there before it says more."""
    with speaking(owing.language or "en"):
        full, short = (_RETURNED, _RETURNED_SHORT) if owing.what == RETURNED else (_CURED, _CURED_SHORT)
        forms = [gettext(form) for form in (full, short) if phone or "{phone}" not in form]
    return fitted(forms, {"link": link, "phone": phone})


def told_late(late: Late, link: str, phone: str) -> str | None:
    """The message about what was paid by itself after the care; nothing of it says where or for what that was."""
    with speaking(late.language or "en"):
        full, short = (_LATE_PART, _LATE_PART_SHORT) if late.due > 0 else (_LATE, _LATE_SHORT)
        if late.day is None:
            full, short = _LATE_MANY, _LATE_MANY_SHORT
        forms = [gettext(form) for form in (full, short) if phone or "{phone}" not in form]
        values = {
            "day": _day(late.day) if late.day is not None else "",
            "amount": digits(late.amount, late.currency),
            "due": digits(late.due, late.currency),
            "link": link,
            "phone": phone,
        }
    return fitted(forms, values)


def _forms(ended: Ended) -> list[str]:
    """What it says, from the fullest form to the shortest."""
    if not ended.final:
        return [gettext(_WAITING), gettext(_WAITING_SHORT)]
    if ended.due > 0:
        return [gettext(_DUE), gettext(_DUE_SHORT)]
    if ended.again:
        return [gettext(_SETTLED), gettext(_SETTLED_SHORT)]
    if ended.patient == 0:
        return [gettext(_NOTHING), gettext(_NOTHING_SHORT)]
    return [gettext(_PAID), gettext(_PAID_SHORT)]


def _day(day: date) -> str:
    language = spoken()
    return format_date(day, _DAYS.get(language.code, "d MMM"), language.locale)
