"""Which modules hold the calls? Reading this one fills `OPERATIONS`."""

from __future__ import annotations

from drachm.adapters.rest.service import (  # noqa: F401 - read for what they declare
    access,
    accounts,
    bank_lines,
    callbacks,
    care_figures,
    charge_refunds,
    charges,
    contracts,
    coverages,
    desk_charge,
    desk_frame,
    desk_sign_in,
    desk_today,
    desk_window,
    eligibility,
    estimates,
    events,
    expense_rules,
    families,
    kept_keys,
    links,
    matching,
    members,
    my_home,
    my_receipts,
    my_sign_in,
    office,
    openapi,
    page,
    parties,
    payments,
    payouts,
    plans,
    posting,
    price_books,
    receipts,
    refunds,
    relatives,
    retries,
    shifts,
    sites,
    statements,
    static_files,
    streams,
    tokens,
    wallet_invitations,
    wallet_members,
    wallet_privacy,
    wallets,
)
from drachm.adapters.rest.service.call import OPERATIONS, Operation


def every_operation() -> dict[str, Operation]:
    """Every call by its operation id."""
    return OPERATIONS
