"""How do pages of staff say what the engine says: statuses, reasons, kinds, accounts, and its own sentences?

Codes are for ever and belong to the interface; people read words of the catalogues, and the code stands beside where
somebody may have to name it. A sentence that no catalogue has stays English, and is marked as English.
"""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from drachm.adapters.rest.service.engine_words import in_words
from drachm.adapters.rest.service.speech import N_, gettext, spoken
from drachm.domain.reasons import REASONS

_STATUSES: Final = {
    "posted": N_("posted"),
    "denied": N_("denied by the insurance"),
    "pended": N_("pended"),
    "refused": N_("refused"),
}
_STATES: Final = {
    "standing": N_("It stands"),
    "waiting": N_("It waits"),
    "refused": N_("It was refused"),
    "reversed": N_("It was reversed"),
    "replaced": N_("It was replaced"),
    "captured": N_("It was captured"),
    "released": N_("It was released"),
}
_KINDS: Final = {
    "charge": N_("Charge"),
    "reversal": N_("Reversal"),
    "replacement": N_("Replacement"),
    "hold": N_("Hold"),
    "stop": N_("End of a hold"),
}
_ACCOUNTS: Final = {
    "payer_receivable": N_("Receivable from payers"),
    "patient_receivable": N_("Receivable from patients"),
    "holder_receivable": N_("Receivable from holders"),
    "cash": N_("Cash and rails"),
    "cash_difference": N_("Cash differences"),
    "residue": N_("Rounding residue"),
    "unallocated": N_("Unallocated money"),
    "wallet": N_("Wallets"),
    "wallet_held": N_("Held in wallets"),
    "funder_payable": N_("Payable to funders"),
    "patient_credit": N_("Credits of patients"),
    "provider_payable": N_("Payable to providers"),
}
_PARTS: Final = (N_("Paid"), N_("Held"), N_("Still to pay"), N_("Credit for earlier care"))
"""What parts of a receipt are called by the engine."""


def own_words(text: str) -> Markup:
    """A sentence of the engine in the language that is spoken; as it is, and marked as English, where none has it."""
    if not text or spoken().code == "en":
        return Markup.escape(text)
    told = in_words(text)
    return told if told is not None else Markup('<bdi lang="en" dir="ltr">{}</bdi>').format(text)


def why_said(code: str, message: str = "") -> Markup:
    """Why something waits or was refused. The message may say more than the reason's words, in English only."""
    reason = REASONS.get(code)
    if spoken().code != "en" and reason is not None:
        return Markup.escape(gettext(reason.text))
    return own_words(message or (reason.text if reason is not None else code.replace("_", " ")))


def step_said(code: str, step: str = "") -> Markup:
    """What to do about it."""
    reason = REASONS.get(code)
    if spoken().code != "en" and reason is not None and reason.next_step:
        return Markup.escape(gettext(reason.next_step))
    return own_words(step)


def status_said(status: str) -> str:
    """How an event ended."""
    return gettext(_STATUSES.get(status, status.replace("_", " ")))


def state_said(state: str) -> str:
    """What became of an event since."""
    return gettext(_STATES.get(state, state.replace("_", " ")))


def event_kind_said(kind: str) -> str:
    """What an event asks for."""
    return gettext(_KINDS.get(kind, kind.replace("_", " ")))


def account_said(kind: str) -> str:
    """A kind of account of the chart."""
    return gettext(_ACCOUNTS.get(kind, kind.replace("_", " ")))
