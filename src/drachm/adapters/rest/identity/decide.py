"""May this caller do this to that thing?

`relate` says what the caller is to the thing, `decide` holds that against one row of the policy table. Both are pure:
the same values give the same answer, so a million of them can be tried in a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from drachm.adapters.rest.identity.model import Kind, Principal, Relation, Resource, Role, Scope
from drachm.adapters.rest.identity.routes import About


class Need(StrEnum):
    """What somebody with a role must be to the thing."""

    TENANT = "T"
    """Nothing more: the role reaches the whole tenant."""
    PARTY = "P"
    """Act for a party to it."""
    SELF = "S"
    """Be the member it is about."""
    RELATIVE = "R"
    """Be let in by that member, not revoked, not expired."""


class Access(StrEnum):
    """Who can use a route at all."""

    ROLES = "roles"
    OPEN = "open"
    """Everybody, also without a credential."""
    KNOWN = "known"
    """Every person or machine with a credential."""
    LINK = "link"
    """Whoever holds a signed link to this receipt."""
    FACTOR = "factor"
    """The same, after the second factor."""
    HOST = "host"
    """Nobody here: only a listener that other machines cannot reach serves it, because it tells of all tenants."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One row of the table: who may use one route."""

    method: str
    template: str
    access: Access
    about: About
    scope: Scope | None = None
    grants: Mapping[Role, Need] = field(default_factory=dict)
    hidden: bool = True
    """Somebody without a relation is told 404: that the thing exists is itself a secret."""
    people: bool = False
    """Only a person may do it, no machine."""
    second: bool = False
    """Not whoever proposed it."""
    wait_hours: int = 0
    """How long what was agreed waits until it holds."""


@dataclass(frozen=True, slots=True)
class Relations:
    """What a caller is to a thing, or, for a list, everything the caller could reach."""

    market: bool
    """Same tenant, same environment."""
    parties: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    relatives: frozenset[str] = frozenset()
    maker: bool = False
    """The caller proposed the change that waits."""
    link: bool = False
    """The caller holds a link to this receipt."""
    named_parties: frozenset[str] = frozenset()
    """Parties that the body names: all of them must be the caller's, else none counts."""
    named_members: frozenset[str] = frozenset()
    """Members that the body names, likewise."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What an allowed caller sees: the rows a list may show, and why a single thing was shown."""

    everything: bool = False
    parties: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()

    def covers(self, parties: frozenset[str], members: frozenset[str]) -> bool:
        """Whether an item of a body that names these is the caller's to send: the rule of `About.NAMED`."""
        return (
            self.everything
            or (bool(parties) and parties <= self.parties)
            or (bool(members) and members <= self.members)
        )

    def __bool__(self) -> bool:
        return self.everything or bool(self.parties) or bool(self.members)


@dataclass(frozen=True, slots=True)
class Allow:
    """Yes, within `reach`; a list of an empty reach is empty."""

    reach: Reach


@dataclass(frozen=True, slots=True)
class Deny:
    """No. `code` is a key of `DENIALS`, which gives the HTTP status and the words."""

    code: str

    @property
    def status(self) -> int:
        return DENIALS[self.code][0]


DENIALS: Mapping[str, tuple[int, str]] = {
    "unauthenticated": (401, "This call needs a credential."),
    "role_missing": (403, "None of your roles may do this."),
    "scope_missing": (403, "Your credential was not given the scope for this."),
    "person_required": (403, "Only a person who has logged in may do this, not a machine."),
    "second_person_required": (403, "You proposed this change: somebody else must agree to it."),
    "second_factor_required": (403, "The link alone does not show this: answer the second question first."),
    "not_related": (403, "You do not act for what you named."),
    "not_found": (404, "There is nothing here that you may see."),
}

Decision = Allow | Deny


def relate(principal: Principal, resource: Resource, about: About, at: datetime) -> Relations:
    """What the caller is to the resource at that moment.

    Of a thing that exists, one party or member in common is enough. Of what a body names, everything must be the
    caller's: else one could act on others by naming oneself beside them. A list takes all that the caller has.
    """
    own = principal.tied_to(Relation.SELF, at)
    relatives = principal.tied_to(Relation.RELATIVE, at)
    market = principal.tenant != "" and (principal.tenant, principal.environment) == (
        resource.tenant,
        resource.environment,
    )
    if not market:
        return Relations(market=False)
    if about is About.MANY:
        return Relations(True, principal.parties, own, relatives)
    named = about is About.NAMED
    return Relations(
        market=True,
        parties=resource.parties & principal.parties,
        own=resource.members & own,
        relatives=resource.members & relatives,
        maker=resource.maker in ("", principal.subject),  # Of a change that nobody owns up to, nobody is the second.
        link=resource.id != "" and resource.id == principal.receipt,
        named_parties=resource.parties if named else frozenset(),
        named_members=resource.members if named else frozenset(),
    )


def decide(policy: Policy, principal: Principal, relations: Relations) -> Decision:
    """Allow or deny one call.

    What does not depend on the thing is checked first, so that a 403 tells nothing about it; everything that does
    depend on it is a 404 unless the row says that its existence is no secret.
    """
    if policy.access is Access.OPEN:
        return Allow(Reach())
    if policy.access is Access.HOST:
        return Deny("not_found")
    if principal.kind is Kind.ANONYMOUS:
        return Deny("unauthenticated")
    if policy.access in (Access.LINK, Access.FACTOR):
        return _by_link(policy, principal, relations)
    if principal.kind is Kind.LINK:
        return Deny("role_missing")
    if policy.access is Access.KNOWN:
        return Allow(Reach())
    needs = frozenset(need for role, need in policy.grants.items() if role in principal.roles)
    if not needs:
        return Deny("role_missing")
    if policy.scope is not None and policy.scope not in principal.scopes:
        return Deny("scope_missing")
    if policy.people and principal.kind is not Kind.PERSON:
        return Deny("person_required")
    return _by_relation(policy, needs, relations)


def _by_relation(policy: Policy, needs: frozenset[Need], relations: Relations) -> Decision:
    if policy.about is About.NAMED:
        stranger = Deny("not_related")  # Nothing was looked up: it tells only what the caller is not.
    else:
        stranger = Deny("not_found" if policy.hidden or not relations.market else "not_related")
    if not relations.market:
        return stranger
    parties = relations.parties if Need.PARTY in needs else frozenset()
    members = (relations.own if Need.SELF in needs else frozenset()) | (
        relations.relatives if Need.RELATIVE in needs else frozenset()
    )
    reach = Reach(
        everything=Need.TENANT in needs,
        parties=parties if relations.named_parties <= parties else frozenset(),
        members=members if relations.named_members <= members else frozenset(),
    )
    if not reach and policy.about is not About.MANY:
        return stranger
    if policy.second and relations.maker:
        return Deny("second_person_required")
    return Allow(reach)


def _by_link(policy: Policy, principal: Principal, relations: Relations) -> Decision:
    """Other credentials open receipts at their own address, not at that of a link."""
    if principal.kind is not Kind.LINK or not relations.market or not relations.link:
        return Deny("not_found")
    if policy.access is Access.FACTOR and not principal.second_factor:
        return Deny("second_factor_required")
    return Allow(Reach())
