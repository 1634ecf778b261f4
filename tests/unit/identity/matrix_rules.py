"""What may each role do, said a second time and the other way round?

The policy table has a row for each route; here is a paragraph for each role, written from what the role is for. The two
were not made from each other: where they disagree, `test_matrix.py` fails and one of them is wrong.
"""

from __future__ import annotations

# Groups of calls that go together in life.
LOOK_AT_CARE = "list_charges get_charge list_visits get_visit"
LOOK_AT_RECEIPTS = "list_receipts get_receipt explain_receipt"
HAND_OUT_RECEIPTS = "list_receipt_links create_receipt_link revoke_receipt_links"
LOOK_AT_EVENTS = "list_service_events get_service_event list_event_revisions"
SEND_EVENTS = "post_service_events revise_service_event reverse_service_event"
LOOK_AT_QUEUE = "list_work_queue get_work_item"
RETRY = "retry_work_item retry_work_queue"
ASK_BEFORE = "create_estimate check_eligibility"
DIRECTORY = (
    "list_parties get_party list_sites list_practitioners list_plans get_plan list_expense_rules get_expense_rules"
)
KEEP_SITES = "create_site update_site create_practitioner update_practitioner"
CONTRACTS = "list_contracts get_contract"
LOOK_AT_PAYOUTS = "list_payout_accounts get_payout_account list_payout_changes"
CHANGE_PAYOUTS = "propose_payout_account propose_payout_change approve_payout_change withdraw_payout_change"
LOOK_AT_MEMBERS = "list_members get_member list_coverages get_coverage"
ENROL = "create_member search_members"
LOOK_AT_FAMILIES = "list_families get_family"
KEEP_COVER = "create_coverage update_coverage terminate_coverage create_family join_family leave_family update_member"
LET_RELATIVES_IN = "list_relatives allow_relative revoke_relative"
PRICES = "list_price_books get_price_book"
LOOK_AT_ERASURES = "list_erasures get_erasure"
# Who asks may take it back; who decides never is the person alone.
ASK_TO_BE_ERASED = "ask_for_erasure withdraw_erasure"
DECIDE_ERASURES = "propose_erasure agree_to_erasure refuse_erasure"
OWN_KEPT = "open_my_kept ask_from_my_kept"
DESK_ERASURES = "open_desk_erasures open_desk_erasure"
ERASE_AT_DESK = (
    "ask_for_erasure_at_desk propose_erasure_at_desk agree_to_erasure_at_desk refuse_erasure_at_desk "
    "withdraw_erasure_at_desk"
)
PASSKEYS = "open_desk_passkeys add_desk_passkey end_desk_passkey"
EMERGENCY = "open_desk_emergency take_desk_emergency end_desk_emergency"
LOOK_AT_REVIEWS = "open_desk_reviews open_desk_review"
DESK_PRICES = "open_desk_price_books open_desk_price_book"
DESK_PLANS = "open_desk_plans open_desk_plan"
WRITE_AT_DESK = "write_desk_price_book write_desk_plan"
PUBLISH_AT_DESK = "publish_desk_price_book publish_desk_plan"
LOOK_AT_DRAFTS = "get_plan_draft get_price_book_draft"
WRITE_DRAFTS = f"draft_plan replace_plan_draft draft_price_book replace_price_book_draft {WRITE_AT_DESK}"
TRY_DRAFTS = "validate_plan preview_plan validate_price_book preview_price_book"
PUBLISH = f"publish_plan publish_price_book {PUBLISH_AT_DESK}"
LOOK_AT_WALLETS = "list_wallets get_wallet list_wallet_entries list_wallet_members"
LIMIT_WALLETS = "set_wallet_member remove_wallet_member invite_to_wallet withdraw_wallet_invitation"
LOOK_AT_LIMITS = "get_wallet_member list_wallet_invitations"
OWN_WISHES = "get_wallet_privacy set_wallet_privacy keep_charge_private list_member_invitations answer_invitation"
RULE_EXPENSES = "publish_expense_rules"
FILL_WALLETS = "open_wallet top_up_wallet"
PAY_IN = "list_payments begin_payment"
LOOK_AT_MONEY_BACK = "list_refunds get_refund"
LOOK_AT_DUES = "list_dues get_collection_consent"
OWN_WAYS_TO_PAY = "get_automatic_top_up set_automatic_top_up leave_card forget_card"
BUDGETS = (
    "get_budgets set_budgets get_automatic_payments set_automatic_payments pay_charge list_notices "
    "get_wallet_budget set_wallet_budget list_wallet_budgets get_wallet_member_budget set_wallet_member_budget"
)
PAY_ON_PAGES = (
    "open_my_question ask_my_question open_my_pay check_my_pay make_my_payment open_my_paid set_my_budget "
    "set_my_automatic change_my_rules order_my_pots set_my_collection keep_my_visit_private set_my_private "
    "set_my_pot_budget"
)
DESK_QUESTIONS = "open_desk_questions answer_question_at_desk"
LOOK_AT_WISHES = "open_my_budget open_my_automatic open_my_private"
QUESTIONS = f"ask_question list_questions take_back_question {LOOK_AT_WISHES} {PAY_ON_PAGES}"
LOOK_AT_REFUNDS = (
    "list_write_offs get_write_off list_charge_refunds get_charge_refund open_desk_refunds open_desk_refund "
    "list_cash_refunds get_cash_refund open_desk_cash_refunds open_desk_cash_refund "
    "open_desk_write_offs open_desk_write_off"
)
GIVE_BACK = (
    "propose_charge_refund agree_to_charge_refund withdraw_charge_refund open_desk_refund_form propose_refund_at_desk "
    "agree_to_refund_at_desk withdraw_refund_at_desk write_off_due agree_to_write_off end_write_off "
    "propose_cash_refund agree_to_cash_refund withdraw_cash_refund "
    "propose_cash_refund_at_desk agree_to_cash_refund_at_desk withdraw_cash_refund_at_desk "
    "open_desk_write_off_form write_off_at_desk agree_to_write_off_at_desk end_write_off_at_desk"
)
# Out of the box of a shift: whoever may open one.
HAND_OUT_CASH = "pay_cash_refund pay_cash_refund_at_desk"
LOOK_AT_WINDOWS = "list_shifts get_shift"
TAKE_CASH = "open_shift take_cash count_shift"
BANK = "read_ach_returns read_bank_statement list_bank_lines allocate_bank_line"
DESK_WORK = "open_desk_work"
DESK_MESSAGES = "open_desk_messages"
SIT_AT_THE_DESK = "open_desk search_desk open_desk_charge open_desk_event"
LOOK_AT_THE_DESK = "open_desk open_desk_charge open_desk_event"
LOOK_AT_DESK_WINDOWS = "open_desk_window open_desk_shift"
CASH_AT_THE_DESK = "begin_desk_shift take_cash_at_desk count_at_desk"
OWN_PAGES = (
    "open_my_home open_my_stream open_my_proof give_my_proof open_my_visit open_my_parts prove_with_my_passkey "
    "open_my_passkeys add_my_passkey change_my_passkey"
)
# What tells what the care was is never a relative's.
OWN_CARE = "explain_my_receipt"
OWN_PLANS = "open_my_cover open_my_menu search_my_menu open_my_estimate"
OWN_RECEIPTS = "list_my_receipts export_my_receipts open_my_receipt"
LOOK_AT_OWN_MONEY = "open_my_wallet open_my_pot open_my_payment"
OWN_FAMILY = "open_my_family answer_my_invitation change_my_family"
LOOK_AT_BOOKS = "list_accounts get_account list_account_entries list_statements get_statement"
OFFICE = "get_care_figures open_office download_office_csv"
LOOK_AT_KEYS = "list_api_keys get_api_key list_clients get_client"
TURN_KEYS = "rotate_api_key revoke_api_key replace_client_keys revoke_client"

ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    # Their own record and money; they hand it on to others, and it is nobody's to send in.
    "patient": {
        "self": (
            *(LOOK_AT_CARE, LOOK_AT_RECEIPTS, HAND_OUT_RECEIPTS, ASK_BEFORE, LOOK_AT_MEMBERS, LOOK_AT_FAMILIES),
            *(LET_RELATIVES_IN, LOOK_AT_WALLETS, "stream_member_receipts get_operation_by_key"),
            *(PAY_IN, "get_payment", OWN_WAYS_TO_PAY, LIMIT_WALLETS, LOOK_AT_LIMITS, OWN_WISHES, "open_wallet"),
            *(OWN_RECEIPTS, OWN_CARE, OWN_PLANS, BUDGETS, QUESTIONS),
            *(LOOK_AT_OWN_MONEY, "top_up_my_pot set_my_top_up_rule pay_out_my_pot pay_my_arrears", OWN_FAMILY),
            # Their own money, back to where they paid it from.
            *(LOOK_AT_MONEY_BACK, "begin_refund begin_payout list_arrears pay_arrears", OWN_PAGES),
            *(LOOK_AT_DUES, "pay_dues set_collection_consent"),
            *(LOOK_AT_ERASURES, ASK_TO_BE_ERASED, OWN_KEPT),
        ),
        "tenant": (DIRECTORY,),
    },
    # Looks and may pay for them, and cannot let anybody else look.
    "relative": {
        "relative": (
            *(LOOK_AT_CARE, LOOK_AT_RECEIPTS, LOOK_AT_MEMBERS, LOOK_AT_FAMILIES, LOOK_AT_WALLETS),
            *("stream_member_receipts", PAY_IN, "get_payment", OWN_PAGES, OWN_RECEIPTS),
            *(LOOK_AT_OWN_MONEY, "top_up_my_pot"),
        ),
        "tenant": (DIRECTORY,),
    },
    # The desk of a clinic.
    "clerk": {
        "party": (
            *(SEND_EVENTS, LOOK_AT_EVENTS, LOOK_AT_QUEUE, RETRY, ASK_BEFORE, LOOK_AT_CARE),
            *(LOOK_AT_RECEIPTS, HAND_OUT_RECEIPTS, LOOK_AT_MEMBERS, ENROL, PRICES),
            *("stream_party_receipts get_operation_by_key", LOOK_AT_WINDOWS, TAKE_CASH, LOOK_AT_REFUNDS, GIVE_BACK),
            HAND_OUT_CASH,
            *(
                SIT_AT_THE_DESK,
                "hand_out_at_desk print_slip open_desk_help help_at_desk retry_at_desk",
                DESK_WORK,
                DESK_MESSAGES,
                "retry_work_at_desk",
                LOOK_AT_DESK_WINDOWS,
                CASH_AT_THE_DESK,
            ),
            DESK_PRICES,
            *(PASSKEYS, EMERGENCY),
            *("get_payment", LOOK_AT_MONEY_BACK, "list_questions answer_question", DESK_QUESTIONS),
        ),
        "tenant": (DIRECTORY, DESK_PLANS, "match_member"),
    },
    # The office of a clinic: sees what was billed and paid, keeps the directory entry and where money goes.
    "finance": {
        "party": (
            *(LOOK_AT_EVENTS, LOOK_AT_CARE, LOOK_AT_RECEIPTS, "update_party", KEEP_SITES, CONTRACTS, LOOK_AT_PAYOUTS),
            *(CHANGE_PAYOUTS, PRICES, LOOK_AT_BOOKS, "stream_party_receipts get_operation_by_key", LOOK_AT_WINDOWS),
            *(SIT_AT_THE_DESK, LOOK_AT_DESK_WINDOWS, LOOK_AT_REFUNDS, GIVE_BACK, OFFICE),
            DESK_PRICES,
            *(PASSKEYS, EMERGENCY, LOOK_AT_REVIEWS, "review_emergency"),
            # Of payments at the clinic's own windows, or for its own care.
            *("get_payment", LOOK_AT_MONEY_BACK, "begin_refund list_questions answer_question", DESK_QUESTIONS),
        ),
        "tenant": (
            DIRECTORY,
            DESK_PLANS,
        ),
    },
    # Writes plans and price books; sees no person.
    "price_editor": {
        "party": (
            CONTRACTS,
            LOOK_AT_DRAFTS,
            WRITE_DRAFTS,
            TRY_DRAFTS,
            PUBLISH,
            PRICES,
            DESK_PRICES,
            PASSKEYS,
            "get_operation_by_key",
        ),
        "tenant": (
            DIRECTORY,
            DESK_PLANS,
        ),
    },
    # Sees what it pays for, keeps who is covered.
    "payer": {
        "party": (
            *("check_eligibility", LOOK_AT_CARE, LOOK_AT_RECEIPTS, CONTRACTS, LOOK_AT_MEMBERS, ENROL),
            *(LOOK_AT_FAMILIES, KEEP_COVER, PRICES, LOOK_AT_BOOKS, "list_events"),
            "stream_party_receipts get_operation_by_key",
        ),
        "tenant": (DIRECTORY, "match_member"),
    },
    # Gives money and sees where it went, never for what.
    "funder": {
        "party": (
            LOOK_AT_WALLETS,
            LOOK_AT_LIMITS,
            FILL_WALLETS,
            LIMIT_WALLETS,
            PAY_IN,
            LOOK_AT_BOOKS,
            "get_operation_by_key",
        ),
        "tenant": (DIRECTORY,),
    },
    # Looks at everything, changes nothing.
    "auditor": {
        "tenant": (
            *(
                LOOK_AT_EVENTS,
                LOOK_AT_QUEUE,
                LOOK_AT_CARE,
                LOOK_AT_RECEIPTS,
                "list_receipt_links",
                DIRECTORY,
                CONTRACTS,
            ),
            *(LOOK_AT_PAYOUTS, LOOK_AT_MEMBERS, "list_duplicates list_relatives", LOOK_AT_FAMILIES, LOOK_AT_DRAFTS),
            *(PRICES, LOOK_AT_WALLETS, LOOK_AT_BOOKS, "get_trial_balance list_events", LOOK_AT_KEYS, LOOK_AT_WINDOWS),
            "list_payments get_payment get_automatic_top_up list_bank_lines",
            *(
                LOOK_AT_DUES,
                LOOK_AT_MONEY_BACK,
                "list_arrears get_budgets get_automatic_payments list_notices get_wallet_budget",
                "list_wallet_budgets get_wallet_member_budget",
                "list_questions open_desk_questions",
            ),
            *(
                "stream_party_receipts stream_member_receipts",
                LOOK_AT_THE_DESK,
                LOOK_AT_DESK_WINDOWS,
                DESK_WORK,
                DESK_MESSAGES,
            ),
            *(DESK_PRICES, DESK_PLANS),
            LOOK_AT_REVIEWS,
            *(OFFICE, "open_office_books"),
            *(LOOK_AT_REFUNDS, LOOK_AT_LIMITS, LOOK_AT_ERASURES, DESK_ERASURES),
        ),
    },
    # Runs the market: everything but handing out receipts and writing drafts.
    "operator": {
        "tenant": (
            *(SEND_EVENTS, LOOK_AT_EVENTS, LOOK_AT_QUEUE, RETRY, ASK_BEFORE, LOOK_AT_CARE),
            *(LOOK_AT_RECEIPTS, "list_receipt_links revoke_receipt_links", DIRECTORY, "create_party update_party"),
            *(KEEP_SITES, CONTRACTS, "create_contract update_contract", LOOK_AT_PAYOUTS, CHANGE_PAYOUTS),
            *(LOOK_AT_MEMBERS, ENROL, "match_member list_duplicates merge_members split_member"),
            *(LOOK_AT_ERASURES, ASK_TO_BE_ERASED, DECIDE_ERASURES, DESK_ERASURES, ERASE_AT_DESK),
            *(LET_RELATIVES_IN, LOOK_AT_FAMILIES, KEEP_COVER, LOOK_AT_DRAFTS, TRY_DRAFTS, PUBLISH, PRICES),
            *(
                LOOK_AT_WALLETS,
                FILL_WALLETS,
                RULE_EXPENSES,
                LIMIT_WALLETS,
                LOOK_AT_LIMITS,
                LOOK_AT_BOOKS,
                "get_trial_balance list_events",
                LOOK_AT_KEYS,
                TURN_KEYS,
            ),
            *(PAY_IN, "get_payment", OWN_WAYS_TO_PAY, LOOK_AT_WINDOWS, TAKE_CASH, HAND_OUT_CASH, BANK),
            *(
                LOOK_AT_MONEY_BACK,
                "begin_refund begin_payout list_arrears pay_arrears",
                LOOK_AT_DUES,
                "pay_dues",
                BUDGETS,
                "list_questions open_desk_questions",
            ),
            "create_api_key create_client stream_party_receipts stream_member_receipts get_operation_by_key",
            *(
                SIT_AT_THE_DESK,
                "retry_at_desk retry_work_at_desk",
                DESK_WORK,
                DESK_MESSAGES,
                LOOK_AT_DESK_WINDOWS,
                CASH_AT_THE_DESK,
                LOOK_AT_REFUNDS,
                GIVE_BACK,
            ),
            *(DESK_PRICES, DESK_PLANS),
            *(PASSKEYS, LOOK_AT_REVIEWS, "review_emergency"),
            *(OFFICE, "open_office_books"),
        ),
    },
    # The software of a clinic: the desk and the directory, its own keys, no money.
    "integrator": {
        "party": (
            *(SEND_EVENTS, LOOK_AT_EVENTS, LOOK_AT_QUEUE, RETRY, ASK_BEFORE, LOOK_AT_CARE),
            *(LOOK_AT_RECEIPTS, HAND_OUT_RECEIPTS, KEEP_SITES, CONTRACTS, LOOK_AT_MEMBERS, ENROL, PRICES),
            *("list_events stream_party_receipts get_operation_by_key", LOOK_AT_KEYS, TURN_KEYS),
        ),
        "tenant": (DIRECTORY, "match_member"),
    },
}

SCOPES: dict[str, tuple[str, ...]] = {
    "events:write": (SEND_EVENTS, RETRY, "retry_at_desk retry_work_at_desk"),
    "events:read": (
        LOOK_AT_EVENTS,
        LOOK_AT_QUEUE,
        LOOK_AT_CARE,
        "list_events review_emergency",
        EMERGENCY,
        LOOK_AT_REVIEWS,
        SIT_AT_THE_DESK,
        DESK_WORK,
        OWN_PAGES,
    ),
    "estimates": (ASK_BEFORE, OWN_PLANS),
    "receipts:read": (
        LOOK_AT_RECEIPTS,
        "open_desk_help help_at_desk",
        DESK_MESSAGES,
        OWN_RECEIPTS,
        OWN_CARE,
        "stream_party_receipts stream_member_receipts list_questions open_desk_questions",
    ),
    "receipts:share": (HAND_OUT_RECEIPTS, "hand_out_at_desk print_slip"),
    "parties:read": ("list_parties get_party list_sites list_practitioners", CONTRACTS),
    "parties:write": ("create_party update_party", KEEP_SITES, "create_contract update_contract"),
    "payouts:read": (LOOK_AT_PAYOUTS,),
    "payouts:write": (CHANGE_PAYOUTS,),
    "members:read": (
        *(LOOK_AT_MEMBERS, "search_members match_member list_duplicates list_relatives list_member_invitations"),
        LOOK_AT_FAMILIES,
        *(LOOK_AT_ERASURES, "open_my_kept", DESK_ERASURES),
    ),
    "members:write": (
        *(ASK_TO_BE_ERASED, DECIDE_ERASURES, "ask_from_my_kept", ERASE_AT_DESK),
        *("create_member merge_members split_member allow_relative revoke_relative answer_invitation", KEEP_COVER),
        "answer_my_invitation",
    ),
    "plans:read": (
        DESK_PRICES,
        DESK_PLANS,
        "list_plans get_plan list_expense_rules get_expense_rules",
        LOOK_AT_DRAFTS,
        PRICES,
    ),
    "plans:write": (RULE_EXPENSES, WRITE_DRAFTS, TRY_DRAFTS, PUBLISH),
    "money:read": (
        *(LOOK_AT_WALLETS, LOOK_AT_BOOKS, LOOK_AT_WINDOWS, LOOK_AT_DESK_WINDOWS, LOOK_AT_REFUNDS, LOOK_AT_LIMITS),
        "get_trial_balance list_payments get_payment get_automatic_top_up list_bank_lines get_wallet_privacy",
        *(LOOK_AT_DUES, LOOK_AT_MONEY_BACK, "list_arrears get_budgets get_automatic_payments list_notices"),
        "get_wallet_budget list_wallet_budgets get_wallet_member_budget",
        *(LOOK_AT_OWN_MONEY, "open_my_family"),
        *(OFFICE, "open_office_books"),
        LOOK_AT_WISHES,
    ),
    "money:write": (
        "pay_dues set_collection_consent",
        "top_up_my_pot set_my_top_up_rule pay_out_my_pot pay_my_arrears",
        *(FILL_WALLETS, LIMIT_WALLETS, TAKE_CASH, "begin_payment set_automatic_top_up leave_card forget_card"),
        *(
            "read_bank_statement allocate_bank_line begin_refund begin_payout",
            CASH_AT_THE_DESK,
            GIVE_BACK,
            HAND_OUT_CASH,
        ),
        "set_wallet_privacy keep_charge_private change_my_family read_ach_returns pay_arrears",
        *(
            "set_wallet_budget set_wallet_member_budget set_budgets set_automatic_payments pay_charge",
            "ask_question answer_question take_back_question",
            "answer_question_at_desk",
            PAY_ON_PAGES,
        ),
    ),
    "keys:read": (LOOK_AT_KEYS,),
    "keys:write": (TURN_KEYS, "create_api_key create_client"),
}


def words(groups: tuple[str, ...]) -> frozenset[str]:
    """The calls of some groups."""
    return frozenset(" ".join(groups).split())


PUBLIC = words(
    (
        "issue_token get_token_keys get_openapi get_problem get_health get_readiness get_static_file hear_callback",
        # Who is about to sign in is nobody yet; who signs out may be nobody any more.
        "open_desk_sign_in sign_in_at_desk begin_desk_provider end_desk_provider sign_in_with_passkey sign_out_of_desk",
        # Whoever has a slip, or a text message, and proves it there.
        "open_short_link open_kiosk show_at_kiosk show_kiosk_visit ask_at_kiosk end_at_kiosk",
        "open_my_sign_in sign_in_to_my begin_my_provider end_my_provider sign_out_of_my open_left_page",
    )
)
THIS_MACHINE = words(("get_metrics",))
ANY_CREDENTIAL = words(("get_me check_npi accept_help",))
BY_LINK = words(("open_receipt_page give_second_factor open_with_passkey",))
BY_LINK_AND_ANSWER = words(("open_receipt_services open_visit_of_link",))
HUMAN = words(
    (
        *(ASK_TO_BE_ERASED, DECIDE_ERASURES, OWN_KEPT, DESK_ERASURES, ERASE_AT_DESK),
        "set_collection_consent",
        *(
            CHANGE_PAYOUTS,
            WRITE_DRAFTS,
            PUBLISH,
            RULE_EXPENSES,
            "create_contract update_contract merge_members split_member",
        ),
        "allow_relative create_api_key create_client answer_invitation begin_refund begin_payout",
        *("answer_question", LOOK_AT_WISHES, PAY_ON_PAGES, DESK_QUESTIONS),
        *(GIVE_BACK, HAND_OUT_CASH, "open_desk_refunds open_desk_refund open_desk_cash_refunds open_desk_cash_refund"),
        "open_desk_write_offs open_desk_write_off",
        # Machines have the interface; pages are for people.
        *(
            SIT_AT_THE_DESK,
            "hand_out_at_desk print_slip open_desk_help help_at_desk retry_at_desk",
            DESK_WORK,
            DESK_MESSAGES,
            "retry_work_at_desk",
            LOOK_AT_DESK_WINDOWS,
            CASH_AT_THE_DESK,
            OWN_PAGES,
        ),
        *(LOOK_AT_OWN_MONEY, "top_up_my_pot set_my_top_up_rule pay_out_my_pot pay_my_arrears", OWN_FAMILY),
        *(DESK_PRICES, DESK_PLANS),
        *(DESK_PRICES, DESK_PLANS, PASSKEYS, EMERGENCY, LOOK_AT_REVIEWS, "review_emergency"),
        "open_office download_office_csv open_office_books",
        *(OWN_RECEIPTS, OWN_CARE, OWN_PLANS),
    )
)
NOT_THE_PROPOSER = words(
    (
        "approve_payout_change agree_to_charge_refund agree_to_refund_at_desk agree_to_write_off review_emergency "
        "agree_to_cash_refund agree_to_cash_refund_at_desk agree_to_write_off_at_desk",
        PUBLISH,
        "agree_to_erasure agree_to_erasure_at_desk",
    )
)
NO_SECRET = words(("update_party", KEEP_SITES))
NO_SCOPE = words(
    (
        "get_operation_by_key",
        PASSKEYS,
    )
)
