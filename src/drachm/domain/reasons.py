"""Every named "no" and every named amount, in one table.

`code` is stable for ever; `text` is the plain sentence a receipt prints (English source of the catalogues);
`outcome` says how the event ends when the reason decides it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Outcome = Literal["posted", "denied", "pended", "refused"]


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    text: str
    outcome: Outcome
    next_step: str = ""


def _table(*reasons: Reason) -> dict[str, Reason]:
    return {reason.code: reason for reason in reasons}


REASONS: Final[dict[str, Reason]] = _table(
    Reason("deductible", "You pay this part until your yearly deductible is met.", "posted"),
    Reason("copay", "A fixed amount for this kind of care.", "posted"),
    Reason("coinsurance", "Your share of the agreed price.", "posted"),
    Reason("plan_pays", "Your cover pays this part.", "posted"),
    Reason("no_cost_share", "This care costs you nothing.", "posted"),
    Reason("out_of_pocket_max", "You reached your yearly maximum; your cover pays the rest.", "posted"),
    Reason("period_cap", "You reached the limit of the period; your cover pays the rest.", "posted"),
    Reason(
        "contractual_adjustment", "The agreed price is lower than the asked one; nobody pays the difference.", "posted"
    ),
    Reason("coordination", "Another cover pays first; this one adds up to its own benefit.", "posted"),
    Reason("self_pay", "There is no cover for this care; the whole price is yours.", "posted"),
    Reason("self_pay_first", "The first part of this care is yours, whatever your cover.", "posted"),
    Reason("rounding", "What lies below the smallest amount that is paid.", "posted"),
    Reason("remainder", "What this cover leaves to you.", "posted"),
    Reason(
        "not_covered", "Your cover does not include this care.", "denied", "Ask your insurer, or question this charge."
    ),
    Reason("over_limit", "This is above what your cover allows for it.", "posted"),
    Reason("visit_limit", "The number of covered visits is used up.", "denied"),
    Reason("frequency", "The same care was covered too recently.", "denied"),
    Reason("waiting_period", "Your cover for this care has not begun yet.", "denied"),
    Reason("no_authorisation", "The insurer had to agree before this care and was not asked.", "denied"),
    Reason("timely_filing", "The provider asked the insurer too late; you do not pay for that.", "denied"),
    Reason("patient_category", "This care is not meant for this patient's sex or age.", "denied"),
    Reason("no_eligible_line", "No part of this care is covered.", "denied"),
    Reason("reversed", "The charge was taken back in full.", "posted"),
    Reason(
        "unknown_code", "The price book does not know this service.", "pended", "Add the service to the price book."
    ),
    Reason(
        "price_not_supported", "The price book names a rule we do not support.", "pended", "Price this line by hand."
    ),
    Reason("unknown_member", "We do not know this member.", "pended", "Register the member."),
    Reason("unknown_provider", "We do not know this provider.", "pended", "Register the provider."),
    Reason("unknown_plan", "The member's cover names a plan that is not published.", "pended", "Publish the plan."),
    Reason("no_contract", "There is no price agreement with this provider.", "pended", "Add a contract."),
    Reason(
        "currency_mismatch",
        "Pocket, plan and price are not in one currency.",
        "pended",
        "Send it in the plan's currency.",
    ),
    Reason("unknown_currency", "The currency is not in ISO 4217.", "refused", "Use an ISO 4217 code."),
    Reason("fact_missing", "The plan asks for a fact that nobody supplied.", "pended", "Supply the named fact."),
    Reason("ambiguous_rule", "Two rules fit and neither is more exact.", "pended", "Make one of the rules more exact."),
    Reason("unknown_target", "The event it refers to is not here.", "pended", "Send the event it refers to first."),
    Reason("already_reversed", "The event it refers to was taken back before.", "refused"),
    Reason(
        "insufficient_funds", "There is not enough money to reserve this request.", "refused", "Top up, then ask again."
    ),
    Reason(
        "asks_first",
        "This would pass a budget of yours, or a rule wants your yes first.",
        "refused",
        "Raise the budget or change the rule, then ask again.",
    ),
    Reason("invalid_event", "The event contradicts itself.", "refused"),
    Reason("fact_invalid", "A fact does not fit what the plan declares.", "pended", "Correct the fact at its source."),
    Reason(
        "two_payors", "Two payors paid visits of one day; the later one counts.", "pended", "Check the day's visits."
    ),
    Reason("payor_not_in_force", "The named payor has no cover on that day.", "pended", "Check the member's covers."),
    Reason("defect", "A fault of ours keeps this event waiting.", "pended", "Report it; it clears once mended."),
    Reason(
        "constraint", "The database refused the posting.", "refused", "Report it: our own check should have caught it."
    ),
    Reason("pocket_expired", "This pocket paid for earlier care only.", "posted"),
    Reason("pocket_category", "This pocket is for other kinds of care.", "posted"),
    Reason("pocket_expense", "This pocket may not pay for this.", "posted"),
    Reason("pocket_no_rules", "The rules of this pocket are not published for this day.", "posted"),
    Reason(
        "pocket_frozen",
        "A payment into this pocket went back; it pays again once that is made good.",
        "posted",
    ),
    Reason("pocket_private", "Whoever funds this pocket would see it, and you keep this care private.", "posted"),
    Reason("pocket_plan", "Your cover keeps this pocket for other things.", "posted"),
    Reason("visit_priced_apart", "The fee of the visit itself.", "posted"),
)


def text_of(code: str) -> str:
    """The plain sentence for a reason code; the code itself when a plan document invented its own word."""
    reason = REASONS.get(code)
    return reason.text if reason else code.replace("_", " ")
