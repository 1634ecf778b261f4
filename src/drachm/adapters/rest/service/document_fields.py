"""How is a part of a plan or a price book edited by people who do not read JSON? As fields, made from what it holds.

Nothing here knows a kind of step or of price: every amount, share, number, word and flag of the part becomes a field
with its place in the document. What it depends on (`when`) and new parts are written in the JSON view.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from drachm.adapters.rest.service.desk_frame import unreadable
from drachm.adapters.rest.service.page_words import Amount
from drachm.adapters.rest.service.speech import N_, gettext, percent
from drachm.domain.money import CURRENCIES, MAX_AMOUNT, MICROS, micros, plain

Kind = Literal["money", "percent", "number", "flag", "text"]
FLAGS: Final = {"yes": True, "no": False}
_MONEY: Final = frozenset(
    (
        *("amount", "limit", "min", "max", "cap", "base", "value", "otherwise", "price", "floor", "ceiling", "add"),
        *("subtract", "fee", "rows", "per_unit"),
    )
)
_LABELS: Final = {
    "ppm": N_("share"), "min": N_("at least"), "max": N_("at most"), "amount": N_("amount"), "limit": N_("limit"),
    "cap": N_("cap"), "clause": N_("clause"), "reason": N_("reason"), "display": N_("words on the receipt"),
    "system": N_("code system"), "code": N_("code"), "category": N_("category"), "rule": N_("rule"),
    "per": N_("for each"),
    "scope": N_("scope"), "period": N_("period"), "base": N_("base"), "price": N_("price"), "fee": N_("fee"),
    "counter": N_("running total"), "value": N_("value"), "share": N_("share"),
}  # fmt: skip
"""What the keys of documents are called; one that is not here is shown as it is."""
_NOT_EDITED: Final = frozenset({"when", "id", "kind"})
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DECIMAL: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_MOST: Final = 60


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a document."""

    pointer: str
    """JSON Pointer into the document (RFC 6901); also the field's name in the form."""
    label: str
    kind: Kind
    value: str
    """As it is typed."""


def fields_of(document: Any, pointer: str, currency: str) -> list[Field]:
    """The fields of the part of the document at `pointer`; of a very large part the first sixty."""
    part = at(document, pointer)
    found: list[Field] = []
    for place, value in _leaves(part, ()):
        kind = _kind(place, value)
        label = " ".join(str(one + 1) if isinstance(one, int) else _called(one) for one in place)
        name = pointer + "".join(f"/{_escaped(one)}" for one in place)
        found.append(Field(name, label, kind, _shown(value, kind, currency)))
        if len(found) == _MOST:
            break
    return found


def rewritten(document: Mapping[str, Any], fields: Sequence[Field], form: Mapping[str, str], currency: str) -> Any:
    """The document with what was typed into these fields. Raises InvalidMessage for what is no such value."""
    changed = copy.deepcopy(dict(document))
    for field in fields:
        typed = form.get(field.pointer)
        if typed is not None and typed.strip() != field.value:
            put(changed, field.pointer, _read(typed.strip(), field, currency))
    return changed


def at(document: Any, pointer: str) -> Any:
    """The part at a pointer. Raises LookupError where there is none."""
    for word in _words(pointer):
        document = document[int(word)] if isinstance(document, list) else document[word]
    return document


def put(document: Any, pointer: str, value: Any) -> None:
    """Write one value where there is one already."""
    *way, last = _words(pointer)
    for word in way:
        document = document[int(word)] if isinstance(document, list) else document[word]
    if isinstance(document, list):
        document[int(last)] = value
    else:
        document[last] = value


def figure(fields: Sequence[Field], currency: str) -> Amount | str:
    """What a line of the list ends with: its first share or amount, as the page's language writes it."""
    for field in fields:
        fits = _DECIMAL.fullmatch(field.value)
        if field.kind == "percent" and fits:
            return percent(Decimal(field.value) / 100)
        if field.kind == "money" and fits and currency in CURRENCIES:
            return Amount(micros(field.value), currency)
        if field.kind in ("percent", "money"):
            return field.value
    return ""


def _leaves(part: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key not in _NOT_EDITED:
                yield from _leaves(value, (*place, key))
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from _leaves(value, (*place, index))
    elif part is not None:
        yield place, part


def _called(key: str) -> str:
    return gettext(_LABELS[key]) if key in _LABELS else key.replace("_", " ")


def _kind(place: Sequence[str | int], value: Any) -> Kind:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, str):
        return "text"
    names = [one for one in place if isinstance(one, str)]
    if any(name == "ppm" or name.endswith("_ppm") for name in names):
        return "percent"
    return "money" if any(name in _MONEY for name in names) else "number"


def _shown(value: Any, kind: Kind, currency: str) -> str:
    if kind == "flag":
        return "yes" if value else "no"
    if kind == "money" and value >= 0:
        return plain(value, currency)
    if kind == "percent" and value >= 0:
        return _trimmed(value * 100)
    return str(value)


def _trimmed(ppm_hundred: int) -> str:
    whole, below = divmod(ppm_hundred, MICROS)
    return f"{whole}.{below:06d}".rstrip("0").rstrip(".")


def _read(text: str, field: Field, currency: str) -> Any:
    if field.kind == "text":
        if not text or not text.isprintable() or len(text) > 500:
            raise unreadable(gettext("{field}: write 1 to 500 letters.").format(field=field.label))
        return text
    if field.kind == "flag":
        if text not in FLAGS:
            raise unreadable(gettext("{field}: choose yes or no.").format(field=field.label))
        return FLAGS[text]
    if field.kind == "number":
        if not _NUMBER.fullmatch(text):
            raise unreadable(gettext("{field}: write a whole number.").format(field=field.label))
        return int(text)
    if not _DECIMAL.fullmatch(text):
        raise unreadable(gettext("{field}: write digits with a point, such as 12.50.").format(field=field.label))
    size = micros(text)
    if field.kind == "percent":
        if size > 100 * MICROS or size % 100:
            raise unreadable(
                gettext("{field}: a share is 0 to 100 percent, with four digits behind the point at most.").format(
                    field=field.label
                )
            )
        return size // 100
    if size > MAX_AMOUNT:
        raise unreadable(gettext("{field}: this amount is too large.").format(field=field.label))
    return size


def _words(pointer: str) -> list[str]:
    return [word.replace("~1", "/").replace("~0", "~") for word in pointer.split("/")[1:]]


def _escaped(word: str | int) -> str:
    return str(word).replace("~", "~0").replace("/", "~1")
