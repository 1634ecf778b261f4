"""Which `ServiceEvent` do these bytes say, when they say it without any fault?

The strict reader (`jsonsafe`, `read`) takes a text apart to name each fault by its place; this one only knows whether
there is none. It accepts nothing that the strict reader refuses and gives the same event; whatever it does not accept,
faulty or merely unusual, is left to the strict reader.

msgspec refuses by itself what is not JSON, not UTF-8, an unknown key, a missing key, a wrong type and a number out of
range. It takes the last of two equal keys and lets control characters through as escapes: both are looked for here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from drachm.adapters.eventjson import fields
from drachm.adapters.eventjson.read import code_of, place_of_service, refuse_contradictions
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import UNIT, Code, Fact, Kind, ServiceEvent
from drachm.domain.money import MAX_AMOUNT, exponent

_Id = Annotated[str, Meta(max_length=fields.MAX_ID)]
_Ids = Annotated[tuple[_Id, ...], Meta(max_length=fields.MAX_LIST)]
_Text = Annotated[str, Meta(max_length=fields.MAX_TEXT)]
_Number = Annotated[int, Meta(ge=-MAX_AMOUNT, le=MAX_AMOUNT)]


class _Code(Struct, forbid_unknown_fields=True, gc=False):
    system: _Id
    value: _Id


class _Amount(Struct, forbid_unknown_fields=True, gc=False):
    micros: Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
    currency: str


class _Said(Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """The object as it stands; what it does not say is left out again when it is written."""

    source: _Id
    event_id: _Id
    kind: Kind
    member: _Id
    code: _Code
    currency: str
    started_at: str
    ended_at: str | UnsetType = UNSET
    modifiers: _Ids = ()
    quantity: str | UnsetType = UNSET
    unit: Annotated[str, Meta(max_length=32)] = "each"
    billed: _Amount | UnsetType = UNSET
    billing_party: _Id = ""
    rendering_party: _Id = ""
    site: _Id = ""
    place_of_service: str = ""
    visit: _Id = ""
    admission: _Id = ""
    claim: _Id = ""
    line: _Id = ""
    authorisation: _Id = ""
    tax_ppm: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    tax_category: Annotated[str, Meta(max_length=64)] = ""
    diagnoses: _Ids = ()
    diagnosis_pointers: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=fields.MAX_LIST)], ...], Meta(max_length=fields.MAX_LIST)
    ] = ()
    replaces: _Id = ""
    emergency: bool = False
    essential: bool = False
    display: _Text = ""
    facts: Annotated[dict[str, _Text | _Number | bool], Meta(max_length=fields.MAX_FACTS)] | UnsetType = UNSET


_DECODE: Final = msgspec.json.Decoder(_Said).decode
_DECODE_ALL: Final = msgspec.json.Decoder(list[_Said]).decode
_DECODE_TEXTS: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_DECODE_ANYTHING: Final = msgspec.json.Decoder().decode
_ENCODE: Final = msgspec.json.Encoder().encode
_FAULTS: Final = (msgspec.MsgspecError, InvalidMessage, ValueError, RecursionError)

# Several ids with line feeds between them; the atomic group keeps a faulty one from being tried in every way.
_IDS: Final = re.compile(rf"(?>{fields.ID}\n*)+", re.ASCII)
_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)


def quick_event(data: bytes) -> ServiceEvent | None:
    """The event of one JSON object; None when the strict reader must say what it is."""
    try:
        said = _DECODE(data)
        return _event(said) if _each_key_once(data, said) else None
    except _FAULTS:
        return None


def quick_events(data: bytes) -> list[ServiceEvent] | None:
    """The events of an array; None when the strict reader must say what some of it is."""
    try:
        said = _DECODE_ALL(data)
        return [_event(one) for one in said] if _each_key_once(data, said) else None
    except _FAULTS:
        return None


def array_elements(data: bytes) -> list[bytes] | None:
    """The texts of an array's elements, unread; None when this is no array or nobody can tell where they end."""
    try:
        return [bytes(element) for element in _DECODE_TEXTS(data)]
    except _FAULTS:
        return None


def _each_key_once(data: bytes, said: Any) -> bool:
    """True when no object holds a key twice: writing what was read then takes as many quotation marks.

    Writing adds nothing and makes nothing longer, so what comes out at full length lacks nothing. What is written
    also lacks what goes without saying (``"site": ""``): then all of the text is read and written once more.
    """
    written = _ENCODE(said)
    if len(written) == len(data.rstrip()):
        return True
    quotes = _quotes(data)
    return quotes == _quotes(written) or quotes == _quotes(_ENCODE(_DECODE_ANYTHING(data)))


def _quotes(data: bytes) -> int:
    """How many quotation marks begin or end a string: those that are not escaped."""
    return (_ESCAPE.sub(b"", data) if b"\\" in data else data).count(b'"')


def _event(said: _Said) -> ServiceEvent:
    """The event; any of `InvalidMessage` and `ValueError` when it is not faultless."""
    exponent(said.currency)
    _ensure_ids(said)
    display, unit, tax_category = said.display, said.unit, said.tax_category
    if not (display.isprintable() and unit.isprintable() and tax_category.isprintable()):
        _ensure_texts(display, unit, tax_category)
    ended, place = said.ended_at, said.place_of_service
    event = ServiceEvent(
        said.source,
        said.event_id,
        said.kind,
        said.member,
        _code(said.code.system, said.code.value),
        said.currency,
        _instant(said.started_at),
        None if ended is UNSET else _instant(ended),
        said.modifiers,
        UNIT if said.quantity is UNSET else _quantity(said.quantity),
        unit,
        None if said.billed is UNSET else _amount(said.billed, said.currency),
        said.billing_party,
        said.rendering_party,
        said.site,
        place_of_service(place, "") if place else "",
        said.visit,
        said.admission,
        said.claim,
        said.line,
        said.authorisation,
        said.tax_ppm,
        tax_category,
        said.diagnoses,
        said.diagnosis_pointers,
        said.replaces,
        said.emergency,
        said.essential,
        display,
        {} if said.facts is UNSET else _facts(said.facts),
    )
    refuse_contradictions(event, "")
    return event


def _ensure_ids(said: _Said) -> None:
    """All ids in one look: none of them holds the line feed that parts them here."""
    modifiers, diagnoses = said.modifiers, said.diagnoses
    if not (said.source and said.event_id and said.member) or "" in modifiers or "" in diagnoses:
        raise ValueError
    ids = [
        said.source,
        said.event_id,
        said.member,
        said.billing_party,
        said.rendering_party,
        said.site,
        said.visit,
        said.admission,
        said.claim,
        said.line,
        said.authorisation,
        said.replaces,
        *modifiers,
        *diagnoses,
    ]
    together = "\n".join(ids)
    if together.count("\n") != len(ids) - 1 or not _IDS.fullmatch(together):
        raise ValueError


def _ensure_texts(*texts: str) -> None:
    for text in texts:
        fields.text(text, "")


@lru_cache(maxsize=16_384)
def _code(system: str, value: str) -> Code:
    return code_of({"system": system, "value": value}, "")


def _instant(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is UTC and 1900 <= found.year < 2200 and fields.INSTANT.fullmatch(value):
        return found
    return fields.instant(value, "")


def _quantity(value: str) -> int:
    if 0 < len(value) < 6 and value.isdecimal() and value.isascii() and value[0] != "0":
        return int(value) * UNIT
    return fields.quantity(value, "")


def _amount(billed: _Amount, currency: str) -> int:
    if billed.currency != currency:
        raise ValueError
    return billed.micros


def _facts(found: dict[str, Fact]) -> dict[str, Fact]:
    _ensure_fact_names(tuple(found))
    for value in found.values():
        if type(value) is str and not value.isprintable():
            _ensure_texts(value)
    return found


@lru_cache(maxsize=1_024)
def _ensure_fact_names(names: tuple[str, ...]) -> None:
    for name in names:
        fields.fact_name(name, "")
