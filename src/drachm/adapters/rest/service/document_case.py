"""What would a plan's draft pay for one line of care, beside what the plan in force pays?

The line is made up by whoever edits the plan: editors see no patient, so a case that is somebody's is none of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from drachm.adapters.rest.service.desk_frame import unreadable
from drachm.adapters.rest.service.page_words import Amount
from drachm.adapters.rest.service.speech import gettext
from drachm.application.draft_checks import one_line
from drachm.domain.benefits.model import Line
from drachm.domain.errors import InvalidMessage, Pended
from drachm.domain.events.model import Fact
from drachm.domain.money import micros

_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A fact of the plan that the case may set."""

    name: str
    kind: str
    words: list[str]
    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What one version says to the case."""

    label: str
    plan: Amount | None
    patient: Amount | None
    width: int
    """The plan's part in thousandths of both."""
    why: str = ""


def asked(document: Mapping[str, Any], form: Mapping[str, str]) -> list[Asked]:
    """The facts that the plan declares, with what was typed."""
    facts = document.get("facts")
    found = []
    for name, said in list(facts.items())[:_MOST] if isinstance(facts, dict) else []:
        kind, default = (said.get("type"), said.get("default")) if isinstance(said, dict) else (said, None)
        words = [str(word) for word in kind] if isinstance(kind, list) else []
        shown = "" if default is None else {True: "yes", False: "no"}[default] if isinstance(default, bool) else default
        found.append(Asked(name, "words" if words else str(kind), words, form.get(f"fact:{name}", str(shown))))
    return found


def tried(
    live: Mapping[str, Any] | None, draft: Mapping[str, Any], cost: int, at: datetime, form: Mapping[str, str]
) -> list[Answer]:
    """What the plan in force, where there is one, and the draft answer. Raises InvalidMessage for a wrong fact."""
    facts = {one.name: _fact(one) for one in asked(draft, form) if one.value != ""}
    line = Line(id="case", billed=cost, cost=cost, at=at, member="member", facts=facts)
    versions = [(gettext("Live"), live)] if live is not None else []
    currency = str(draft.get("currency", ""))
    return [
        _answer(label, document, line, currency)
        for label, document in [*versions, (gettext("Draft"), draft)]
        if document
    ]


def _answer(label: str, document: Mapping[str, Any], line: Line, currency: str) -> Answer:
    try:
        found = one_line(document, line)
    except (Pended, InvalidMessage) as error:
        return Answer(label, None, None, 0, error.message)
    plan, patient = found.plan_paid, found.patient_responsibility
    width = plan * 1_000 // (plan + patient) if plan + patient > 0 else 0
    return Answer(label, Amount(plan, currency), Amount(patient, currency), width)


def _fact(one: Asked) -> Fact:
    text = one.value.strip()
    if one.kind == "flag":
        return text == "yes"
    if one.kind == "number":
        if not text.removeprefix("-").isdecimal():
            raise unreadable(gettext("{field}: write a whole number.").format(field=one.name))
        return int(text)
    if one.kind == "money":
        return micros(text, where=one.name)
    return text
