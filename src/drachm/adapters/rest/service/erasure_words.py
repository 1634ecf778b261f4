"""What is said about erasing: what is in its way and what to do about it, how a request stands, why it was refused."""

from __future__ import annotations

from typing import Final

from drachm.adapters.rest.service.speech import N_

IN_THE_WAY: Final = {
    "wallet": (N_("There is money in a wallet."), N_("Pay it out first.")),
    "shared_wallet": (
        N_("A pot that others share is theirs to look after."),
        N_("Pay it out and take everybody out of it first."),
    ),
    "amount_due": (N_("Care is not paid for."), N_("Pay it, or have the clinic give it up.")),
    "arrears": (N_("A payment went back and is owed."), N_("Make it good first.")),
    "residue": (N_("Something is left of a payment for care."), N_("Pay what is due first.")),
    "credit": (N_("An insurance owes something back."), N_("Wait until it is booked.")),
    "payment": (N_("A payment is on its way."), N_("Wait until it has come in, or has ended.")),
    "refund": (N_("Money is on its way back."), N_("Wait until it has arrived.")),
    "charge_refund": (N_("A refund waits for a second person."), N_("Agree to it, or withdraw it.")),
    "cash_refund": (N_("Cash waits to be handed out."), N_("Hand it out, or withdraw it.")),
    "write_off": (N_("A due waits to be given up."), N_("Agree to it, or withdraw it.")),
    "question": (N_("A question about a receipt has no answer yet."), N_("Answer it first.")),
    "request": (N_("Care is asked for and was not given yet."), N_("Let it be given, or end the request.")),
    "event": (N_("Care waits to be decided."), N_("Settle it on the work list, or have its sender take it back.")),
    "moment": (N_("Something was posted just now."), N_("Try again in a minute.")),
}
"""Of each sort: what it is, and what to do about it."""
GROUNDS: Final = {
    "legal_retention": N_("The law has it kept"),
    "public_health": N_("Public health needs it"),
    "legal_claims": N_("It is needed in a dispute before a court"),
    "not_identified": N_("It is not sure who asks"),
    "no_right": N_("None of the cases of the law is given"),
}
"""GDPR article 17(3)(b), (c), (e); 12(6); 17(1)."""
STATES: Final = {
    "asked": ("you", N_("Waits to be taken up")),
    "proposed": ("you", N_("Waits for a second person")),
    "agreed": ("held", N_("Agreed, not done yet")),
    "erased": ("ok", N_("Erased")),
    "refused": ("refused", N_("Refused")),
    "withdrawn": ("held", N_("Withdrawn")),
}
"""Tone and words of each state at the desk."""
