"""Who owes what?

A plan document is checked (`load_plan`), a coverage's documents are stacked (`build_stack`), the facts of a line are
read (`prepare`), and it is split among patient, payers and provider (`Prepared.decide`; both at once: `adjudicate`).
The rules are docs/reference/plan-model.md, nothing else.
"""

from drachm.domain.benefits.adjudicate import (
    Placed,
    Prepared,
    Stack,
    adjudicate,
    apply,
    build_stack,
    keys,
    prepare,
    prepare_placed,
    reverse_deltas,
    told,
)
from drachm.domain.benefits.document import Plan
from drachm.domain.benefits.load import load_plan
from drachm.domain.benefits.model import Adjudication, Bearer, Credit, Key, Line, Numbering, Share, Split, Step, Totals

__all__ = [
    "Adjudication",
    "Bearer",
    "Credit",
    "Key",
    "Line",
    "Numbering",
    "Placed",
    "Plan",
    "Prepared",
    "Share",
    "Split",
    "Stack",
    "Step",
    "Totals",
    "adjudicate",
    "apply",
    "build_stack",
    "keys",
    "load_plan",
    "prepare",
    "prepare_placed",
    "reverse_deltas",
    "told",
]
