"""Which facts may a price look at, and where do they come from?

Rules and conditions read facts by name. Site facts come from the `PriceContext`, line facts from the event, and
`locality` and `setting` pass through the book's own tables (`Places`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from drachm.domain.catalog.context import PriceContext
from drachm.domain.catalog.document import Node, invalid
from drachm.domain.errors import Pended
from drachm.domain.events.model import Fact, ServiceEvent

FACILITY: Final = "facility"
NON_FACILITY: Final = "non_facility"
EVENT_FACT: Final = "fact."
"""Prefix of a name that looks into `ServiceEvent.facts`: ``fact.drug_class``."""

Reader = Callable[[ServiceEvent, PriceContext], str]
"""Reads one fact as a word; empty when nobody supplied it."""


@dataclass(frozen=True, slots=True)
class Places:
    """The book's tables of places: what localities are called, and which places of service are facilities."""

    facility: frozenset[str] = frozenset()
    non_facility: frozenset[str] = frozenset()
    localities: Mapping[str, str] = field(default_factory=dict)
    """Every name of a locality -> its name in this book; empty: locality names are taken as they come."""
    indices: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """Locality -> work, practice expense and malpractice index in millionths."""

    def locality(self, event: ServiceEvent, at: PriceContext) -> str:
        """The book's name of the site's locality; a number alone is read within the site's state."""
        known, name = self.localities, at.locality
        if name in known:
            return known[name]
        if not known:
            return name
        # A state with one locality is named by the state alone; a number alone repeats from state to state.
        return known.get(f"{at.state}-{name}" if name else at.state, name)

    def setting(self, event: ServiceEvent, at: PriceContext) -> str:
        """`facility` or `non_facility`: by the place of service, else by the site.

        Medicare Claims Processing Manual chapter 12 section 20.4.2 pays by the place of service code. Raises `Pended`
        (`fact_missing`) for a code that the book's table does not hold.
        """
        place = event.place_of_service
        if not place or not self.facility:
            return FACILITY if at.facility else NON_FACILITY
        if place in self.facility:
            return FACILITY
        if place in self.non_facility:
            return NON_FACILITY
        raise Pended(
            "fact_missing",
            f"place of service {place[:8]!r} is neither a facility nor a non-facility place in this book",
            where="place_of_service",
            next_step="Send a place of service code of the book's table, or none.",
        )


def word(value: Fact) -> str:
    """A fact as conditions compare it: ``true``, ``false``, the digits of a number, or the text itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


_SITE_AND_LINE: Final[dict[str, Reader]] = {
    "state": lambda event, at: at.state,
    "facility_level": lambda event, at: at.facility_level,
    "network": lambda event, at: at.network,
    "rural": lambda event, at: word(at.rural),
    "self_pay": lambda event, at: word(at.self_pay),
    "place_of_service": lambda event, at: event.place_of_service,
    "billing_party": lambda event, at: event.billing_party,
    "site": lambda event, at: event.site,
    "unit": lambda event, at: event.unit,
    "emergency": lambda event, at: word(event.emergency),
}
FACTS: Final = ("locality", "setting", *_SITE_AND_LINE)
"""Names a document may use besides ``fact.<name>``."""


def reader(name: str, places: Places, where: str) -> Reader:
    """The function that reads fact `name`; `InvalidMessage` at `where` for a name nobody knows."""
    if name == "locality":
        return places.locality
    if name == "setting":
        return places.setting
    if name.startswith(EVENT_FACT) and len(name) > len(EVENT_FACT):
        key = name.removeprefix(EVENT_FACT)
        return lambda event, at: word(event.facts.get(key, ""))
    if name not in _SITE_AND_LINE:
        raise invalid(f"unknown fact {name[:40]!r}; known are {', '.join(FACTS)} and {EVENT_FACT}<name>", where)
    return _SITE_AND_LINE[name]


@dataclass(frozen=True, slots=True)
class Condition:
    """One fact must be one of these words."""

    fact: str
    read: Reader
    words: frozenset[str]


def conditions(node: Node, places: Places) -> tuple[Condition, ...]:
    """Read a `when` object: every entry must hold; a value is a word, number or flag, or an array of them."""
    found = []
    for name, wanted in node.entries():
        values = [one.value for one in wanted.items()] if isinstance(wanted.value, list | tuple) else [wanted.value]
        if not values or not all(isinstance(value, str | int) for value in values):
            raise invalid("a word, a whole number, true, false, or an array of these is expected", wanted.where)
        found.append(Condition(name, reader(name, places, wanted.where), frozenset(word(value) for value in values)))
    return tuple(found)
