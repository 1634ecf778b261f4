"""Every route, tried by every role, on things that are theirs and not: which answer is right?

`cases()` gives (request, expected answer) pairs worked out from `matrix_rules.py` alone. `test_matrix.py` holds them
against `decide`; a test of the running service can send the same ones: `Case.path` with ids of that service, a
credential for `Case.caller`, and `Case.expected` as what must come back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from matrix_rules import (
    ANY_CREDENTIAL,
    BY_LINK,
    BY_LINK_AND_ANSWER,
    HUMAN,
    NO_SCOPE,
    NO_SECRET,
    NOT_THE_PROPOSER,
    PUBLIC,
    ROLES,
    SCOPES,
    THIS_MACHINE,
    words,
)

from drachm.adapters.rest.identity.routes import ROUTES, About, Route

STATUS = {
    "allow": 200,
    "unauthenticated": 401,
    "role_missing": 403,
    "scope_missing": 403,
    "person_required": 403,
    "second_person_required": 403,
    "second_factor_required": 403,
    "not_related": 403,
    "not_found": 404,
}


@dataclass(frozen=True)
class Target:
    """A thing in the small world of the matrix, named for what it is to the caller.

    The caller acts for the clinic `north`, is the member `ana`, was let in by `ben`, was let in and then shut out by
    `cem`, until yesterday by `dev`, and from tomorrow on by `eli`. `fay` is nobody to them, `south` another clinic.
    """

    name: str
    members: frozenset[str]
    parties: frozenset[str]
    market: str = "ours"
    """`ours`, `other tenant` or `other environment`; the ids are the same in all three."""
    related: frozenset[str] = frozenset()
    """Which ties of the caller reach it: self, relative, party."""
    wholly: bool = True
    """Everything it names is reached by those ties."""


def _target(
    name: str, members: str, parties: str, related: str = "", market: str = "ours", wholly: bool = True
) -> Target:
    sets = [frozenset(text.split()) for text in (members, parties, related)]
    return Target(name, sets[0], sets[1], market, sets[2], wholly)


TARGETS = (
    _target("self", "ana", "south", "self"),
    _target("self at own clinic", "ana", "north", "self party"),
    _target("relative", "ben", "south", "relative"),
    _target("revoked relative", "cem", "south"),
    _target("relative until yesterday", "dev", "south"),
    _target("relative from tomorrow", "eli", "south"),
    _target("other patient", "fay", "south"),
    _target("other patient of own clinic", "fay", "north", "party"),
    _target("other clinic", "", "south"),
    _target("own clinic", "", "north", "party"),
    _target("nobody", "", ""),
    _target("other tenant", "ana ben", "north", "", "other tenant"),
    _target("other environment", "ana ben", "north", "", "other environment"),
)
MIXED = (
    _target("self and another", "ana fay", "south", "self", wholly=False),
    _target("own clinic and another", "fay", "north south", "party", wholly=False),
)
LIST = _target("a list", "", "")


@dataclass(frozen=True)
class Caller:
    """Whose credential comes with the call."""

    roles: tuple[str, ...] = ()
    kind: str = "person"
    """person, machine, link, or anonymous."""
    lacks: str = ""
    """The one scope that the credential was not given."""
    proposer: bool = False
    """The change that waits was proposed by this caller."""
    answered: bool = False
    """The holder of a link gave the second factor."""


@dataclass(frozen=True)
class Case:
    """One call and the answer it must get."""

    route: Route
    caller: Caller
    target: Target
    expected: str
    """`allow`, or the code of the denial."""

    @property
    def status(self) -> int:
        """HTTP status of a denial; 200 stands for whatever the handler says once the caller may call it."""
        return STATUS[self.expected]

    def path(self, ids: Mapping[str, str]) -> str:
        """The path, with ids of the service under test by parameter name; a parameter without one gets a made-up id."""
        return re.sub(r"\{([a-z_]+)\}", lambda found: ids.get(found[1], f"{found[1]}-unknown"), self.route.template)


_TIES = {
    role: {operation: tie for tie, groups in ties.items() for operation in words(groups)}
    for role, ties in ROLES.items()
}
SCOPE_OF = {operation: scope for scope, groups in SCOPES.items() for operation in words(groups)}


def expected(operation: str, about: About, caller: Caller, target: Target) -> str:
    """The right answer, by the paragraphs of `matrix_rules.py`."""
    if operation in PUBLIC:
        return "allow"
    if operation in THIS_MACHINE:
        return "not_found"
    if caller.kind == "anonymous":
        return "unauthenticated"
    if operation in BY_LINK | BY_LINK_AND_ANSWER:
        if caller.kind != "link" or target.name != "self":
            return "not_found"
        return "second_factor_required" if operation in BY_LINK_AND_ANSWER and not caller.answered else "allow"
    if caller.kind == "link":
        return "role_missing"
    if operation in ANY_CREDENTIAL:
        return "allow"
    ties = {_TIES[role][operation] for role in caller.roles if operation in _TIES[role]}
    if not ties:
        return "role_missing"
    if operation not in NO_SCOPE and caller.lacks == SCOPE_OF[operation]:
        return "scope_missing"
    if operation in HUMAN and caller.kind != "person":
        return "person_required"
    stranger = _stranger(operation, about, ties, target)
    if stranger:
        return stranger
    return "second_person_required" if operation in NOT_THE_PROPOSER and caller.proposer else "allow"


def _stranger(operation: str, about: About, ties: set[str], target: Target) -> str:
    if about is About.NAMED:
        return "" if "tenant" in ties or (ties & target.related and target.wholly) else "not_related"
    if target.market != "ours":
        return "not_found"
    if "tenant" in ties or ties & target.related or about is About.MANY:
        return ""
    return "not_related" if operation in NO_SECRET else "not_found"


def reached(operation: str, caller: Caller) -> frozenset[str]:
    """Which ties a list is filled by, for a caller who may ask for it: `tenant` stands for every row."""
    return frozenset(_TIES[role][operation] for role in caller.roles if operation in _TIES[role])


def callers(operation: str) -> Iterator[Caller]:
    """Everybody who may try a call: no role, each role, each pair of roles; people and machines; links; nobody."""
    yield Caller(kind="anonymous")
    yield Caller(kind="link")
    yield Caller(kind="link", answered=True)
    for roles in [(), *((role,) for role in ROLES)]:
        for kind in ("person", "machine"):
            yield Caller(roles, kind)
            yield Caller(roles, kind, lacks=SCOPE_OF.get(operation, "money:write"))
        if operation in NOT_THE_PROPOSER:
            yield Caller(roles, proposer=True)
    for pair in combinations(ROLES, 2):
        yield Caller(pair)
        yield Caller(pair, lacks=SCOPE_OF.get(operation, "money:write"))


def targets(about: About) -> tuple[Target, ...]:
    """What a call may be about. A list, and what is about the tenant as a whole, is always our own tenant's."""
    if about in (About.ONE, About.OPEN):
        return TARGETS
    if about is About.NAMED:
        return (*TARGETS, *MIXED)
    return (LIST,)


def cases() -> Iterator[Case]:
    """Every pair of a request and its answer."""
    for route in ROUTES:
        for target in targets(route.about):
            for caller in callers(route.operation):
                yield Case(route, caller, target, expected(route.operation, route.about, caller, target))
