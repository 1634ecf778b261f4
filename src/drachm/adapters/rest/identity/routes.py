"""Which routes are there, as data that handlers, the OpenAPI document and the policy table start from?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from drachm.adapters.rest.identity.route_table import TABLE
from drachm.domain.errors import ensure

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PARAMETER = re.compile(r"\{([a-z_]+)\}")
_EXTRAS = frozenset({"key", "stream"})


class About(StrEnum):
    """What a call is about; it decides what `relate` compares the caller with."""

    OPEN = "open"
    ONE = "one"
    MANY = "many"
    NAMED = "named"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the interface."""

    method: str
    template: str
    """Path with its parameters in braces."""
    operation: str
    """OpenAPI operation id; also the name of the handler."""
    about: About
    meaning: str
    """One line for the reader of the OpenAPI document."""
    needs_key: bool = False
    """The call moves money, or prepares to: it is refused without an Idempotency-Key."""
    streams: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters of the path, in order."""
        return tuple(PARAMETER.findall(self.template))

    @property
    def tag(self) -> str:
        """Group in the OpenAPI document: the first word of the path after the version."""
        words = [word for word in self.template.split("/") if word and word != "v1"]
        return {"r": "receipt-page"}.get(words[0], words[0].removesuffix(".json").lstrip("."))

    @property
    def reads(self) -> bool:
        """True when the call changes nothing."""
        return self.method == "GET"


def read_routes(table: str) -> tuple[Route, ...]:
    """The routes of a table in the form of `route_table.py`. Raises IntegrityError for an entry it cannot read."""
    lines = [line for line in table.splitlines() if line.strip()]
    ensure(len(lines) % 2 == 0, "an entry has two lines", where="route table")
    routes = tuple(_route(head, lines[2 * index + 1]) for index, head in enumerate(lines[::2]))
    for name, values in (
        ("operation", [route.operation for route in routes]),
        ("method and path", [(route.method, route.template) for route in routes]),
    ):
        ensure(len(set(values)) == len(values), f"the same {name} stands there twice", where="route table")
    return routes


def _route(head: str, meaning: str) -> Route:
    method, template, operation, about, *extras = head.split()
    ensure(method in METHODS and template.startswith("/"), f"cannot read {head!r}", where="route table")
    ensure(meaning.startswith("  ") and not _EXTRAS.issuperset({about}), f"cannot read {head!r}", where="route table")
    ensure(_EXTRAS.issuperset(extras), f"unknown words in {head!r}", where="route table")
    return Route(method, template, operation, About(about), meaning.strip(), "key" in extras, "stream" in extras)


ROUTES = read_routes(TABLE)
BY_OPERATION = {route.operation: route for route in ROUTES}
