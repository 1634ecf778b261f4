"""What does a price book document say?

`load_price_book` reads a document once, strictly, and compiles it: codes become dictionary keys, rules become
functions. docs/reference/price-book.md is the manual of every key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from drachm.domain.canonical import content_hash
from drachm.domain.catalog.book import PriceBook
from drachm.domain.catalog.context import AS_SUBMITTED
from drachm.domain.catalog.document import Node, ensure_no_circle, invalid
from drachm.domain.catalog.facts import conditions
from drachm.domain.catalog.listing import Codes, Item, Listing
from drachm.domain.catalog.rule import Scope
from drachm.domain.catalog.rules import compile_rule
from drachm.domain.catalog.tables import read_codes, read_not_priced, read_places
from drachm.domain.events.model import Fact
from drachm.domain.money import RoundingMode, minor_unit
from drachm.domain.periods import Period, zone

_REQUIRED: Final = "id version currency zone effective"
_OPTIONAL: Final = (
    "title label source rounding lesser_of_billed code_systems modifiers place_of_service localities "
    "conversion_factor items schedules defaults not_priced includes"
)
_ITEM_KEYS: Final = "modifiers when category display facts lesser_of_billed rounding"


def load_price_book(document: Mapping[str, Any]) -> PriceBook:
    """Read and compile a price book document.

    Raises `InvalidMessage` naming the JSON path: `invalid_document`, `unknown_currency`, `unknown_zone` or
    `invalid_time`.
    """
    fields = Node(document).fields(_REQUIRED, _OPTIONAL)
    currency = fields["currency"].text()
    default_unit = minor_unit(currency)
    unit, mode = _rounding(fields.get("rounding"), default_unit, "half_up")
    codes, places = read_codes(fields), read_places(fields)
    factor = fields["conversion_factor"].integer(1) if "conversion_factor" in fields else None
    scope = Scope(places, unit, mode, factor)
    reader = _Reader(fields, scope, codes)
    listing = Listing(reader.items(fields.get("items")), codes)
    defaults = reader.defaults(fields.get("defaults"))
    own_schedules = reader.schedules(fields.get("schedules"))
    _ensure_schedules(scope.uses_schedules, own_schedules)
    includes = fields["includes"].texts() if "includes" in fields else ()
    return PriceBook(
        id=_book_id(fields["id"]),
        version=_version(fields["version"]),
        hash=content_hash(document),
        title=_text(fields, "title"),
        source=_text(fields, "source"),
        currency=currency,
        zone=_zone(fields["zone"]),
        effective=_effective(fields["effective"]),
        includes=includes,
        references=frozenset(includes) | frozenset(scope.uses_books),
        listing=listing,
        defaults=defaults,
        not_priced=read_not_priced(fields.get("not_priced"), codes),
        codes=codes,
    )


class _Reader:
    """Reads items with the book's own habits (label, rounding, cap at the asked amount)."""

    def __init__(self, fields: dict[str, Node], scope: Scope, codes: Codes) -> None:
        self._scope = scope
        self._codes = codes
        self._label = _text(fields, "label")
        self._lesser = fields["lesser_of_billed"].flag() if "lesser_of_billed" in fields else True

    def items(self, node: Node | None) -> list[Item]:
        return [self._item(entry) for entry in node.items()] if node else []

    def schedules(self, node: Node | None) -> dict[str, set[str]]:
        """Compile every named schedule; which schedules each one uses."""
        uses: dict[str, set[str]] = {}
        outside = set(self._scope.uses_schedules)
        for name, entry in node.entries() if node else ():
            self._scope.uses_schedules = set()
            self._scope.schedules[name] = Listing(self.items(entry), self._codes)
            uses[name] = self._scope.uses_schedules
        self._scope.uses_schedules = outside
        return uses

    def defaults(self, node: Node | None) -> dict[str, Item]:
        if node is None:
            return {}
        fields = node.fields("", "category any")
        found = (
            {name: self._default(entry, name) for name, entry in fields["category"].entries()}
            if "category" in fields
            else {}
        )
        if "any" in fields:
            found[""] = self._default(fields["any"], "")
        return found

    def _item(self, node: Node) -> Item:
        fields = node.fields("system code rule", _ITEM_KEYS)
        modifiers = tuple(sorted(set(fields["modifiers"].texts()))) if "modifiers" in fields else ()
        system, code = fields["system"].text(), fields["code"].text()
        name = "-".join((code, *modifiers))
        return self._build(fields, node.where, self._codes.systems.get(system, system), code, modifiers, name)

    def _default(self, node: Node, category: str) -> Item:
        fields = node.fields("rule", "display lesser_of_billed rounding")
        name = f"default {category}" if category else "default"
        return self._build({**fields, "category": Node(category, node.where)}, node.where, "", "", (), name)

    def _build(
        self, fields: dict[str, Node], where: str, system: str, code: str, modifiers: tuple[str, ...], name: str
    ) -> Item:
        scope = self._scope
        rule = compile_rule(fields["rule"], scope)
        unit, mode = _rounding(fields.get("rounding"), scope.unit, scope.mode)
        return Item(
            system=system,
            code=code,
            modifiers=modifiers,
            when=conditions(fields["when"], scope.places) if "when" in fields else (),
            category=_text(fields, "category"),
            display=_text(fields, "display"),
            facts=_facts(fields["facts"]) if "facts" in fields else {},
            lesser_of_billed=fields["lesser_of_billed"].flag() if "lesser_of_billed" in fields else self._lesser,
            unit=1 if rule.exact else unit,
            mode=mode,
            rule=rule,
            words=f"{self._label or rule.words} {name}",
            where=where,
        )


def _text(fields: dict[str, Node], key: str) -> str:
    return fields[key].text(empty=True) if key in fields else ""


def _book_id(node: Node) -> str:
    if node.text() == AS_SUBMITTED:
        raise invalid(f"the id {AS_SUBMITTED!r} is built in and needs no book", node.where)
    return node.text()


def _version(node: Node) -> str:
    return str(node.integer(1)) if isinstance(node.value, int) else node.text()


def _zone(node: Node) -> str:
    zone(node.text())
    return node.text()


def _effective(node: Node) -> Period:
    fields = node.fields("from", "until")
    until = fields.get("until")
    period = Period(fields["from"].day(), until.day() if until and until.value is not None else None)
    if period.end is not None and period.end <= period.start:
        raise invalid("'until' is the first day out of force and lies after 'from'", node.where)
    return period


def _rounding(node: Node | None, unit: int, mode: RoundingMode) -> tuple[int, RoundingMode]:
    if node is None:
        return unit, mode
    fields = node.fields("unit", "mode")
    modes = get_args(RoundingMode)
    chosen = cast(RoundingMode, fields["mode"].word(modes)) if "mode" in fields else "half_up"
    return fields["unit"].integer(1), chosen


def _facts(node: Node) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    for name, value in node.entries():
        if not isinstance(value.value, str | int):
            raise invalid("a word, a whole number, true or false is expected", value.where)
        found[name] = value.value
    return found


def _ensure_schedules(used: set[str], schedules: Mapping[str, set[str]]) -> None:
    for name in sorted(used.union(*schedules.values())):
        if name not in schedules:
            raise invalid(f"a rule builds on the schedule {name!r}, which the book does not hold", "$.schedules")
    ensure_no_circle(schedules, "$.schedules")
