"""Who owes what?

The nouns of adjudication: the line that is asked about, the keys of running totals, and the answer. All amounts are
integers of micro-units of the line's currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, Protocol

from drachm.domain.events.model import UNIT, Fact

Bearer = Literal["patient", "payer", "provider"]

_NOTHING: Final[Mapping[str, Any]] = {}


class Key(NamedTuple):
    """Where one running total lives: rows by (scope id, name, period), never named columns."""

    scope: str
    """Member, family or policy id."""
    name: str
    """``document/accumulator[by values]``; a pool's registers end in ``#S``, ``#C``, ``#R`` ..."""
    period: str
    """``Y2025-01-01``, ``M2025-03``, ``V:visit`` ... (see docs/reference/plan-model.md, section 3)."""


Totals = Mapping[Key, int]
"""Running totals as they stand before the line; an absent key is 0."""


class Numbering(NamedTuple):
    """How a key becomes the number under which hot rows know its total (`clearing.numbers`)."""

    homes: Callable[[str], Mapping[str, int]]
    """Scope -> the number of its home in a period, as far as it is known: to be asked before `home`."""
    home: Callable[[str, str], int]
    """The number of a home: scope, period."""
    slot: Callable[[str, str], int]
    """Of a total within its home: name, period. The total's number is both, one mixed into the other (`^`)."""


class Said(Protocol):
    """What is known of a line, by the names of facts: a dictionary, or what answers as one."""

    def get(self, name: str, default: Any, /) -> Any:
        """A fact; the default where nobody says it."""

    def keys(self) -> Iterable[str]:
        """Of every fact that somebody says."""

    def __getitem__(self, name: str, /) -> Any:
        """A fact; KeyError where nobody says it."""


@dataclass(slots=True, init=False)
class Line:
    """One priced line with everything a plan may look at."""

    id: str
    """Stable id of the event; stands in for a missing visit."""
    billed: int
    cost: int
    """The allowed amount, not negative: what benefits are worked out on."""
    at: datetime
    """Aware UTC instant of the service."""
    member: str
    family: str
    policy: str
    visit: str
    admission: str
    quantity: int
    """Millionths."""
    facts: Said
    document_facts: Mapping[str, Mapping[str, Fact]]
    """Document id -> facts of that coverage (tier, policy_start ...); for that document they override `facts`."""
    policies: Mapping[str, str]
    """Document id -> policy id of that coverage; for that document it overrides `policy`."""

    # Written out because the one that is made takes four times as long.
    def __init__(
        self,
        id: str,
        billed: int,
        cost: int,
        at: datetime,
        member: str,
        family: str = "",
        policy: str = "",
        visit: str = "",
        admission: str = "",
        quantity: int = UNIT,
        facts: Said = _NOTHING,
        document_facts: Mapping[str, Mapping[str, Fact]] = _NOTHING,
        policies: Mapping[str, str] = _NOTHING,
    ) -> None:
        self.id = id
        self.billed = billed
        self.cost = cost
        self.at = at
        self.member = member
        self.family = family
        self.policy = policy
        self.visit = visit
        self.admission = admission
        self.quantity = quantity
        self.facts = facts
        self.document_facts = document_facts
        self.policies = policies


class Share(NamedTuple):
    """One amount with its bearer. The shares of an adjudication sum to the billed amount exactly."""

    bearer: Bearer
    party: str
    """Payer or party id when `bearer` is payer; empty otherwise."""
    component: str
    """`deductible`, `copay`, `coinsurance`, `not_covered`, `plan_paid`, `contractual_adjustment`, `rounding` ..."""
    amount: int
    document: str = ""
    """Id of the plan document that assigned it; empty for the price itself."""
    reason: str = ""


class Credit(NamedTuple):
    """A transfer for earlier events of a pool: positive, the payer gives to the patient; negative, it takes back."""

    party: str
    amount: int
    document: str
    step: str
    period: str


class Step(NamedTuple):
    """One line of "why this amount?": a plan step that moved money or ended the line."""

    document: str
    version: str
    step: str
    kind: str
    clause: str
    reason: str
    amount: int
    """Moved by this step; negative when it gave back (out-of-pocket maximum, period cap)."""
    target: str
    """Component or party that received it."""
    open_after: int
    """What this document has still to decide after the step."""
    accumulator: str = ""
    """The accumulator or pool that bound the step."""
    used: int = 0
    """Its value before the line."""
    limit: int = 0


class Split(NamedTuple):
    """The answer for one line as flat amounts: what posting needs, and what the whole answer follows from."""

    cost: int
    """The allowed amount, rounded."""
    patient: int
    """The sum of the patient's shares."""
    payers: Sequence[tuple[str, int]]
    """Party and amount of each payer's share, in the order of the shares, none of them 0."""
    credits: tuple[Credit, ...]
    deltas: Sequence[tuple[Any, int]]
    """What the line adds to running totals, zeros left out, each under its key or number as it was handed in."""
    trace: tuple[Step, ...]
    decision: Literal["covered", "denied", "self_pay"]
    reason: str
    amounts: tuple[int, ...]
    """What each step left with each bearer; `Program.tell` names them."""


@dataclass(slots=True)
class Adjudication:
    """The answer for one line. Same line, same documents, same totals: same answer, for ever."""

    billed: int
    allowed: int
    shares: tuple[Share, ...]
    credits: tuple[Credit, ...] = ()
    deltas: tuple[tuple[Key, int], ...] = ()
    """What the line adds to running totals, zero deltas left out, sorted by key."""
    trace: tuple[Step, ...] = ()
    decision: Literal["covered", "denied", "self_pay"] = "covered"
    reason: str = ""
    decided_by: tuple[str, ...] = ()
    """Content hashes of the documents in stack order, or the ids of outside payers' answers."""
    status: Literal["final", "provisional"] = "final"

    @property
    def patient_responsibility(self) -> int:
        return sum(share.amount for share in self.shares if share.bearer == "patient")

    @property
    def plan_paid(self) -> int:
        """What all payers pay for this line; credits to earlier events not included."""
        return sum(share.amount for share in self.shares if share.bearer == "payer")

    @property
    def provider_borne(self) -> int:
        return sum(share.amount for share in self.shares if share.bearer == "provider")
