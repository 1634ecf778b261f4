"""Which words does the book share among its rules?

Readers of the tables at the head of a document: code systems, modifiers, localities, places of service, and the codes
the book knows without pricing them.
"""

from __future__ import annotations

from collections.abc import Mapping

from drachm.domain.catalog.document import Node, invalid
from drachm.domain.catalog.facts import Places
from drachm.domain.catalog.listing import Codes


def read_codes(fields: dict[str, Node]) -> Codes:
    """The other names of code systems, and the modifiers that count."""
    systems: dict[str, str] = {}
    for name, others in fields["code_systems"].entries() if "code_systems" in fields else ():
        for other in others.items():
            if systems.setdefault(other.text(), name) != name:
                raise invalid(f"{other.value!r} is another name of two code systems", other.where)
    named = fields["modifiers"].fields("", "significant not_supported") if "modifiers" in fields else {}
    not_supported = (
        {key: why.text() for key, why in named["not_supported"].entries()} if "not_supported" in named else {}
    )
    significant = set(named["significant"].texts()) if "significant" in named else set()
    significant |= _modifiers_of_items(fields)
    for modifier in significant & set(not_supported):
        raise invalid(f"modifier {modifier!r} is priced and not supported at once", "$.modifiers")
    return Codes(systems, frozenset(significant), not_supported)


def _modifiers_of_items(fields: dict[str, Node]) -> set[str]:
    """Every modifier that some item names is significant by itself."""
    lists = [fields["items"]] if "items" in fields else []
    if "schedules" in fields:
        lists += [schedule for _, schedule in fields["schedules"].entries()]
    items = [item.value for one in lists for item in one.items()]
    named = [item.get("modifiers") for item in items if isinstance(item, Mapping)]
    return {word for words in named if isinstance(words, list | tuple) for word in words if isinstance(word, str)}


def read_places(fields: dict[str, Node]) -> Places:
    """Localities with their indices and other names, and the facility places of service."""
    names: dict[str, str] = {}
    indices: dict[str, tuple[int, int, int]] = {}
    for locality, node in fields["localities"].entries() if "localities" in fields else ():
        entry = node.fields("", "name also work practice_expense malpractice")
        if "name" in entry:
            entry["name"].text()
        for name in (locality, *(entry["also"].texts() if "also" in entry else ())):
            if names.setdefault(name, locality) != locality:
                raise invalid(f"{name!r} names two localities", node.where)
        present = [key for key in ("work", "practice_expense", "malpractice") if key in entry]
        if present:
            node.fields("work practice_expense malpractice", "name also")
            indices[locality] = (
                entry["work"].integer(),
                entry["practice_expense"].integer(),
                entry["malpractice"].integer(),
            )
    if "place_of_service" not in fields:
        return Places(localities=names, indices=indices)
    table = fields["place_of_service"].fields("facility non_facility")
    facility, non_facility = (frozenset(table[key].texts()) for key in ("facility", "non_facility"))
    for both in facility & non_facility:
        raise invalid(f"place of service {both!r} is a facility and is none", "$.place_of_service")
    return Places(facility, non_facility, names, indices)


def read_not_priced(node: Node | None, codes: Codes) -> dict[tuple[str, str], str]:
    """Codes that the book knows and does not price, each with why."""
    found: dict[tuple[str, str], str] = {}
    for _, group in node.entries() if node else ():
        fields = group.fields("system why codes")
        system, why = fields["system"].text(), fields["why"].text()
        for code in fields["codes"].texts():
            found[codes.systems.get(system, system), code] = why
    return found
