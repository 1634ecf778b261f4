"""Who owes what?

A plan document is checked (`load_plan`), a coverage's documents are stacked (`build_stack`), and a line is split among
patient, payers and provider (`adjudicate`). The rules are docs/reference/plan-model.md, nothing else.
"""

from drachm.domain.benefits.adjudicate import Stack, adjudicate, apply, build_stack, keys, reverse_deltas
from drachm.domain.benefits.document import Plan
from drachm.domain.benefits.load import load_plan
from drachm.domain.benefits.model import Adjudication, Bearer, Credit, Key, Line, Share, Step, Totals

__all__ = [
    "Adjudication",
    "Bearer",
    "Credit",
    "Key",
    "Line",
    "Plan",
    "Share",
    "Stack",
    "Step",
    "Totals",
    "adjudicate",
    "apply",
    "build_stack",
    "keys",
    "load_plan",
    "reverse_deltas",
]
