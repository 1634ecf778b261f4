"""Who is calling, and what are they to the people and parties of a tenant?

A caller is known by a credential: an API key, a token of an OIDC provider, a token of our own for a machine, or a
signed link to one receipt. Whatever it was, what follows is one `Principal`; nothing after this file asks how it came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Environment(StrEnum):
    """Play money or real money: a tenant is one or the other, and so is every credential."""

    SANDBOX = "sandbox"
    LIVE = "live"


class Kind(StrEnum):
    """What stands behind the credential."""

    ANONYMOUS = "anonymous"
    PERSON = "person"
    MACHINE = "machine"
    LINK = "link"
    """Whoever holds a signed link: one receipt, nothing else."""


class Role(StrEnum):
    """What somebody does in a tenant; the table of `policy.py` says what each may do."""

    PATIENT = "patient"
    RELATIVE = "relative"
    CLERK = "clerk"
    FINANCE = "finance"
    PRICE_EDITOR = "price_editor"
    PAYER = "payer"
    FUNDER = "funder"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    INTEGRATOR = "integrator"


PERSONAL_ROLES = frozenset({Role.PATIENT, Role.RELATIVE})
"""Roles that belong to a human being who logs in: no machine credential may carry them."""


class Scope(StrEnum):
    """What a credential was given to do; a role without the scope, or a scope without the role, opens nothing."""

    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"
    ESTIMATES = "estimates"
    RECEIPTS_READ = "receipts:read"
    RECEIPTS_SHARE = "receipts:share"
    PARTIES_READ = "parties:read"
    PARTIES_WRITE = "parties:write"
    PAYOUTS_READ = "payouts:read"
    PAYOUTS_WRITE = "payouts:write"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    PLANS_READ = "plans:read"
    PLANS_WRITE = "plans:write"
    MONEY_READ = "money:read"
    MONEY_WRITE = "money:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"


class Relation(StrEnum):
    """What the caller is to a member."""

    SELF = "self"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class MemberTie:
    """The caller is this member, or was allowed by this member (or their guardian) to look; half-open in time."""

    member: str
    relation: Relation
    valid_from: datetime
    valid_until: datetime | None = None
    revoked_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """True from `valid_from` on, until the tie ends or was revoked, whichever is first."""
        ends = [end for end in (self.valid_until, self.revoked_at) if end is not None]
        return self.valid_from <= at and all(at < end for end in ends)


@dataclass(frozen=True, slots=True)
class Principal:
    """Everything about a caller that a decision may ask for."""

    tenant: str
    """The operator's market this credential belongs to; empty for nobody."""
    kind: Kind
    subject: str
    """Stable name of the person or machine behind the credential; makers and checkers are told apart by it."""
    credential: str
    """Id of the API key, client or token issuer; safe to log. Never the secret."""
    environment: Environment
    roles: frozenset[Role] = frozenset()
    parties: frozenset[str] = frozenset()
    """Parties the caller acts for: clinics, payers, funders, employers. Every role holds at every one of them: whoever
    is one thing here and another there has a credential for each."""
    members: tuple[MemberTie, ...] = ()
    scopes: frozenset[Scope] = frozenset()
    receipt: str = ""
    """The one receipt that a signed link opens."""
    second_factor: bool = False
    """True when the holder of a link also gave the second factor."""

    def tied_to(self, relation: Relation, at: datetime) -> frozenset[str]:
        """Members to whom this relation holds at that moment."""
        return frozenset(tie.member for tie in self.members if tie.relation is relation and tie.holds(at))


@dataclass(frozen=True, slots=True)
class Resource:
    """What a call is about, as far as who-may-do-what is concerned; read from storage or from the body of the call.

    A body that names a thing of another tenant, or none at all, gives the same answer: what is compared is what the
    caller *is*, never what was found.
    """

    tenant: str
    environment: Environment
    id: str = ""
    parties: frozenset[str] = field(default_factory=frozenset)
    """Parties to it who may see it: the provider and the payers of a charge, the clinics and payers of a member, the
    owner of an account, the funder of a wallet. A funder is no party to care it paid for."""
    members: frozenset[str] = field(default_factory=frozenset)
    """Members whom it is about."""
    maker: str = ""
    """`Principal.subject` of whoever proposed the change that waits for a second person."""


class Directory(Protocol):
    """What is known here about a person whom an OIDC provider vouches for."""

    def ties(self, tenant: str, subject: str) -> tuple[MemberTie, ...]:
        """Whose records this person may look at. Read at every decision that matters: revoking takes effect at once."""
        ...


def anonymous(environment: Environment) -> Principal:
    """The caller without a credential."""
    return Principal("", Kind.ANONYMOUS, "", "", environment)


def scopes_of(words: Iterable[str]) -> frozenset[Scope]:
    """The words that are scopes of ours; others belong to somebody else and are left out."""
    known = {scope.value: scope for scope in Scope}
    return frozenset(known[word] for word in words if word in known)


def roles_of(words: Iterable[str]) -> frozenset[Role]:
    """The words that are roles of ours; others are left out."""
    known = {role.value: role for role in Role}
    return frozenset(known[word] for word in words if word in known)
