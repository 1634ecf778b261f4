"""How is a refusal of the interface said to people, in their language?

The interface refuses in English, by a code (`transport/problem_table.py`). Codes that pages meet have their words in
the catalogues; of every other one people hear what its status means. What the refusal says beyond its code follows as
it is, marked as English, unless a catalogue has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from drachm.adapters.rest.service.engine_words import in_words
from drachm.adapters.rest.service.speech import N_, gettext, spoken
from drachm.adapters.rest.service.staff_words import own_words
from drachm.adapters.rest.transport.problem_table import KINDS

SAID: Final = frozenset(
    (
        *("arrears_open", "box_short", "charge_changed", "draft_not_ready", "invalid_emergency", "invalid_refund"),
        *("less_due", "not_found", "not_your_shift", "nothing_due", "over_the_limit", "passkey_invalid"),
        *("question_open", "question_settled", "refund_exceeds", "refund_not_ready", "refund_open", "refund_paid"),
        *("erasure_open", "invalid_refusal", "not_settled", "shift_closed", "version", "window_taken"),
    )
)
"""Codes whose words are in the catalogues: `tools/messages.py` takes them from the table."""
_ENDS: Final = ".!?:。！？؟…"
_STOPS: Final = {"zh-Hans": "。"}
_TITLES: Final = {
    401: N_("You are not signed in"),
    403: N_("This is not open to you"),
    404: N_("Nothing here"),
    409: N_("Something changed meanwhile"),
    412: N_("Something changed meanwhile"),
    422: N_("Please check what you wrote"),
    429: N_("Too many tries"),
}
_TEXTS: Final = {
    400: N_("Something in this form cannot be read."),
    403: N_("Your sign-in does not open this."),
    409: N_("This cannot be done as things stand now."),
    412: N_("Somebody else changed it meanwhile. Open the page again."),
    428: N_("Somebody else changed it meanwhile. Open the page again."),
    429: N_("Wait 15 minutes, then try again."),
    422: N_("Something has to be mended before this can be done."),
}
_FAILED: Final = (
    N_("This did not go through"),
    N_("It is not known whether anything was done. Look before you try again."),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was not done and why, for a page that shows it (`error_summary` in `parts.html`)."""

    title: str
    detail: str
    field: str = ""
    """Id of the field of the form that has to be mended; empty where none is known."""
    faults: Sequence[tuple[str, str]] = ()
    """(field, what is wrong with it), of each thing that has to be mended."""
    next_step: str = ""
    status: int = 422

    def beside(self, field: str) -> list[str]:
        """What is said beside a field: its own faults, else what is said of the whole when that is because of it."""
        own = [words for at, words in self.faults if at == field]
        return own or ([self.detail] if self.field == field else [])


def not_done(words: str, field: str = "", status: int = 422) -> Trouble:
    """Why a form of a patient did nothing, in words of its page."""
    return Trouble(gettext("That did not work"), words, field, status=status)


def words_of(document: Mapping[str, Any], ours: bool, fields: Sequence[str] = ()) -> Trouble:
    """A problem document; `ours`: a page said it, in the language already; `fields`: those of its form, by id."""

    def field_of(pointer: str) -> str:
        name = pointer.removeprefix("/").partition("/")[0]
        return name if name in fields else ""

    status, detail, next_step = int(document["status"]), str(document["detail"]), str(document["next_step"])
    title, errors = str(document["title"]), document.get("errors", [])
    kind = KINDS.get(str(document["code"]))
    if errors and kind is not None and detail == kind.text:
        # What the interface says of every such request says nothing to people: what is wrong with this one does.
        detail = str(errors[0]["detail"])
    field = field_of(errors[0]["pointer"] if errors else "")
    faults = [(field_of(one["pointer"]), one["detail"]) for one in errors if one["detail"] != detail]
    told: list[tuple[str, str]] = [(at, _sentence(words)) for at, words in faults]
    if spoken().code == "en":
        return Trouble(title, whole(detail), field, told, whole(next_step), status)
    title = gettext(_TITLES.get(status, _FAILED[0]))
    if ours:
        return Trouble(title, whole(detail), field, told, next_step, status)
    kind = kind if document["code"] in SAID else None
    text = gettext(kind.text if kind is not None else _TEXTS.get(status, _FAILED[1]))
    step = own_words(kind.next_step) if kind is not None else Markup("")
    if detail and (kind is None or detail != kind.text):
        told.insert(0, (field, _sentence(detail)))
    return Trouble(title, text, field, told, step, status)


def whole(words: str) -> str:
    """What a program says of a fault, as a sentence that begins with a capital and ends with a full stop.

    A first word that is no word, such as an id, stays as it is.

    >>> whole("there is no such party"), whole("cov_1 has ended."), whole("")
    ('There is no such party.', 'cov_1 has ended.', '')
    """
    first = words.partition(" ")[0].rstrip(",:;")
    if first.isalpha() and first.islower():
        words = words[:1].upper() + words[1:]
    return words + _STOPS.get(spoken().code, ".") if words and words[-1] not in _ENDS else words


def _sentence(words: str) -> str:
    """A sentence of the interface in the language that is spoken, or as it is and marked as English."""
    if spoken().code == "en":
        return whole(words)
    told = in_words(words)
    return whole(told) if told is not None else own_words(whole(words))


def table_texts() -> list[str]:
    """What of the table has to stand in the catalogues."""
    kinds = [KINDS[code] for code in sorted(SAID) if code in KINDS]
    return [text for kind in kinds for text in (kind.text, kind.next_step) if text]
