"""How do drafts of plans and price books look, what is found wrong with them, and what they would have cost?"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from drachm.adapters.rest.service.money_shapes import Sum
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Day, Shape, View
from drachm.application.preview import MOST_ROWS

Document = Annotated[dict[str, Any], Meta(description="The whole document; integers only, unknown keys are refused.")]


class VersionView(View, rename={"from_": "from"}):
    """A published version."""

    version: str
    hash: str
    """SHA-256 of the canonical document; receipts name it."""
    from_: Day
    until: Day | None
    """The first day on which it is in force no more: its own, or the one on which the next version takes over."""
    superseded_by: str | None
    """The version that takes over before this one's own days are over."""
    published_at: Moment


class FaultView(View):
    """A place of the draft that keeps it from being published."""

    pointer: str
    """JSON Pointer into the document."""
    code: str
    detail: str
    next_step: str


class CaseDifference(View):
    """What came out otherwise than the case says."""

    what: str
    expected: str
    found: str


class CaseView(View):
    """How one line of a test case came out."""

    case: str
    line: int
    passed: bool
    differences: list[CaseDifference]


class Validation(View):
    """Whether the draft may be published."""

    valid: bool
    faults: list[FaultView]
    """The first fault of the document itself, or everything that published versions stand against."""
    cases: list[CaseView]
    """Looked at only when the document has no fault of its own."""


class PreviewOrder(Shape, rename={"from_": "from"}):
    """Which past care to try the draft on."""

    from_: Day
    until: Day
    """The first day that is not looked at any more."""
    most: Annotated[int, Meta(ge=1, le=MOST_ROWS, description="Charges to look at, at most.")] = 1_000


class PreviewSums(View):
    """What the charges came to in one currency."""

    billed: Sum
    allowed: Sum
    payers: Sum
    patient: Sum
    provider: Sum
    """Of the allowed amounts, and the cut from what was asked."""
    denied: int


class PreviewChange(View):
    """One currency, before and after."""

    currency: str
    before: PreviewSums
    after: PreviewSums


class PreviewView(View, rename={"from_": "from"}):
    """Past charges decided again under the draft: sums, no person named. The running totals of the first charge are as
    they stood; from then on they move as the draft says."""

    from_: Day
    until: Day
    looked_at: int
    """Charges of the period that were looked at."""
    more: bool
    """There were more than could be looked at: the newest were taken."""
    erased: int
    """Of those, charges whose content was erased."""
    decided: int
    """Charges that the draft has to do with, and could decide."""
    changed: int
    """Of those, charges with other amounts or another decision."""
    undecided: dict[str, int]
    """Charges that would wait under the draft, by reason."""
    withheld: bool
    """The charges are of fewer than five people: sums are left out, for they would tell of one."""
    sums: list[PreviewChange]


class Publication(Shape, rename={"from_": "from"}):
    """From when on the draft holds. What the document itself says of its days is replaced."""

    from_: Day
    until: Day | None = None
    """The first day on which it holds no more. Leave it out for the last version only: a version that holds until
    further notice leaves no day for the next one."""
