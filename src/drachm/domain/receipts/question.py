"""What does a patient ask about a charge, and when is that settled?

A question waits until the party that billed answers it, or the patient takes it back. It moves no money: what an answer
leads to, a refund or a correction, goes its own way. A dispute that keeps money back is another thing, and is not
here yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from drachm.domain.errors import Conflict

Choice: TypeAlias = Literal["not_received", "amount_wrong", "not_agreed"]
"""I did not get this care; the amount is wrong; I did not agree to its being paid without asking me."""
State: TypeAlias = Literal["asked", "answered", "taken_back"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one receipt."""

    id: str
    receipt: str
    member: str
    provider: str
    """Who billed, and answers."""
    choice: Choice
    asked_at: datetime
    note: str = ""
    stops: bool = False
    """Until it is settled, the provider is paid nothing without asking the patient."""
    state: State = "asked"
    answer: str = ""
    settled_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.state == "asked"


def answered(question: Question, answer: str, at: datetime) -> Question:
    """The question with the provider's answer. Raises `Conflict` for one that is settled."""
    return replace(_open(question), state="answered", answer=answer, settled_at=at)


def taken_back(question: Question, at: datetime) -> Question:
    """The question without which the patient can do. Raises `Conflict` for one that is settled."""
    return replace(_open(question), state="taken_back", settled_at=at)


def _open(question: Question) -> Question:
    if not question.open:
        raise Conflict(
            "this question is settled", where=question.id, next_step="Ask another one.", code="question_settled"
        )
    return question
