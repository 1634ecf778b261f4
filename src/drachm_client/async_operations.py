"""Every operation of the service. Made by tools/make_client.py from the OpenAPI document: do not edit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from drachm_client import models
from drachm_client.base import Base, read_as, read_nothing, read_text, read_versioned
from drachm_client.exchange import Outgoing, Spec
from drachm_client.values import StreamItem, Versioned

T = TypeVar("T")

_POST_SERVICE_EVENTS: Final = Spec("post_service_events", "POST", "/v1/service-events", repeatable=True)
_LIST_SERVICE_EVENTS: Final = Spec("list_service_events", "GET", "/v1/service-events", repeatable=True)
_GET_SERVICE_EVENT: Final = Spec("get_service_event", "GET", "/v1/service-events/{event_id}", repeatable=True)
_LIST_EVENT_REVISIONS: Final = Spec(
    "list_event_revisions", "GET", "/v1/service-events/{event_id}/revisions", repeatable=True
)
_REVISE_SERVICE_EVENT: Final = Spec(
    "revise_service_event", "POST", "/v1/service-events/{event_id}/revisions", repeatable=True, keyed=True
)
_REVERSE_SERVICE_EVENT: Final = Spec(
    "reverse_service_event", "POST", "/v1/service-events/{event_id}/reversal", repeatable=True, keyed=True
)
_LIST_WORK_QUEUE: Final = Spec("list_work_queue", "GET", "/v1/work-queue", repeatable=True)
_RETRY_WORK_QUEUE: Final = Spec("retry_work_queue", "POST", "/v1/work-queue/retries", repeatable=True, keyed=True)
_GET_WORK_ITEM: Final = Spec("get_work_item", "GET", "/v1/work-queue/{event_id}", repeatable=True)
_RETRY_WORK_ITEM: Final = Spec(
    "retry_work_item", "POST", "/v1/work-queue/{event_id}/retry", repeatable=True, keyed=True
)
_CREATE_ESTIMATE: Final = Spec("create_estimate", "POST", "/v1/estimates", repeatable=True)
_CHECK_ELIGIBILITY: Final = Spec("check_eligibility", "POST", "/v1/eligibility", repeatable=True)
_LIST_CHARGES: Final = Spec("list_charges", "GET", "/v1/charges", repeatable=True)
_GET_CHARGE: Final = Spec("get_charge", "GET", "/v1/charges/{charge_id}", repeatable=True)
_KEEP_CHARGE_PRIVATE: Final = Spec(
    "keep_charge_private", "POST", "/v1/charges/{charge_id}/privacy", repeatable=True, keyed=True
)
_PROPOSE_CHARGE_REFUND: Final = Spec(
    "propose_charge_refund", "POST", "/v1/charges/{charge_id}/refunds", repeatable=True, keyed=True
)
_LIST_CHARGE_REFUNDS: Final = Spec("list_charge_refunds", "GET", "/v1/charge-refunds", repeatable=True)
_GET_CHARGE_REFUND: Final = Spec("get_charge_refund", "GET", "/v1/charge-refunds/{refund_id}", repeatable=True)
_WITHDRAW_CHARGE_REFUND: Final = Spec("withdraw_charge_refund", "DELETE", "/v1/charge-refunds/{refund_id}")
_AGREE_TO_CHARGE_REFUND: Final = Spec(
    "agree_to_charge_refund", "POST", "/v1/charge-refunds/{refund_id}/agreement", repeatable=True, keyed=True
)
_WRITE_OFF_DUE: Final = Spec("write_off_due", "POST", "/v1/charges/{charge_id}/write-offs", repeatable=True, keyed=True)
_LIST_WRITE_OFFS: Final = Spec("list_write_offs", "GET", "/v1/write-offs", repeatable=True)
_GET_WRITE_OFF: Final = Spec("get_write_off", "GET", "/v1/write-offs/{write_off_id}", repeatable=True)
_END_WRITE_OFF: Final = Spec("end_write_off", "DELETE", "/v1/write-offs/{write_off_id}")
_AGREE_TO_WRITE_OFF: Final = Spec(
    "agree_to_write_off", "POST", "/v1/write-offs/{write_off_id}/agreement", repeatable=True, keyed=True
)
_LIST_VISITS: Final = Spec("list_visits", "GET", "/v1/visits", repeatable=True)
_GET_VISIT: Final = Spec("get_visit", "GET", "/v1/visits/{visit_id}", repeatable=True)
_LIST_RECEIPTS: Final = Spec("list_receipts", "GET", "/v1/receipts", repeatable=True)
_GET_RECEIPT: Final = Spec("get_receipt", "GET", "/v1/receipts/{receipt_id}", repeatable=True)
_EXPLAIN_RECEIPT: Final = Spec("explain_receipt", "GET", "/v1/receipts/{receipt_id}/why", repeatable=True)
_LIST_RECEIPT_LINKS: Final = Spec("list_receipt_links", "GET", "/v1/receipts/{receipt_id}/links", repeatable=True)
_CREATE_RECEIPT_LINK: Final = Spec("create_receipt_link", "POST", "/v1/receipts/{receipt_id}/links")
_REVOKE_RECEIPT_LINKS: Final = Spec("revoke_receipt_links", "DELETE", "/v1/receipts/{receipt_id}/links")
_LIST_PARTIES: Final = Spec("list_parties", "GET", "/v1/parties", repeatable=True)
_CREATE_PARTY: Final = Spec("create_party", "POST", "/v1/parties")
_GET_PARTY: Final = Spec("get_party", "GET", "/v1/parties/{party_id}", repeatable=True)
_UPDATE_PARTY: Final = Spec("update_party", "PATCH", "/v1/parties/{party_id}")
_LIST_SITES: Final = Spec("list_sites", "GET", "/v1/parties/{party_id}/sites", repeatable=True)
_CREATE_SITE: Final = Spec("create_site", "POST", "/v1/parties/{party_id}/sites")
_UPDATE_SITE: Final = Spec("update_site", "PATCH", "/v1/sites/{site_id}")
_LIST_PRACTITIONERS: Final = Spec("list_practitioners", "GET", "/v1/parties/{party_id}/practitioners", repeatable=True)
_CREATE_PRACTITIONER: Final = Spec("create_practitioner", "POST", "/v1/parties/{party_id}/practitioners")
_UPDATE_PRACTITIONER: Final = Spec("update_practitioner", "PATCH", "/v1/practitioners/{practitioner_id}")
_CHECK_NPI: Final = Spec("check_npi", "POST", "/v1/npi-checks", repeatable=True)
_LIST_CONTRACTS: Final = Spec("list_contracts", "GET", "/v1/contracts", repeatable=True)
_CREATE_CONTRACT: Final = Spec("create_contract", "POST", "/v1/contracts")
_GET_CONTRACT: Final = Spec("get_contract", "GET", "/v1/contracts/{contract_id}", repeatable=True)
_UPDATE_CONTRACT: Final = Spec("update_contract", "PATCH", "/v1/contracts/{contract_id}")
_LIST_PAYOUT_ACCOUNTS: Final = Spec("list_payout_accounts", "GET", "/v1/payout-accounts", repeatable=True)
_PROPOSE_PAYOUT_ACCOUNT: Final = Spec(
    "propose_payout_account", "POST", "/v1/payout-accounts", repeatable=True, keyed=True
)
_GET_PAYOUT_ACCOUNT: Final = Spec(
    "get_payout_account", "GET", "/v1/payout-accounts/{payout_account_id}", repeatable=True
)
_LIST_PAYOUT_CHANGES: Final = Spec(
    "list_payout_changes", "GET", "/v1/payout-accounts/{payout_account_id}/changes", repeatable=True
)
_PROPOSE_PAYOUT_CHANGE: Final = Spec(
    "propose_payout_change", "POST", "/v1/payout-accounts/{payout_account_id}/changes", repeatable=True, keyed=True
)
_APPROVE_PAYOUT_CHANGE: Final = Spec(
    "approve_payout_change", "POST", "/v1/payout-changes/{change_id}/approval", repeatable=True, keyed=True
)
_WITHDRAW_PAYOUT_CHANGE: Final = Spec("withdraw_payout_change", "DELETE", "/v1/payout-changes/{change_id}")
_LIST_MEMBERS: Final = Spec("list_members", "GET", "/v1/members", repeatable=True)
_CREATE_MEMBER: Final = Spec("create_member", "POST", "/v1/members")
_GET_MEMBER: Final = Spec("get_member", "GET", "/v1/members/{member_id}", repeatable=True)
_UPDATE_MEMBER: Final = Spec("update_member", "PATCH", "/v1/members/{member_id}")
_MATCH_MEMBER: Final = Spec("match_member", "POST", "/v1/members/match", repeatable=True)
_SEARCH_MEMBERS: Final = Spec("search_members", "POST", "/v1/members/search")
_LIST_DUPLICATES: Final = Spec("list_duplicates", "GET", "/v1/members/duplicates", repeatable=True)
_MERGE_MEMBERS: Final = Spec("merge_members", "POST", "/v1/members/merge")
_SPLIT_MEMBER: Final = Spec("split_member", "POST", "/v1/members/{member_id}/split")
_LIST_RELATIVES: Final = Spec("list_relatives", "GET", "/v1/members/{member_id}/relatives", repeatable=True)
_ALLOW_RELATIVE: Final = Spec("allow_relative", "POST", "/v1/members/{member_id}/relatives")
_REVOKE_RELATIVE: Final = Spec("revoke_relative", "DELETE", "/v1/members/{member_id}/relatives/{relative_id}")
_LIST_FAMILIES: Final = Spec("list_families", "GET", "/v1/families", repeatable=True)
_CREATE_FAMILY: Final = Spec("create_family", "POST", "/v1/families")
_GET_FAMILY: Final = Spec("get_family", "GET", "/v1/families/{family_id}", repeatable=True)
_JOIN_FAMILY: Final = Spec("join_family", "POST", "/v1/families/{family_id}/members")
_LEAVE_FAMILY: Final = Spec("leave_family", "DELETE", "/v1/families/{family_id}/members/{member_id}")
_LIST_COVERAGES: Final = Spec("list_coverages", "GET", "/v1/coverages", repeatable=True)
_CREATE_COVERAGE: Final = Spec("create_coverage", "POST", "/v1/coverages")
_GET_COVERAGE: Final = Spec("get_coverage", "GET", "/v1/coverages/{coverage_id}", repeatable=True)
_UPDATE_COVERAGE: Final = Spec("update_coverage", "PATCH", "/v1/coverages/{coverage_id}")
_TERMINATE_COVERAGE: Final = Spec(
    "terminate_coverage", "POST", "/v1/coverages/{coverage_id}/termination", repeatable=True, keyed=True
)
_LIST_PLANS: Final = Spec("list_plans", "GET", "/v1/plans", repeatable=True)
_DRAFT_PLAN: Final = Spec("draft_plan", "POST", "/v1/plans")
_GET_PLAN: Final = Spec("get_plan", "GET", "/v1/plans/{plan_id}", repeatable=True)
_GET_PLAN_DRAFT: Final = Spec("get_plan_draft", "GET", "/v1/plans/{plan_id}/draft", repeatable=True)
_REPLACE_PLAN_DRAFT: Final = Spec("replace_plan_draft", "PUT", "/v1/plans/{plan_id}/draft")
_VALIDATE_PLAN: Final = Spec("validate_plan", "POST", "/v1/plans/{plan_id}/validation", repeatable=True)
_PREVIEW_PLAN: Final = Spec("preview_plan", "POST", "/v1/plans/{plan_id}/preview", repeatable=True)
_PUBLISH_PLAN: Final = Spec("publish_plan", "POST", "/v1/plans/{plan_id}/publication")
_LIST_PRICE_BOOKS: Final = Spec("list_price_books", "GET", "/v1/price-books", repeatable=True)
_DRAFT_PRICE_BOOK: Final = Spec("draft_price_book", "POST", "/v1/price-books")
_GET_PRICE_BOOK: Final = Spec("get_price_book", "GET", "/v1/price-books/{price_book_id}", repeatable=True)
_GET_PRICE_BOOK_DRAFT: Final = Spec(
    "get_price_book_draft", "GET", "/v1/price-books/{price_book_id}/draft", repeatable=True
)
_REPLACE_PRICE_BOOK_DRAFT: Final = Spec("replace_price_book_draft", "PUT", "/v1/price-books/{price_book_id}/draft")
_VALIDATE_PRICE_BOOK: Final = Spec(
    "validate_price_book", "POST", "/v1/price-books/{price_book_id}/validation", repeatable=True
)
_PREVIEW_PRICE_BOOK: Final = Spec(
    "preview_price_book", "POST", "/v1/price-books/{price_book_id}/preview", repeatable=True
)
_PUBLISH_PRICE_BOOK: Final = Spec("publish_price_book", "POST", "/v1/price-books/{price_book_id}/publication")
_LIST_EXPENSE_RULES: Final = Spec("list_expense_rules", "GET", "/v1/expense-rules", repeatable=True)
_PUBLISH_EXPENSE_RULES: Final = Spec("publish_expense_rules", "POST", "/v1/expense-rules")
_GET_EXPENSE_RULES: Final = Spec("get_expense_rules", "GET", "/v1/expense-rules/{rules_id}", repeatable=True)
_PAY_CHARGE: Final = Spec("pay_charge", "POST", "/v1/charges/{charge_id}/payments", repeatable=True, keyed=True)
_ASK_QUESTION: Final = Spec("ask_question", "POST", "/v1/receipts/{receipt_id}/questions", repeatable=True, keyed=True)
_LIST_QUESTIONS: Final = Spec("list_questions", "GET", "/v1/questions", repeatable=True)
_ANSWER_QUESTION: Final = Spec("answer_question", "POST", "/v1/questions/{question_id}/answer")
_TAKE_BACK_QUESTION: Final = Spec("take_back_question", "DELETE", "/v1/questions/{question_id}")
_GET_BUDGETS: Final = Spec("get_budgets", "GET", "/v1/members/{member_id}/budgets", repeatable=True)
_SET_BUDGETS: Final = Spec("set_budgets", "PUT", "/v1/members/{member_id}/budgets")
_GET_WALLET_BUDGET: Final = Spec("get_wallet_budget", "GET", "/v1/wallets/{wallet_id}/budget", repeatable=True)
_SET_WALLET_BUDGET: Final = Spec("set_wallet_budget", "PUT", "/v1/wallets/{wallet_id}/budget")
_LIST_WALLET_BUDGETS: Final = Spec("list_wallet_budgets", "GET", "/v1/wallets/{wallet_id}/budgets", repeatable=True)
_GET_WALLET_MEMBER_BUDGET: Final = Spec(
    "get_wallet_member_budget", "GET", "/v1/wallets/{wallet_id}/budgets/{member_id}", repeatable=True
)
_SET_WALLET_MEMBER_BUDGET: Final = Spec(
    "set_wallet_member_budget", "PUT", "/v1/wallets/{wallet_id}/budgets/{member_id}"
)
_GET_AUTOMATIC_PAYMENTS: Final = Spec(
    "get_automatic_payments", "GET", "/v1/members/{member_id}/automatic-payments", repeatable=True
)
_SET_AUTOMATIC_PAYMENTS: Final = Spec("set_automatic_payments", "PUT", "/v1/members/{member_id}/automatic-payments")
_LIST_NOTICES: Final = Spec("list_notices", "GET", "/v1/members/{member_id}/notices", repeatable=True)
_ASK_FOR_ERASURE: Final = Spec(
    "ask_for_erasure", "POST", "/v1/members/{member_id}/erasures", repeatable=True, keyed=True
)
_LIST_ERASURES: Final = Spec("list_erasures", "GET", "/v1/erasures", repeatable=True)
_GET_ERASURE: Final = Spec("get_erasure", "GET", "/v1/erasures/{erasure_id}", repeatable=True)
_WITHDRAW_ERASURE: Final = Spec("withdraw_erasure", "DELETE", "/v1/erasures/{erasure_id}")
_PROPOSE_ERASURE: Final = Spec("propose_erasure", "POST", "/v1/erasures/{erasure_id}/proposal")
_AGREE_TO_ERASURE: Final = Spec("agree_to_erasure", "POST", "/v1/erasures/{erasure_id}/agreement")
_REFUSE_ERASURE: Final = Spec("refuse_erasure", "POST", "/v1/erasures/{erasure_id}/refusal")
_LIST_WALLETS: Final = Spec("list_wallets", "GET", "/v1/wallets", repeatable=True)
_OPEN_WALLET: Final = Spec("open_wallet", "POST", "/v1/wallets")
_GET_WALLET: Final = Spec("get_wallet", "GET", "/v1/wallets/{wallet_id}", repeatable=True)
_LIST_WALLET_ENTRIES: Final = Spec("list_wallet_entries", "GET", "/v1/wallets/{wallet_id}/entries", repeatable=True)
_LIST_WALLET_MEMBERS: Final = Spec("list_wallet_members", "GET", "/v1/wallets/{wallet_id}/members", repeatable=True)
_GET_WALLET_MEMBER: Final = Spec(
    "get_wallet_member", "GET", "/v1/wallets/{wallet_id}/members/{member_id}", repeatable=True
)
_SET_WALLET_MEMBER: Final = Spec("set_wallet_member", "PUT", "/v1/wallets/{wallet_id}/members/{member_id}")
_REMOVE_WALLET_MEMBER: Final = Spec("remove_wallet_member", "DELETE", "/v1/wallets/{wallet_id}/members/{member_id}")
_GET_WALLET_PRIVACY: Final = Spec(
    "get_wallet_privacy", "GET", "/v1/wallets/{wallet_id}/privacy/{member_id}", repeatable=True
)
_SET_WALLET_PRIVACY: Final = Spec("set_wallet_privacy", "PUT", "/v1/wallets/{wallet_id}/privacy/{member_id}")
_LIST_WALLET_INVITATIONS: Final = Spec(
    "list_wallet_invitations", "GET", "/v1/wallets/{wallet_id}/invitations", repeatable=True
)
_INVITE_TO_WALLET: Final = Spec(
    "invite_to_wallet", "POST", "/v1/wallets/{wallet_id}/invitations", repeatable=True, keyed=True
)
_WITHDRAW_WALLET_INVITATION: Final = Spec("withdraw_wallet_invitation", "DELETE", "/v1/invitations/{invitation_id}")
_LIST_MEMBER_INVITATIONS: Final = Spec(
    "list_member_invitations", "GET", "/v1/members/{member_id}/invitations", repeatable=True
)
_ANSWER_INVITATION: Final = Spec("answer_invitation", "POST", "/v1/members/{member_id}/invitations")
_ACCEPT_HELP: Final = Spec("accept_help", "POST", "/v1/help")
_TOP_UP_WALLET: Final = Spec("top_up_wallet", "POST", "/v1/wallets/{wallet_id}/top-ups", repeatable=True, keyed=True)
_LIST_PAYMENTS: Final = Spec("list_payments", "GET", "/v1/wallets/{wallet_id}/payments", repeatable=True)
_BEGIN_PAYMENT: Final = Spec("begin_payment", "POST", "/v1/wallets/{wallet_id}/payments", repeatable=True, keyed=True)
_GET_PAYMENT: Final = Spec("get_payment", "GET", "/v1/payments/{payment_id}", repeatable=True)
_LIST_REFUNDS: Final = Spec("list_refunds", "GET", "/v1/payments/{payment_id}/refunds", repeatable=True)
_BEGIN_REFUND: Final = Spec("begin_refund", "POST", "/v1/payments/{payment_id}/refunds", repeatable=True, keyed=True)
_GET_REFUND: Final = Spec("get_refund", "GET", "/v1/refunds/{refund_id}", repeatable=True)
_BEGIN_PAYOUT: Final = Spec("begin_payout", "POST", "/v1/wallets/{wallet_id}/payouts", repeatable=True, keyed=True)
_LIST_DUES: Final = Spec("list_dues", "GET", "/v1/members/{member_id}/dues", repeatable=True)
_PAY_DUES: Final = Spec("pay_dues", "POST", "/v1/members/{member_id}/dues/payments", repeatable=True, keyed=True)
_GET_COLLECTION_CONSENT: Final = Spec(
    "get_collection_consent", "GET", "/v1/members/{member_id}/collection-consent", repeatable=True
)
_SET_COLLECTION_CONSENT: Final = Spec("set_collection_consent", "PUT", "/v1/members/{member_id}/collection-consent")
_LIST_ARREARS: Final = Spec("list_arrears", "GET", "/v1/members/{member_id}/arrears", repeatable=True)
_PAY_ARREARS: Final = Spec(
    "pay_arrears", "POST", "/v1/members/{member_id}/arrears/payments", repeatable=True, keyed=True
)
_GET_AUTOMATIC_TOP_UP: Final = Spec(
    "get_automatic_top_up", "GET", "/v1/wallets/{wallet_id}/automatic-top-up", repeatable=True
)
_SET_AUTOMATIC_TOP_UP: Final = Spec("set_automatic_top_up", "PUT", "/v1/wallets/{wallet_id}/automatic-top-up")
_LEAVE_CARD: Final = Spec("leave_card", "POST", "/v1/wallets/{wallet_id}/cards", repeatable=True, keyed=True)
_FORGET_CARD: Final = Spec("forget_card", "DELETE", "/v1/wallets/{wallet_id}/cards/{rail}")
_HEAR_CALLBACK: Final = Spec("hear_callback", "POST", "/v1/callbacks/{tenant}/{rail}", accept="text/plain")
_LIST_SHIFTS: Final = Spec("list_shifts", "GET", "/v1/shifts", repeatable=True)
_OPEN_SHIFT: Final = Spec("open_shift", "POST", "/v1/shifts")
_GET_SHIFT: Final = Spec("get_shift", "GET", "/v1/shifts/{shift_id}", repeatable=True)
_TAKE_CASH: Final = Spec("take_cash", "POST", "/v1/shifts/{shift_id}/payments", repeatable=True, keyed=True)
_COUNT_SHIFT: Final = Spec("count_shift", "POST", "/v1/shifts/{shift_id}/count", repeatable=True, keyed=True)
_PROPOSE_CASH_REFUND: Final = Spec("propose_cash_refund", "POST", "/v1/cash-refunds", repeatable=True, keyed=True)
_LIST_CASH_REFUNDS: Final = Spec("list_cash_refunds", "GET", "/v1/cash-refunds", repeatable=True)
_GET_CASH_REFUND: Final = Spec("get_cash_refund", "GET", "/v1/cash-refunds/{refund_id}", repeatable=True)
_WITHDRAW_CASH_REFUND: Final = Spec("withdraw_cash_refund", "DELETE", "/v1/cash-refunds/{refund_id}")
_AGREE_TO_CASH_REFUND: Final = Spec(
    "agree_to_cash_refund", "POST", "/v1/cash-refunds/{refund_id}/agreement", repeatable=True, keyed=True
)
_PAY_CASH_REFUND: Final = Spec(
    "pay_cash_refund", "POST", "/v1/cash-refunds/{refund_id}/payment", repeatable=True, keyed=True
)
_READ_BANK_STATEMENT: Final = Spec("read_bank_statement", "POST", "/v1/bank-statements", repeatable=True, keyed=True)
_READ_ACH_RETURNS: Final = Spec("read_ach_returns", "POST", "/v1/ach-returns", repeatable=True, keyed=True)
_LIST_BANK_LINES: Final = Spec("list_bank_lines", "GET", "/v1/bank-lines", repeatable=True)
_ALLOCATE_BANK_LINE: Final = Spec(
    "allocate_bank_line", "POST", "/v1/bank-lines/{line_id}/allocation", repeatable=True, keyed=True
)
_LIST_ACCOUNTS: Final = Spec("list_accounts", "GET", "/v1/accounts", repeatable=True)
_GET_ACCOUNT: Final = Spec("get_account", "GET", "/v1/accounts/{account_id}", repeatable=True)
_LIST_ACCOUNT_ENTRIES: Final = Spec("list_account_entries", "GET", "/v1/accounts/{account_id}/entries", repeatable=True)
_LIST_STATEMENTS: Final = Spec("list_statements", "GET", "/v1/statements", repeatable=True)
_GET_STATEMENT: Final = Spec("get_statement", "GET", "/v1/statements/{statement_id}", repeatable=True)
_GET_TRIAL_BALANCE: Final = Spec("get_trial_balance", "GET", "/v1/trial-balance", repeatable=True)
_GET_CARE_FIGURES: Final = Spec("get_care_figures", "GET", "/v1/analytics/care", repeatable=True)
_LIST_EVENTS: Final = Spec("list_events", "GET", "/v1/events", repeatable=True)
_STREAM_PARTY_RECEIPTS: Final = Spec(
    "stream_party_receipts",
    "GET",
    "/v1/parties/{party_id}/receipts/stream",
    repeatable=True,
    accept="text/event-stream",
)
_STREAM_MEMBER_RECEIPTS: Final = Spec(
    "stream_member_receipts",
    "GET",
    "/v1/members/{member_id}/receipts/stream",
    repeatable=True,
    accept="text/event-stream",
)
_GET_OPERATION_BY_KEY: Final = Spec("get_operation_by_key", "GET", "/v1/operations/by-key/{key}", repeatable=True)
_LIST_API_KEYS: Final = Spec("list_api_keys", "GET", "/v1/api-keys", repeatable=True)
_CREATE_API_KEY: Final = Spec("create_api_key", "POST", "/v1/api-keys")
_GET_API_KEY: Final = Spec("get_api_key", "GET", "/v1/api-keys/{key_id}", repeatable=True)
_REVOKE_API_KEY: Final = Spec("revoke_api_key", "DELETE", "/v1/api-keys/{key_id}")
_ROTATE_API_KEY: Final = Spec("rotate_api_key", "POST", "/v1/api-keys/{key_id}/rotation")
_LIST_CLIENTS: Final = Spec("list_clients", "GET", "/v1/clients", repeatable=True)
_CREATE_CLIENT: Final = Spec("create_client", "POST", "/v1/clients")
_GET_CLIENT: Final = Spec("get_client", "GET", "/v1/clients/{client_id}", repeatable=True)
_REVOKE_CLIENT: Final = Spec("revoke_client", "DELETE", "/v1/clients/{client_id}")
_REPLACE_CLIENT_KEYS: Final = Spec("replace_client_keys", "PUT", "/v1/clients/{client_id}/keys")
_ISSUE_TOKEN: Final = Spec("issue_token", "POST", "/v1/token")
_GET_TOKEN_KEYS: Final = Spec("get_token_keys", "GET", "/.well-known/jwks.json", repeatable=True)
_GET_ME: Final = Spec("get_me", "GET", "/v1/me", repeatable=True)
_GET_OPENAPI: Final = Spec("get_openapi", "GET", "/openapi.json", repeatable=True)
_GET_PROBLEM: Final = Spec("get_problem", "GET", "/problems/{code}", repeatable=True, accept="text/html")
_GET_HEALTH: Final = Spec("get_health", "GET", "/healthz", repeatable=True)
_GET_READINESS: Final = Spec("get_readiness", "GET", "/readyz", repeatable=True)


class AsyncOperations(Base):
    """One method for each operation; the client that is also able to send."""

    async def call(self, outgoing: Outgoing[T], deadline: float | None = None) -> T:
        """Send a call until it is answered, or the deadline has passed."""
        raise NotImplementedError

    def stream(self, outgoing: Outgoing[T], after: str = "") -> AsyncIterator[StreamItem[T]]:
        """Items as they come."""
        raise NotImplementedError

    async def post_service_event(
        self, body: models.ServiceEvent, *, deadline: float | None = None
    ) -> models.EventResult:
        """Clear delivered care: one event, a JSON array or NDJSON of up to 1,000; a result for each, a repeat its
        first answer.
        """
        outgoing = self.outgoing(_POST_SERVICE_EVENTS, read_as(models.EventResult), {}, body=body)
        return await self.call(outgoing, deadline)

    async def post_service_events(
        self, body: Sequence[models.ServiceEvent], *, deadline: float | None = None
    ) -> models.BulkResult:
        """Clear delivered care: one event, a JSON array or NDJSON of up to 1,000; a result for each, a repeat its
        first answer.
        """
        outgoing = self.outgoing(_POST_SERVICE_EVENTS, read_as(models.BulkResult), {}, body=body)
        return await self.call(outgoing, deadline)

    async def list_service_events(
        self,
        *,
        member: str | None = None,
        party: str | None = None,
        since: str | None = None,
        until: str | None = None,
        source: str | None = None,
        event_id: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.EventPage:
        """Events that were received, newest first, with their outcome."""
        query = {
            "member": member,
            "party": party,
            "since": since,
            "until": until,
            "source": source,
            "event_id": event_id,
            "status": status,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_SERVICE_EVENTS, read_as(models.EventPage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_service_events(
        self,
        *,
        member: str | None = None,
        party: str | None = None,
        since: str | None = None,
        until: str | None = None,
        source: str | None = None,
        event_id: str | None = None,
        status: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[models.Event]:
        """Events that were received, newest first, with their outcome. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_service_events(
                member=member,
                party=party,
                since=since,
                until=until,
                source=source,
                event_id=event_id,
                status=status,
                cursor=cursor,
                limit=100,
                deadline=deadline,
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def get_service_event(self, event_id: str, *, deadline: float | None = None) -> models.Event:
        """What became of one event: cleared, refused or pended, and why."""
        outgoing = self.outgoing(_GET_SERVICE_EVENT, read_as(models.Event), {"event_id": event_id})
        return await self.call(outgoing, deadline)

    async def list_event_revisions(self, event_id: str, *, deadline: float | None = None) -> models.EventRevisionPage:
        """Every answer this event has had, first to last, with what replaced what."""
        outgoing = self.outgoing(_LIST_EVENT_REVISIONS, read_as(models.EventRevisionPage), {"event_id": event_id})
        return await self.call(outgoing, deadline)

    async def revise_service_event(
        self,
        event_id: str,
        body: models.Correction,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.EventResult:
        """Correct an event: the first answer is undone and the new one takes its place."""
        outgoing = self.outgoing(
            _REVISE_SERVICE_EVENT, read_as(models.EventResult), {"event_id": event_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def reverse_service_event(
        self, event_id: str, body: models.Undoing, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.EventResult:
        """Undo an event whole: care that was not given, or not given to this person."""
        outgoing = self.outgoing(
            _REVERSE_SERVICE_EVENT, read_as(models.EventResult), {"event_id": event_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def list_work_queue(
        self,
        *,
        member: str | None = None,
        party: str | None = None,
        since: str | None = None,
        until: str | None = None,
        provider: str | None = None,
        reason: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.WorkItemPage:
        """Events that wait for something unknown: a code, a member, a price, a currency."""
        query = {
            "member": member,
            "party": party,
            "since": since,
            "until": until,
            "provider": provider,
            "reason": reason,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_WORK_QUEUE, read_as(models.WorkItemPage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_work_queue(
        self,
        *,
        member: str | None = None,
        party: str | None = None,
        since: str | None = None,
        until: str | None = None,
        provider: str | None = None,
        reason: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[models.WorkItem]:
        """Events that wait for something unknown: a code, a member, a price, a currency. All of them, page after
        page.
        """
        cursor: str | None = None
        while True:
            page = await self.list_work_queue(
                member=member,
                party=party,
                since=since,
                until=until,
                provider=provider,
                reason=reason,
                cursor=cursor,
                limit=100,
                deadline=deadline,
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def retry_work_queue(
        self, body: models.RetryOrder, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.RetryResult:
        """Try many waiting events again at once, or see what would come of it."""
        outgoing = self.outgoing(_RETRY_WORK_QUEUE, read_as(models.RetryResult), {}, body=body, key=idempotency_key)
        return await self.call(outgoing, deadline)

    async def get_work_item(self, event_id: str, *, deadline: float | None = None) -> models.WorkItem:
        """What one waiting event waits for."""
        outgoing = self.outgoing(_GET_WORK_ITEM, read_as(models.WorkItem), {"event_id": event_id})
        return await self.call(outgoing, deadline)

    async def retry_work_item(
        self, event_id: str, body: models.Nothing, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.EventResult:
        """Try a waiting event again now that what was missing is there."""
        outgoing = self.outgoing(
            _RETRY_WORK_ITEM, read_as(models.EventResult), {"event_id": event_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def create_estimate(
        self, body: models.EstimateOrder, *, deadline: float | None = None
    ) -> models.EstimateView:
        """What care would cost whom, computed by the line that clears real events, posting nothing."""
        outgoing = self.outgoing(_CREATE_ESTIMATE, read_as(models.EstimateView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def check_eligibility(
        self, body: models.EligibilityOrder, *, deadline: float | None = None
    ) -> models.EligibilityView:
        """Cover, what is left of deductible and maximum, network and need of authorisation, as of a date."""
        outgoing = self.outgoing(_CHECK_ELIGIBILITY, read_as(models.EligibilityView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def list_charges(
        self,
        *,
        member: str | None = None,
        party: str | None = None,
        since: str | None = None,
        until: str | None = None,
        status: str | None = None,
        visit: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.ChargePage:
        """Charges, newest first."""
        query = {
            "member": member,
            "party": party,
            "since": since,
            "until": until,
            "status": status,
            "visit": visit,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_CHARGES, read_as(models.ChargePage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_charges(
        self,
        *,
        member: str | None = None,
        party: str | None = None,
        since: str | None = None,
        until: str | None = None,
        status: str | None = None,
        visit: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[models.Charge]:
        """Charges, newest first. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_charges(
                member=member,
                party=party,
                since=since,
                until=until,
                status=status,
                visit=visit,
                cursor=cursor,
                limit=100,
                deadline=deadline,
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def get_charge(self, charge_id: str, *, deadline: float | None = None) -> models.Charge:
        """One charge: billed, allowed, and who bears what."""
        outgoing = self.outgoing(_GET_CHARGE, read_as(models.Charge), {"charge_id": charge_id})
        return await self.call(outgoing, deadline)

    async def keep_charge_private(
        self, charge_id: str, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.Charge:
        """Keep a charge from the family: what its pocket paid goes back, own pockets pay instead."""
        outgoing = self.outgoing(
            _KEEP_CHARGE_PRIVATE, read_as(models.Charge), {"charge_id": charge_id}, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def propose_charge_refund(
        self,
        charge_id: str,
        body: models.ChargeRefundOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.ChargeRefundView:
        """Propose to give the money of a charge back, whole or in part, with a reason and a limit; nothing moves
        yet.
        """
        outgoing = self.outgoing(
            _PROPOSE_CHARGE_REFUND,
            read_as(models.ChargeRefundView),
            {"charge_id": charge_id},
            body=body,
            key=idempotency_key,
        )
        return await self.call(outgoing, deadline)

    async def list_charge_refunds(
        self,
        *,
        state: str | None = None,
        charge: str | None = None,
        order: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.ChargeRefundViewPage:
        """Refunds of charges: what waits for a second person, and what became of the others."""
        query = {
            "state": state,
            "charge": charge,
            "order": order,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_CHARGE_REFUNDS, read_as(models.ChargeRefundViewPage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_charge_refunds(
        self,
        *,
        state: str | None = None,
        charge: str | None = None,
        order: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[models.ChargeRefundView]:
        """Refunds of charges: what waits for a second person, and what became of the others. All of them, page after
        page.
        """
        cursor: str | None = None
        while True:
            page = await self.list_charge_refunds(
                state=state, charge=charge, order=order, cursor=cursor, limit=100, deadline=deadline
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def get_charge_refund(self, refund_id: str, *, deadline: float | None = None) -> models.ChargeRefundView:
        """One refund of a charge, and who had a hand in it."""
        outgoing = self.outgoing(_GET_CHARGE_REFUND, read_as(models.ChargeRefundView), {"refund_id": refund_id})
        return await self.call(outgoing, deadline)

    async def withdraw_charge_refund(self, refund_id: str, *, deadline: float | None = None) -> models.ChargeRefundView:
        """Stop a refund that nobody agreed to yet."""
        outgoing = self.outgoing(_WITHDRAW_CHARGE_REFUND, read_as(models.ChargeRefundView), {"refund_id": refund_id})
        return await self.call(outgoing, deadline)

    async def agree_to_charge_refund(
        self, refund_id: str, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.ChargeRefundView:
        """A second person agrees; the money goes back to the pockets and payers that gave it, once."""
        outgoing = self.outgoing(
            _AGREE_TO_CHARGE_REFUND, read_as(models.ChargeRefundView), {"refund_id": refund_id}, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def write_off_due(
        self,
        charge_id: str,
        body: models.WriteOffOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.WriteOffView:
        """Ask no more for what is due of a charge: at once up to a limit, above it when a second person agrees."""
        outgoing = self.outgoing(
            _WRITE_OFF_DUE, read_as(models.WriteOffView), {"charge_id": charge_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def list_write_offs(
        self,
        *,
        state: str | None = None,
        charge: str | None = None,
        order: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.WriteOffViewPage:
        """Dues that are no longer asked for, and those that wait for a second person."""
        query = {
            "state": state,
            "charge": charge,
            "order": order,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_WRITE_OFFS, read_as(models.WriteOffViewPage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_write_offs(
        self,
        *,
        state: str | None = None,
        charge: str | None = None,
        order: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[models.WriteOffView]:
        """Dues that are no longer asked for, and those that wait for a second person. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_write_offs(
                state=state, charge=charge, order=order, cursor=cursor, limit=100, deadline=deadline
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def get_write_off(self, write_off_id: str, *, deadline: float | None = None) -> models.WriteOffView:
        """One of them, and who decided it."""
        outgoing = self.outgoing(_GET_WRITE_OFF, read_as(models.WriteOffView), {"write_off_id": write_off_id})
        return await self.call(outgoing, deadline)

    async def end_write_off(self, write_off_id: str, *, deadline: float | None = None) -> models.WriteOffView:
        """Withdraw it, or take it back: then the amount is due again."""
        outgoing = self.outgoing(_END_WRITE_OFF, read_as(models.WriteOffView), {"write_off_id": write_off_id})
        return await self.call(outgoing, deadline)

    async def agree_to_write_off(
        self, write_off_id: str, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.WriteOffView:
        """A second person agrees; the patient is asked for it no more."""
        outgoing = self.outgoing(
            _AGREE_TO_WRITE_OFF, read_as(models.WriteOffView), {"write_off_id": write_off_id}, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def list_visits(
        self,
        *,
        member: str | None = None,
        party: str | None = None,
        since: str | None = None,
        until: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.VisitSummaryPage:
        """Visits: many charges, one answer to the patient."""
        query = {
            "member": member,
            "party": party,
            "since": since,
            "until": until,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_VISITS, read_as(models.VisitSummaryPage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_visits(
        self,
        *,
        member: str | None = None,
        party: str | None = None,
        since: str | None = None,
        until: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[models.VisitSummary]:
        """Visits: many charges, one answer to the patient. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_visits(
                member=member, party=party, since=since, until=until, cursor=cursor, limit=100, deadline=deadline
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def get_visit(self, visit_id: str, *, deadline: float | None = None) -> models.Visit:
        """One visit with all its charges and what is asked of the patient in the end."""
        outgoing = self.outgoing(_GET_VISIT, read_as(models.Visit), {"visit_id": visit_id})
        return await self.call(outgoing, deadline)

    async def list_receipts(
        self,
        *,
        member: str | None = None,
        party: str | None = None,
        since: str | None = None,
        until: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.ReceiptViewPage:
        """Receipts, newest first."""
        query = {
            "member": member,
            "party": party,
            "since": since,
            "until": until,
            "status": status,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_RECEIPTS, read_as(models.ReceiptViewPage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_receipts(
        self,
        *,
        member: str | None = None,
        party: str | None = None,
        since: str | None = None,
        until: str | None = None,
        status: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[models.ReceiptView]:
        """Receipts, newest first. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_receipts(
                member=member,
                party=party,
                since=since,
                until=until,
                status=status,
                cursor=cursor,
                limit=100,
                deadline=deadline,
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def get_receipt(self, receipt_id: str, *, deadline: float | None = None) -> models.ReceiptView:
        """One receipt, with every amount and its proof."""
        outgoing = self.outgoing(_GET_RECEIPT, read_as(models.ReceiptView), {"receipt_id": receipt_id})
        return await self.call(outgoing, deadline)

    async def explain_receipt(self, receipt_id: str, *, deadline: float | None = None) -> models.ReceiptWhy:
        """Each rule that was used on this receipt, in order, with the clause of the plan it comes from."""
        outgoing = self.outgoing(_EXPLAIN_RECEIPT, read_as(models.ReceiptWhy), {"receipt_id": receipt_id})
        return await self.call(outgoing, deadline)

    async def list_receipt_links(self, receipt_id: str, *, deadline: float | None = None) -> models.ReceiptLinkPage:
        """Signed links to this receipt that are still good: when they end, never the links themselves."""
        outgoing = self.outgoing(_LIST_RECEIPT_LINKS, read_as(models.ReceiptLinkPage), {"receipt_id": receipt_id})
        return await self.call(outgoing, deadline)

    async def create_receipt_link(
        self, receipt_id: str, body: models.LinkOrder, *, deadline: float | None = None
    ) -> models.NewReceiptLink:
        """A signed link that opens this one receipt in a browser until it expires."""
        outgoing = self.outgoing(
            _CREATE_RECEIPT_LINK, read_as(models.NewReceiptLink), {"receipt_id": receipt_id}, body=body
        )
        return await self.call(outgoing, deadline)

    async def revoke_receipt_links(self, receipt_id: str, *, deadline: float | None = None) -> None:
        """Withdraw every link to this receipt at once."""
        outgoing = self.outgoing(_REVOKE_RECEIPT_LINKS, read_nothing, {"receipt_id": receipt_id})
        await self.call(outgoing, deadline)

    async def list_parties(
        self,
        *,
        role: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.PartyViewPage:
        """Providers, payers, funders and employers of the tenant."""
        outgoing = self.outgoing(
            _LIST_PARTIES, read_as(models.PartyViewPage), {}, query={"role": role, "cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_parties(
        self, *, role: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.PartyView]:
        """Providers, payers, funders and employers of the tenant. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_parties(role=role, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def create_party(
        self, body: models.NewParty, *, deadline: float | None = None
    ) -> Versioned[models.PartyView]:
        """Register a party with its roles; a provider's NPI is checked."""
        outgoing = self.outgoing(_CREATE_PARTY, read_versioned(models.PartyView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_party(self, party_id: str, *, deadline: float | None = None) -> Versioned[models.PartyView]:
        """One party as the tenant's directory shows it."""
        outgoing = self.outgoing(_GET_PARTY, read_versioned(models.PartyView), {"party_id": party_id})
        return await self.call(outgoing, deadline)

    async def update_party(
        self, party_id: str, body: models.PartyChange, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.PartyView]:
        """Change what the directory says of a party."""
        outgoing = self.outgoing(
            _UPDATE_PARTY, read_versioned(models.PartyView), {"party_id": party_id}, body=body, if_match=if_match
        )
        return await self.call(outgoing, deadline)

    async def list_sites(
        self, party_id: str, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.SiteViewPage:
        """Where a provider gives care."""
        outgoing = self.outgoing(
            _LIST_SITES, read_as(models.SiteViewPage), {"party_id": party_id}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_sites(self, party_id: str, *, deadline: float | None = None) -> AsyncIterator[models.SiteView]:
        """Where a provider gives care. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_sites(party_id, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def create_site(
        self, party_id: str, body: models.NewSite, *, deadline: float | None = None
    ) -> Versioned[models.SiteView]:
        """Add a place where a provider gives care."""
        outgoing = self.outgoing(_CREATE_SITE, read_versioned(models.SiteView), {"party_id": party_id}, body=body)
        return await self.call(outgoing, deadline)

    async def update_site(
        self, site_id: str, body: models.SiteChange, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.SiteView]:
        """Change a site, or end it at a date."""
        outgoing = self.outgoing(
            _UPDATE_SITE, read_versioned(models.SiteView), {"site_id": site_id}, body=body, if_match=if_match
        )
        return await self.call(outgoing, deadline)

    async def list_practitioners(
        self, party_id: str, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.PractitionerViewPage:
        """Who gives care for a provider."""
        outgoing = self.outgoing(
            _LIST_PRACTITIONERS,
            read_as(models.PractitionerViewPage),
            {"party_id": party_id},
            query={"cursor": cursor, "limit": limit},
        )
        return await self.call(outgoing, deadline)

    async def every_practitioners(
        self, party_id: str, *, deadline: float | None = None
    ) -> AsyncIterator[models.PractitionerView]:
        """Who gives care for a provider. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_practitioners(party_id, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def create_practitioner(
        self, party_id: str, body: models.NewPractitioner, *, deadline: float | None = None
    ) -> Versioned[models.PractitionerView]:
        """Add a practitioner; the NPI is checked."""
        outgoing = self.outgoing(
            _CREATE_PRACTITIONER, read_versioned(models.PractitionerView), {"party_id": party_id}, body=body
        )
        return await self.call(outgoing, deadline)

    async def update_practitioner(
        self, practitioner_id: str, body: models.PractitionerChange, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.PractitionerView]:
        """Change a practitioner, or end the engagement at a date."""
        outgoing = self.outgoing(
            _UPDATE_PRACTITIONER,
            read_versioned(models.PractitionerView),
            {"practitioner_id": practitioner_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def check_npi(self, body: models.NpiQuestion, *, deadline: float | None = None) -> models.NpiAnswer:
        """Whether a National Provider Identifier is well formed: its check digit, not a register."""
        outgoing = self.outgoing(_CHECK_NPI, read_as(models.NpiAnswer), {}, body=body)
        return await self.call(outgoing, deadline)

    async def list_contracts(
        self, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.ContractViewPage:
        """Contracts: who pays whom by which price book, plan, rounding and fee."""
        outgoing = self.outgoing(
            _LIST_CONTRACTS, read_as(models.ContractViewPage), {}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_contracts(self, *, deadline: float | None = None) -> AsyncIterator[models.ContractView]:
        """Contracts: who pays whom by which price book, plan, rounding and fee. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_contracts(cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def create_contract(
        self, body: models.NewContract, *, deadline: float | None = None
    ) -> Versioned[models.ContractView]:
        """Record what a provider and a payer agreed, from a date on."""
        outgoing = self.outgoing(_CREATE_CONTRACT, read_versioned(models.ContractView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_contract(self, contract_id: str, *, deadline: float | None = None) -> Versioned[models.ContractView]:
        """One contract."""
        outgoing = self.outgoing(_GET_CONTRACT, read_versioned(models.ContractView), {"contract_id": contract_id})
        return await self.call(outgoing, deadline)

    async def update_contract(
        self, contract_id: str, body: models.ContractChange, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.ContractView]:
        """Change a contract from a date on; what was cleared before stays as it is."""
        outgoing = self.outgoing(
            _UPDATE_CONTRACT,
            read_versioned(models.ContractView),
            {"contract_id": contract_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def list_payout_accounts(
        self, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.PayoutAccountViewPage:
        """Where parties are paid, account numbers masked."""
        outgoing = self.outgoing(
            _LIST_PAYOUT_ACCOUNTS, read_as(models.PayoutAccountViewPage), {}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_payout_accounts(self, *, deadline: float | None = None) -> AsyncIterator[models.PayoutAccountView]:
        """Where parties are paid, account numbers masked. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_payout_accounts(cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def propose_payout_account(
        self, body: models.NewPayoutAccount, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> Versioned[models.PayoutAccountView]:
        """Propose an account to be paid to; it is used after a second person agreed and a day has passed."""
        outgoing = self.outgoing(
            _PROPOSE_PAYOUT_ACCOUNT, read_versioned(models.PayoutAccountView), {}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def get_payout_account(
        self, payout_account_id: str, *, deadline: float | None = None
    ) -> Versioned[models.PayoutAccountView]:
        """One payout account, its number masked, and what waits for it."""
        outgoing = self.outgoing(
            _GET_PAYOUT_ACCOUNT, read_versioned(models.PayoutAccountView), {"payout_account_id": payout_account_id}
        )
        return await self.call(outgoing, deadline)

    async def list_payout_changes(
        self,
        payout_account_id: str,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.PayoutChangeViewPage:
        """Every change proposed, agreed or withdrawn, and by whom."""
        outgoing = self.outgoing(
            _LIST_PAYOUT_CHANGES,
            read_as(models.PayoutChangeViewPage),
            {"payout_account_id": payout_account_id},
            query={"cursor": cursor, "limit": limit},
        )
        return await self.call(outgoing, deadline)

    async def every_payout_changes(
        self, payout_account_id: str, *, deadline: float | None = None
    ) -> AsyncIterator[models.PayoutChangeView]:
        """Every change proposed, agreed or withdrawn, and by whom. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_payout_changes(payout_account_id, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def propose_payout_change(
        self,
        payout_account_id: str,
        body: models.NumberChange,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.PayoutChangeView:
        """Propose another account number; nothing changes yet."""
        outgoing = self.outgoing(
            _PROPOSE_PAYOUT_CHANGE,
            read_as(models.PayoutChangeView),
            {"payout_account_id": payout_account_id},
            body=body,
            key=idempotency_key,
        )
        return await self.call(outgoing, deadline)

    async def approve_payout_change(
        self, change_id: str, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.PayoutChangeView:
        """A second person agrees; the change holds a day later, and everybody concerned is told at once."""
        outgoing = self.outgoing(
            _APPROVE_PAYOUT_CHANGE, read_as(models.PayoutChangeView), {"change_id": change_id}, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def withdraw_payout_change(self, change_id: str, *, deadline: float | None = None) -> models.PayoutChangeView:
        """Stop a change before it holds; one person is enough."""
        outgoing = self.outgoing(_WITHDRAW_PAYOUT_CHANGE, read_as(models.PayoutChangeView), {"change_id": change_id})
        return await self.call(outgoing, deadline)

    async def list_members(
        self, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.MemberViewPage:
        """Members the caller has to do with."""
        outgoing = self.outgoing(
            _LIST_MEMBERS, read_as(models.MemberViewPage), {}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_members(self, *, deadline: float | None = None) -> AsyncIterator[models.MemberView]:
        """Members the caller has to do with. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_members(cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def create_member(
        self, body: models.NewMember, *, deadline: float | None = None
    ) -> Versioned[models.MemberView]:
        """Enrol a person; a likely duplicate is answered with the member it resembles."""
        outgoing = self.outgoing(_CREATE_MEMBER, read_versioned(models.MemberView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_member(self, member_id: str, *, deadline: float | None = None) -> Versioned[models.MemberView]:
        """One member."""
        outgoing = self.outgoing(_GET_MEMBER, read_versioned(models.MemberView), {"member_id": member_id})
        return await self.call(outgoing, deadline)

    async def update_member(
        self, member_id: str, body: models.MemberChange, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.MemberView]:
        """Correct what is known of a member."""
        outgoing = self.outgoing(
            _UPDATE_MEMBER, read_versioned(models.MemberView), {"member_id": member_id}, body=body, if_match=if_match
        )
        return await self.call(outgoing, deadline)

    async def match_member(self, body: models.Description, *, deadline: float | None = None) -> models.MatchView:
        """Find the one member who fits what the person at the desk says; too little to go on finds nobody."""
        outgoing = self.outgoing(_MATCH_MEMBER, read_as(models.MatchView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def search_members(self, body: models.NameWish, *, deadline: float | None = None) -> models.FoundMembers:
        """Members of the caller's whose name was typed: given and family name in either order, or the family name
        alone.
        """
        outgoing = self.outgoing(_SEARCH_MEMBERS, read_as(models.FoundMembers), {}, body=body)
        return await self.call(outgoing, deadline)

    async def list_duplicates(
        self, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.PairViewPage:
        """Pairs of members who may be one person, with what speaks for it."""
        outgoing = self.outgoing(
            _LIST_DUPLICATES, read_as(models.PairViewPage), {}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_duplicates(self, *, deadline: float | None = None) -> AsyncIterator[models.PairView]:
        """Pairs of members who may be one person, with what speaks for it. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_duplicates(cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def merge_members(self, body: models.MergeWish, *, deadline: float | None = None) -> models.MergeView:
        """Treat two members as one person from now on; no ledger row is touched."""
        outgoing = self.outgoing(_MERGE_MEMBERS, read_as(models.MergeView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def split_member(
        self, member_id: str, body: models.SplitWish, *, deadline: float | None = None
    ) -> models.MergeView:
        """Undo a merge that was wrong; no ledger row is touched."""
        outgoing = self.outgoing(_SPLIT_MEMBER, read_as(models.MergeView), {"member_id": member_id}, body=body)
        return await self.call(outgoing, deadline)

    async def list_relatives(self, member_id: str, *, deadline: float | None = None) -> models.RelativeViewPage:
        """Who may look at a member's receipts, and until when."""
        outgoing = self.outgoing(_LIST_RELATIVES, read_as(models.RelativeViewPage), {"member_id": member_id})
        return await self.call(outgoing, deadline)

    async def allow_relative(
        self, member_id: str, body: models.NewRelative, *, deadline: float | None = None
    ) -> models.RelativeView:
        """Let another person look at a member's receipts until a date."""
        outgoing = self.outgoing(_ALLOW_RELATIVE, read_as(models.RelativeView), {"member_id": member_id}, body=body)
        return await self.call(outgoing, deadline)

    async def revoke_relative(self, member_id: str, relative_id: str, *, deadline: float | None = None) -> None:
        """Take that back; it holds from the next call on."""
        outgoing = self.outgoing(_REVOKE_RELATIVE, read_nothing, {"member_id": member_id, "relative_id": relative_id})
        await self.call(outgoing, deadline)

    async def list_families(
        self, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.FamilyViewPage:
        """Families the caller has to do with."""
        outgoing = self.outgoing(
            _LIST_FAMILIES, read_as(models.FamilyViewPage), {}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_families(self, *, deadline: float | None = None) -> AsyncIterator[models.FamilyView]:
        """Families the caller has to do with. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_families(cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def create_family(
        self, body: models.NewFamily, *, deadline: float | None = None
    ) -> Versioned[models.FamilyView]:
        """Found a family whose members share what a plan shares."""
        outgoing = self.outgoing(_CREATE_FAMILY, read_versioned(models.FamilyView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_family(self, family_id: str, *, deadline: float | None = None) -> Versioned[models.FamilyView]:
        """One family and who belongs to it, when."""
        outgoing = self.outgoing(_GET_FAMILY, read_versioned(models.FamilyView), {"family_id": family_id})
        return await self.call(outgoing, deadline)

    async def join_family(
        self, family_id: str, body: models.Joining, *, deadline: float | None = None
    ) -> Versioned[models.FamilyView]:
        """Add a member to a family from a date on."""
        outgoing = self.outgoing(_JOIN_FAMILY, read_versioned(models.FamilyView), {"family_id": family_id}, body=body)
        return await self.call(outgoing, deadline)

    async def leave_family(
        self, family_id: str, member_id: str, *, until: str | None = None, deadline: float | None = None
    ) -> models.FamilyView:
        """End a member's time in a family."""
        outgoing = self.outgoing(
            _LEAVE_FAMILY,
            read_as(models.FamilyView),
            {"family_id": family_id, "member_id": member_id},
            query={"until": until},
        )
        return await self.call(outgoing, deadline)

    async def list_coverages(
        self,
        *,
        member: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.CoverageViewPage:
        """Coverages: which payer covers whom under which plan, in which order."""
        outgoing = self.outgoing(
            _LIST_COVERAGES,
            read_as(models.CoverageViewPage),
            {},
            query={"member": member, "cursor": cursor, "limit": limit},
        )
        return await self.call(outgoing, deadline)

    async def every_coverages(
        self, *, member: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.CoverageView]:
        """Coverages: which payer covers whom under which plan, in which order. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_coverages(member=member, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def create_coverage(
        self, body: models.NewCoverage, *, deadline: float | None = None
    ) -> Versioned[models.CoverageView]:
        """Cover a member; several payers have an order."""
        outgoing = self.outgoing(_CREATE_COVERAGE, read_versioned(models.CoverageView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_coverage(self, coverage_id: str, *, deadline: float | None = None) -> Versioned[models.CoverageView]:
        """One coverage."""
        outgoing = self.outgoing(_GET_COVERAGE, read_versioned(models.CoverageView), {"coverage_id": coverage_id})
        return await self.call(outgoing, deadline)

    async def update_coverage(
        self, coverage_id: str, body: models.CoverageChange, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.CoverageChanged]:
        """Change a coverage from a date on."""
        outgoing = self.outgoing(
            _UPDATE_COVERAGE,
            read_versioned(models.CoverageChanged),
            {"coverage_id": coverage_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def terminate_coverage(
        self,
        coverage_id: str,
        body: models.Termination,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.CoverageEnded:
        """End a coverage, also at a past date; what was cleared since is adjudicated anew."""
        outgoing = self.outgoing(
            _TERMINATE_COVERAGE,
            read_as(models.CoverageEnded),
            {"coverage_id": coverage_id},
            body=body,
            key=idempotency_key,
        )
        return await self.call(outgoing, deadline)

    async def list_plans(
        self,
        *,
        on: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.PlanListedPage:
        """Published plans and the versions in force."""
        outgoing = self.outgoing(
            _LIST_PLANS, read_as(models.PlanListedPage), {}, query={"on": on, "cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_plans(
        self, *, on: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.PlanListed]:
        """Published plans and the versions in force. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_plans(on=on, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def draft_plan(
        self, body: models.PlanDraftOrder, *, deadline: float | None = None
    ) -> Versioned[models.PlanDraft]:
        """Begin a plan as a draft."""
        outgoing = self.outgoing(_DRAFT_PLAN, read_versioned(models.PlanDraft), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_plan(
        self, plan_id: str, *, version: str | None = None, on: str | None = None, deadline: float | None = None
    ) -> Versioned[models.PlanView]:
        """A published plan with its clauses."""
        outgoing = self.outgoing(
            _GET_PLAN, read_versioned(models.PlanView), {"plan_id": plan_id}, query={"version": version, "on": on}
        )
        return await self.call(outgoing, deadline)

    async def get_plan_draft(self, plan_id: str, *, deadline: float | None = None) -> Versioned[models.PlanDraft]:
        """The draft of a plan's next version."""
        outgoing = self.outgoing(_GET_PLAN_DRAFT, read_versioned(models.PlanDraft), {"plan_id": plan_id})
        return await self.call(outgoing, deadline)

    async def replace_plan_draft(
        self, plan_id: str, body: models.PlanDraftOrder, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.PlanDraft]:
        """Write the draft of a plan's next version."""
        outgoing = self.outgoing(
            _REPLACE_PLAN_DRAFT, read_versioned(models.PlanDraft), {"plan_id": plan_id}, body=body, if_match=if_match
        )
        return await self.call(outgoing, deadline)

    async def validate_plan(self, plan_id: str, *, deadline: float | None = None) -> models.Validation:
        """Hold the draft against the schema and its own test cases."""
        outgoing = self.outgoing(_VALIDATE_PLAN, read_as(models.Validation), {"plan_id": plan_id})
        return await self.call(outgoing, deadline)

    async def preview_plan(
        self, plan_id: str, body: models.PreviewOrder, *, deadline: float | None = None
    ) -> models.PreviewView:
        """What past months would have cost under the draft: sums, no person named."""
        outgoing = self.outgoing(_PREVIEW_PLAN, read_as(models.PreviewView), {"plan_id": plan_id}, body=body)
        return await self.call(outgoing, deadline)

    async def publish_plan(
        self, plan_id: str, body: models.Publication, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.PlanView]:
        """Publish the draft from a date on; somebody other than its author does it."""
        outgoing = self.outgoing(
            _PUBLISH_PLAN, read_versioned(models.PlanView), {"plan_id": plan_id}, body=body, if_match=if_match
        )
        return await self.call(outgoing, deadline)

    async def list_price_books(
        self,
        *,
        on: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.PriceBookListedPage:
        """Published price books and the versions in force."""
        outgoing = self.outgoing(
            _LIST_PRICE_BOOKS,
            read_as(models.PriceBookListedPage),
            {},
            query={"on": on, "cursor": cursor, "limit": limit},
        )
        return await self.call(outgoing, deadline)

    async def every_price_books(
        self, *, on: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.PriceBookListed]:
        """Published price books and the versions in force. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_price_books(on=on, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def draft_price_book(
        self, body: models.PriceBookDraftOrder, *, deadline: float | None = None
    ) -> Versioned[models.PriceBookDraft]:
        """Begin a price book as a draft."""
        outgoing = self.outgoing(_DRAFT_PRICE_BOOK, read_versioned(models.PriceBookDraft), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_price_book(
        self, price_book_id: str, *, version: str | None = None, on: str | None = None, deadline: float | None = None
    ) -> Versioned[models.PriceBookView]:
        """A published price book."""
        outgoing = self.outgoing(
            _GET_PRICE_BOOK,
            read_versioned(models.PriceBookView),
            {"price_book_id": price_book_id},
            query={"version": version, "on": on},
        )
        return await self.call(outgoing, deadline)

    async def get_price_book_draft(
        self, price_book_id: str, *, deadline: float | None = None
    ) -> Versioned[models.PriceBookDraft]:
        """The draft of a price book's next version."""
        outgoing = self.outgoing(
            _GET_PRICE_BOOK_DRAFT, read_versioned(models.PriceBookDraft), {"price_book_id": price_book_id}
        )
        return await self.call(outgoing, deadline)

    async def replace_price_book_draft(
        self, price_book_id: str, body: models.PriceBookDraftOrder, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.PriceBookDraft]:
        """Write the draft of a price book's next version."""
        outgoing = self.outgoing(
            _REPLACE_PRICE_BOOK_DRAFT,
            read_versioned(models.PriceBookDraft),
            {"price_book_id": price_book_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def validate_price_book(self, price_book_id: str, *, deadline: float | None = None) -> models.Validation:
        """Hold the draft against the schema and the services it must price."""
        outgoing = self.outgoing(_VALIDATE_PRICE_BOOK, read_as(models.Validation), {"price_book_id": price_book_id})
        return await self.call(outgoing, deadline)

    async def preview_price_book(
        self, price_book_id: str, body: models.PreviewOrder, *, deadline: float | None = None
    ) -> models.PreviewView:
        """What past months would have cost under the draft: sums, no person named."""
        outgoing = self.outgoing(
            _PREVIEW_PRICE_BOOK, read_as(models.PreviewView), {"price_book_id": price_book_id}, body=body
        )
        return await self.call(outgoing, deadline)

    async def publish_price_book(
        self, price_book_id: str, body: models.Publication, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.PriceBookView]:
        """Publish the draft from a date on; somebody other than its author does it."""
        outgoing = self.outgoing(
            _PUBLISH_PRICE_BOOK,
            read_versioned(models.PriceBookView),
            {"price_book_id": price_book_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def list_expense_rules(
        self, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.ExpenseRulesListedPage:
        """Published rules that say which care money for a purpose may pay for."""
        outgoing = self.outgoing(
            _LIST_EXPENSE_RULES, read_as(models.ExpenseRulesListedPage), {}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_expense_rules(self, *, deadline: float | None = None) -> AsyncIterator[models.ExpenseRulesListed]:
        """Published rules that say which care money for a purpose may pay for. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_expense_rules(cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def publish_expense_rules(
        self, body: models.ExpenseRulesOrder, *, deadline: float | None = None
    ) -> models.ExpenseRulesView:
        """Publish a version of such rules; it takes over on its first day."""
        outgoing = self.outgoing(_PUBLISH_EXPENSE_RULES, read_as(models.ExpenseRulesView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_expense_rules(
        self, rules_id: str, *, version: str | None = None, on: str | None = None, deadline: float | None = None
    ) -> models.ExpenseRulesView:
        """A published version of such rules."""
        outgoing = self.outgoing(
            _GET_EXPENSE_RULES,
            read_as(models.ExpenseRulesView),
            {"rules_id": rules_id},
            query={"version": version, "on": on},
        )
        return await self.call(outgoing, deadline)

    async def pay_charge(
        self,
        charge_id: str,
        body: models.ChargePaymentOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.ChargePaymentView:
        """Pay what is due of a charge, from wallets of the patient's choice; never more than is due."""
        outgoing = self.outgoing(
            _PAY_CHARGE, read_as(models.ChargePaymentView), {"charge_id": charge_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def ask_question(
        self,
        receipt_id: str,
        body: models.QuestionOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.QuestionView:
        """Question a charge from its receipt: not received, wrong amount, not agreed to."""
        outgoing = self.outgoing(
            _ASK_QUESTION, read_as(models.QuestionView), {"receipt_id": receipt_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def list_questions(
        self,
        *,
        state: str | None = None,
        receipt: str | None = None,
        order: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.QuestionViewPage:
        """Questions about receipts, and what became of them."""
        query = {
            "state": state,
            "receipt": receipt,
            "order": order,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_QUESTIONS, read_as(models.QuestionViewPage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_questions(
        self,
        *,
        state: str | None = None,
        receipt: str | None = None,
        order: str | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[models.QuestionView]:
        """Questions about receipts, and what became of them. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_questions(
                state=state, receipt=receipt, order=order, cursor=cursor, limit=100, deadline=deadline
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def answer_question(
        self, question_id: str, body: models.AnswerOrder, *, deadline: float | None = None
    ) -> models.QuestionView:
        """Answer a patient's question."""
        outgoing = self.outgoing(
            _ANSWER_QUESTION, read_as(models.QuestionView), {"question_id": question_id}, body=body
        )
        return await self.call(outgoing, deadline)

    async def take_back_question(self, question_id: str, *, deadline: float | None = None) -> None:
        """Take a question back."""
        outgoing = self.outgoing(_TAKE_BACK_QUESTION, read_nothing, {"question_id": question_id})
        await self.call(outgoing, deadline)

    async def get_budgets(self, member_id: str, *, deadline: float | None = None) -> Versioned[models.BudgetsView]:
        """A member's budgets of a month: what is used, what is left, and how the month will end."""
        outgoing = self.outgoing(_GET_BUDGETS, read_versioned(models.BudgetsView), {"member_id": member_id})
        return await self.call(outgoing, deadline)

    async def set_budgets(
        self, member_id: str, body: models.BudgetsShape, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.BudgetsView]:
        """Write a member's budgets anew; one that asks is never passed without a yes, and no delivered care refused
        for it.
        """
        outgoing = self.outgoing(
            _SET_BUDGETS, read_versioned(models.BudgetsView), {"member_id": member_id}, body=body, if_match=if_match
        )
        return await self.call(outgoing, deadline)

    async def get_wallet_budget(
        self, wallet_id: str, *, deadline: float | None = None
    ) -> Versioned[models.PotBudgetView]:
        """The budget of a shared pot for whoever holds it: what is used this month, and how the month will end;
        amounts alone.
        """
        outgoing = self.outgoing(_GET_WALLET_BUDGET, read_versioned(models.PotBudgetView), {"wallet_id": wallet_id})
        return await self.call(outgoing, deadline)

    async def set_wallet_budget(
        self, wallet_id: str, body: models.PotBudgetShape, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.PotBudgetView]:
        """Write that budget anew, or take it away; it counts and tells, and withholds nothing."""
        outgoing = self.outgoing(
            _SET_WALLET_BUDGET,
            read_versioned(models.PotBudgetView),
            {"wallet_id": wallet_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def list_wallet_budgets(self, wallet_id: str, *, deadline: float | None = None) -> models.PotBudgetViewPage:
        """The budgets of a shared pot for whoever holds it: its own, and those kept for its members; amounts alone."""
        outgoing = self.outgoing(_LIST_WALLET_BUDGETS, read_as(models.PotBudgetViewPage), {"wallet_id": wallet_id})
        return await self.call(outgoing, deadline)

    async def get_wallet_member_budget(
        self, wallet_id: str, member_id: str, *, deadline: float | None = None
    ) -> Versioned[models.PotBudgetView]:
        """The budget that a shared pot's holder keeps for one member: what is used, and how the month will end;
        amounts alone.
        """
        outgoing = self.outgoing(
            _GET_WALLET_MEMBER_BUDGET,
            read_versioned(models.PotBudgetView),
            {"wallet_id": wallet_id, "member_id": member_id},
        )
        return await self.call(outgoing, deadline)

    async def set_wallet_member_budget(
        self,
        wallet_id: str,
        member_id: str,
        body: models.PotBudgetShape,
        *,
        if_match: str,
        deadline: float | None = None,
    ) -> Versioned[models.PotBudgetView]:
        """Write that budget anew, or take it away; it counts and tells its holder, and withholds nothing."""
        outgoing = self.outgoing(
            _SET_WALLET_MEMBER_BUDGET,
            read_versioned(models.PotBudgetView),
            {"wallet_id": wallet_id, "member_id": member_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def get_automatic_payments(
        self, member_id: str, *, deadline: float | None = None
    ) -> Versioned[models.AutomaticPaymentsView]:
        """What is paid without asking the member, and from which wallet first."""
        outgoing = self.outgoing(
            _GET_AUTOMATIC_PAYMENTS, read_versioned(models.AutomaticPaymentsView), {"member_id": member_id}
        )
        return await self.call(outgoing, deadline)

    async def set_automatic_payments(
        self, member_id: str, body: models.AutomaticPaymentsShape, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.AutomaticPaymentsView]:
        """Write anew what is paid without asking; it holds from the next posting on."""
        outgoing = self.outgoing(
            _SET_AUTOMATIC_PAYMENTS,
            read_versioned(models.AutomaticPaymentsView),
            {"member_id": member_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def list_notices(
        self,
        member_id: str,
        *,
        after: str | None = None,
        order: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.NoticeViewPage:
        """What a member was told: that a budget of a month is half, to four fifths or wholly used."""
        query = {
            "after": after,
            "order": order,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_NOTICES, read_as(models.NoticeViewPage), {"member_id": member_id}, query=query)
        return await self.call(outgoing, deadline)

    async def every_notices(
        self, member_id: str, *, after: str | None = None, order: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.NoticeView]:
        """What a member was told: that a budget of a month is half, to four fifths or wholly used. All of them, page
        after page.
        """
        cursor: str | None = None
        while True:
            page = await self.list_notices(
                member_id, after=after, order=order, cursor=cursor, limit=100, deadline=deadline
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def ask_for_erasure(
        self,
        member_id: str,
        body: models.ErasureOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.ErasureView:
        """Ask that what is kept of a person be erased; nothing is erased before two people of the house agreed."""
        outgoing = self.outgoing(
            _ASK_FOR_ERASURE, read_as(models.ErasureView), {"member_id": member_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def list_erasures(
        self,
        *,
        state: str | None = None,
        member: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.ErasureViewPage:
        """Such requests, and what became of them."""
        query = {
            "state": state,
            "member": member,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_ERASURES, read_as(models.ErasureViewPage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_erasures(
        self, *, state: str | None = None, member: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.ErasureView]:
        """Such requests, and what became of them. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_erasures(state=state, member=member, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def get_erasure(self, erasure_id: str, *, deadline: float | None = None) -> models.ErasureView:
        """One request, who did what about it, and what is in its way."""
        outgoing = self.outgoing(_GET_ERASURE, read_as(models.ErasureView), {"erasure_id": erasure_id})
        return await self.call(outgoing, deadline)

    async def withdraw_erasure(self, erasure_id: str, *, deadline: float | None = None) -> models.ErasureView:
        """Take a request back before anybody agreed."""
        outgoing = self.outgoing(_WITHDRAW_ERASURE, read_as(models.ErasureView), {"erasure_id": erasure_id})
        return await self.call(outgoing, deadline)

    async def propose_erasure(self, erasure_id: str, *, deadline: float | None = None) -> models.ErasureView:
        """Take a request up: propose that it be granted."""
        outgoing = self.outgoing(_PROPOSE_ERASURE, read_as(models.ErasureView), {"erasure_id": erasure_id})
        return await self.call(outgoing, deadline)

    async def agree_to_erasure(self, erasure_id: str, *, deadline: float | None = None) -> models.ErasureView:
        """A second person agrees; what is kept of the person is erased at once, for ever."""
        outgoing = self.outgoing(_AGREE_TO_ERASURE, read_as(models.ErasureView), {"erasure_id": erasure_id})
        return await self.call(outgoing, deadline)

    async def refuse_erasure(
        self, erasure_id: str, body: models.RefusalOrder, *, deadline: float | None = None
    ) -> models.ErasureView:
        """Refuse a request with a ground, which the person reads."""
        outgoing = self.outgoing(_REFUSE_ERASURE, read_as(models.ErasureView), {"erasure_id": erasure_id}, body=body)
        return await self.call(outgoing, deadline)

    async def list_wallets(
        self, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.WalletViewPage:
        """Pockets that care can be paid from, with what is left and what is promised."""
        outgoing = self.outgoing(
            _LIST_WALLETS, read_as(models.WalletViewPage), {}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_wallets(self, *, deadline: float | None = None) -> AsyncIterator[models.WalletView]:
        """Pockets that care can be paid from, with what is left and what is promised. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_wallets(cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def open_wallet(self, body: models.WalletOrder, *, deadline: float | None = None) -> models.WalletView:
        """Open a pocket for a member or a family."""
        outgoing = self.outgoing(_OPEN_WALLET, read_as(models.WalletView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_wallet(self, wallet_id: str, *, deadline: float | None = None) -> models.WalletView:
        """One wallet."""
        outgoing = self.outgoing(_GET_WALLET, read_as(models.WalletView), {"wallet_id": wallet_id})
        return await self.call(outgoing, deadline)

    async def list_wallet_entries(
        self,
        wallet_id: str,
        *,
        from_: str | None = None,
        until: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.WalletEntryPage:
        """What went in and out of a wallet: dates, amounts, and of a family who; no service named."""
        query = {
            "from": from_,
            "until": until,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(
            _LIST_WALLET_ENTRIES, read_as(models.WalletEntryPage), {"wallet_id": wallet_id}, query=query
        )
        return await self.call(outgoing, deadline)

    async def every_wallet_entries(
        self, wallet_id: str, *, from_: str | None = None, until: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.WalletEntry]:
        """What went in and out of a wallet: dates, amounts, and of a family who; no service named. All of them, page
        after page.
        """
        cursor: str | None = None
        while True:
            page = await self.list_wallet_entries(
                wallet_id, from_=from_, until=until, cursor=cursor, limit=100, deadline=deadline
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def list_wallet_members(self, wallet_id: str, *, deadline: float | None = None) -> models.WalletMemberPage:
        """Who draws on a family's wallet, within which limits, and what is left of them."""
        outgoing = self.outgoing(_LIST_WALLET_MEMBERS, read_as(models.WalletMemberPage), {"wallet_id": wallet_id})
        return await self.call(outgoing, deadline)

    async def get_wallet_member(
        self, wallet_id: str, member_id: str, *, deadline: float | None = None
    ) -> Versioned[models.WalletMember]:
        """One member of a family's wallet: inside, asked or outside, with limits."""
        outgoing = self.outgoing(
            _GET_WALLET_MEMBER, read_versioned(models.WalletMember), {"wallet_id": wallet_id, "member_id": member_id}
        )
        return await self.call(outgoing, deadline)

    async def set_wallet_member(
        self, wallet_id: str, member_id: str, body: models.TermsShape, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.WalletMember]:
        """Limit what one member takes from a family's wallet, pause it, or let the member in again."""
        outgoing = self.outgoing(
            _SET_WALLET_MEMBER,
            read_versioned(models.WalletMember),
            {"wallet_id": wallet_id, "member_id": member_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def remove_wallet_member(self, wallet_id: str, member_id: str, *, deadline: float | None = None) -> None:
        """Take a member out of a family's wallet, or leave it."""
        outgoing = self.outgoing(_REMOVE_WALLET_MEMBER, read_nothing, {"wallet_id": wallet_id, "member_id": member_id})
        await self.call(outgoing, deadline)

    async def get_wallet_privacy(
        self, wallet_id: str, member_id: str, *, deadline: float | None = None
    ) -> Versioned[models.PrivacyView]:
        """What a member keeps from those who pay, and what the member lets them see."""
        outgoing = self.outgoing(
            _GET_WALLET_PRIVACY, read_versioned(models.PrivacyView), {"wallet_id": wallet_id, "member_id": member_id}
        )
        return await self.call(outgoing, deadline)

    async def set_wallet_privacy(
        self, wallet_id: str, member_id: str, body: models.PrivacyShape, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.PrivacyView]:
        """Change what a member keeps from those who pay, and lets them see."""
        outgoing = self.outgoing(
            _SET_WALLET_PRIVACY,
            read_versioned(models.PrivacyView),
            {"wallet_id": wallet_id, "member_id": member_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def list_wallet_invitations(
        self, wallet_id: str, *, deadline: float | None = None
    ) -> models.InvitationViewPage:
        """Who was asked into a family's wallet, or to help with it."""
        outgoing = self.outgoing(_LIST_WALLET_INVITATIONS, read_as(models.InvitationViewPage), {"wallet_id": wallet_id})
        return await self.call(outgoing, deadline)

    async def invite_to_wallet(
        self,
        wallet_id: str,
        body: models.NewInvitation,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.InvitationView:
        """Ask somebody into a family's wallet, by name or by a code to hand on."""
        outgoing = self.outgoing(
            _INVITE_TO_WALLET, read_as(models.InvitationView), {"wallet_id": wallet_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def withdraw_wallet_invitation(self, invitation_id: str, *, deadline: float | None = None) -> None:
        """Take an invitation back, or end somebody's help."""
        outgoing = self.outgoing(_WITHDRAW_WALLET_INVITATION, read_nothing, {"invitation_id": invitation_id})
        await self.call(outgoing, deadline)

    async def list_member_invitations(
        self, member_id: str, *, deadline: float | None = None
    ) -> models.InvitationViewPage:
        """Invitations that wait for a member's answer."""
        outgoing = self.outgoing(_LIST_MEMBER_INVITATIONS, read_as(models.InvitationViewPage), {"member_id": member_id})
        return await self.call(outgoing, deadline)

    async def answer_invitation(
        self, member_id: str, body: models.InvitationAnswer, *, deadline: float | None = None
    ) -> models.InvitationView:
        """Accept or decline an invitation, once."""
        outgoing = self.outgoing(
            _ANSWER_INVITATION, read_as(models.InvitationView), {"member_id": member_id}, body=body
        )
        return await self.call(outgoing, deadline)

    async def accept_help(self, body: models.HelperAnswer, *, deadline: float | None = None) -> models.InvitationView:
        """Become the helper of a family's wallet by its code."""
        outgoing = self.outgoing(_ACCEPT_HELP, read_as(models.InvitationView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def top_up_wallet(
        self,
        wallet_id: str,
        body: models.TopUpOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.TopUpView:
        """Record money that has arrived for a wallet."""
        outgoing = self.outgoing(
            _TOP_UP_WALLET, read_as(models.TopUpView), {"wallet_id": wallet_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def list_payments(
        self, wallet_id: str, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.PaymentViewPage:
        """Payments over a rail into a wallet: where each stands, and where its payer goes."""
        outgoing = self.outgoing(
            _LIST_PAYMENTS,
            read_as(models.PaymentViewPage),
            {"wallet_id": wallet_id},
            query={"cursor": cursor, "limit": limit},
        )
        return await self.call(outgoing, deadline)

    async def every_payments(
        self, wallet_id: str, *, deadline: float | None = None
    ) -> AsyncIterator[models.PaymentView]:
        """Payments over a rail into a wallet: where each stands, and where its payer goes. All of them, page after
        page.
        """
        cursor: str | None = None
        while True:
            page = await self.list_payments(wallet_id, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def begin_payment(
        self,
        wallet_id: str,
        body: models.PaymentOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.PaymentView:
        """Ask a rail for money; the answer says where the payer goes."""
        outgoing = self.outgoing(
            _BEGIN_PAYMENT, read_as(models.PaymentView), {"wallet_id": wallet_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def get_payment(self, payment_id: str, *, deadline: float | None = None) -> models.PaymentView:
        """One payment."""
        outgoing = self.outgoing(_GET_PAYMENT, read_as(models.PaymentView), {"payment_id": payment_id})
        return await self.call(outgoing, deadline)

    async def list_refunds(
        self, payment_id: str, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.RefundViewPage:
        """What of a payment went back, or is on its way."""
        outgoing = self.outgoing(
            _LIST_REFUNDS,
            read_as(models.RefundViewPage),
            {"payment_id": payment_id},
            query={"cursor": cursor, "limit": limit},
        )
        return await self.call(outgoing, deadline)

    async def every_refunds(
        self, payment_id: str, *, deadline: float | None = None
    ) -> AsyncIterator[models.RefundView]:
        """What of a payment went back, or is on its way. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_refunds(payment_id, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def begin_refund(
        self,
        payment_id: str,
        body: models.RefundOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.RefundView:
        """Send money of a payment back: to its source, or to a wallet with the payer's consent; decided by a person."""
        outgoing = self.outgoing(
            _BEGIN_REFUND, read_as(models.RefundView), {"payment_id": payment_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def get_refund(self, refund_id: str, *, deadline: float | None = None) -> models.RefundView:
        """One refund."""
        outgoing = self.outgoing(_GET_REFUND, read_as(models.RefundView), {"refund_id": refund_id})
        return await self.call(outgoing, deadline)

    async def begin_payout(
        self,
        wallet_id: str,
        body: models.PayoutOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.PayoutView:
        """Send what is left in a pocket back to the cards and accounts that filled it."""
        outgoing = self.outgoing(
            _BEGIN_PAYOUT, read_as(models.PayoutView), {"wallet_id": wallet_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def list_dues(self, member_id: str, *, deadline: float | None = None) -> models.DuesViewPage:
        """What a member owes of care, when it is collected, and where to pay it."""
        outgoing = self.outgoing(_LIST_DUES, read_as(models.DuesViewPage), {"member_id": member_id})
        return await self.call(outgoing, deadline)

    async def pay_dues(
        self,
        member_id: str,
        body: models.DuesOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.PaymentView:
        """One payment over a rail for everything that is due."""
        outgoing = self.outgoing(
            _PAY_DUES, read_as(models.PaymentView), {"member_id": member_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def get_collection_consent(
        self, member_id: str, *, deadline: float | None = None
    ) -> Versioned[models.ConsentView]:
        """Whether what is due may be taken from the card on file."""
        outgoing = self.outgoing(_GET_COLLECTION_CONSENT, read_versioned(models.ConsentView), {"member_id": member_id})
        return await self.call(outgoing, deadline)

    async def set_collection_consent(
        self, member_id: str, body: models.ConsentShape, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.ConsentView]:
        """Give this consent, or take it back."""
        outgoing = self.outgoing(
            _SET_COLLECTION_CONSENT,
            read_versioned(models.ConsentView),
            {"member_id": member_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def list_arrears(self, member_id: str, *, deadline: float | None = None) -> models.ArrearsViewPage:
        """What a member owes for payments that went back, and how to make it good."""
        outgoing = self.outgoing(_LIST_ARREARS, read_as(models.ArrearsViewPage), {"member_id": member_id})
        return await self.call(outgoing, deadline)

    async def pay_arrears(
        self,
        member_id: str,
        body: models.CureOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.CureView:
        """Make it good, over a rail or out of a wallet; then the wallets pay again."""
        outgoing = self.outgoing(
            _PAY_ARREARS, read_as(models.CureView), {"member_id": member_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def get_automatic_top_up(
        self, wallet_id: str, *, deadline: float | None = None
    ) -> Versioned[models.RuleView]:
        """By which rule a wallet tops itself up, and what the rule says now."""
        outgoing = self.outgoing(_GET_AUTOMATIC_TOP_UP, read_versioned(models.RuleView), {"wallet_id": wallet_id})
        return await self.call(outgoing, deadline)

    async def set_automatic_top_up(
        self, wallet_id: str, body: models.RuleShape, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.RuleView]:
        """Give, change or switch off the rule; no more than its cap is ever taken in a month."""
        outgoing = self.outgoing(
            _SET_AUTOMATIC_TOP_UP,
            read_versioned(models.RuleView),
            {"wallet_id": wallet_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def leave_card(
        self,
        wallet_id: str,
        body: models.CardOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.CardPage:
        """Where the holder goes to leave a card with a rail; no card data comes here."""
        outgoing = self.outgoing(
            _LEAVE_CARD, read_as(models.CardPage), {"wallet_id": wallet_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def forget_card(self, wallet_id: str, rail: str, *, deadline: float | None = None) -> None:
        """Use the holder's card no more."""
        outgoing = self.outgoing(_FORGET_CARD, read_nothing, {"wallet_id": wallet_id, "rail": rail})
        await self.call(outgoing, deadline)

    async def hear_callback(self, tenant: str, rail: str, *, deadline: float | None = None) -> str:
        """What a rail tells by itself; it is signed, or refused."""
        outgoing = self.outgoing(_HEAR_CALLBACK, read_text, {"tenant": tenant, "rail": rail})
        return await self.call(outgoing, deadline)

    async def list_shifts(
        self, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.ShiftViewPage:
        """Shifts at windows: who took how much cash, and what was counted."""
        outgoing = self.outgoing(
            _LIST_SHIFTS, read_as(models.ShiftViewPage), {}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_shifts(self, *, deadline: float | None = None) -> AsyncIterator[models.ShiftView]:
        """Shifts at windows: who took how much cash, and what was counted. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_shifts(cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def open_shift(self, body: models.ShiftOrder, *, deadline: float | None = None) -> models.ShiftView:
        """Begin a shift at a window in the caller's own name, with what lies in the box."""
        outgoing = self.outgoing(_OPEN_SHIFT, read_as(models.ShiftView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_shift(self, shift_id: str, *, deadline: float | None = None) -> models.ShiftView:
        """One shift."""
        outgoing = self.outgoing(_GET_SHIFT, read_as(models.ShiftView), {"shift_id": shift_id})
        return await self.call(outgoing, deadline)

    async def take_cash(
        self,
        shift_id: str,
        body: models.CashOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.PaymentView:
        """Take cash into a wallet; it can be spent at once."""
        outgoing = self.outgoing(
            _TAKE_CASH, read_as(models.PaymentView), {"shift_id": shift_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def count_shift(
        self,
        shift_id: str,
        body: models.CountOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.ShiftView:
        """Count the box and end the shift; a difference is booked and named."""
        outgoing = self.outgoing(
            _COUNT_SHIFT, read_as(models.ShiftView), {"shift_id": shift_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def propose_cash_refund(
        self, body: models.CashRefundOrder, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.CashRefundView:
        """Propose to pay money of a wallet back in cash, to be agreed to by somebody else."""
        outgoing = self.outgoing(
            _PROPOSE_CASH_REFUND, read_as(models.CashRefundView), {}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def list_cash_refunds(
        self,
        *,
        state: str | None = None,
        order: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.CashRefundViewPage:
        """Cash that goes back at windows: what waits, what is ready, what was handed out."""
        query = {
            "state": state,
            "order": order,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_CASH_REFUNDS, read_as(models.CashRefundViewPage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_cash_refunds(
        self, *, state: str | None = None, order: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.CashRefundView]:
        """Cash that goes back at windows: what waits, what is ready, what was handed out. All of them, page after
        page.
        """
        cursor: str | None = None
        while True:
            page = await self.list_cash_refunds(state=state, order=order, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def get_cash_refund(self, refund_id: str, *, deadline: float | None = None) -> models.CashRefundView:
        """One of them, and who had a hand in it."""
        outgoing = self.outgoing(_GET_CASH_REFUND, read_as(models.CashRefundView), {"refund_id": refund_id})
        return await self.call(outgoing, deadline)

    async def withdraw_cash_refund(self, refund_id: str, *, deadline: float | None = None) -> models.CashRefundView:
        """Stop one that was not handed out."""
        outgoing = self.outgoing(_WITHDRAW_CASH_REFUND, read_as(models.CashRefundView), {"refund_id": refund_id})
        return await self.call(outgoing, deadline)

    async def agree_to_cash_refund(
        self, refund_id: str, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.CashRefundView:
        """Agree as the second person; the money is held until it is handed out."""
        outgoing = self.outgoing(
            _AGREE_TO_CASH_REFUND, read_as(models.CashRefundView), {"refund_id": refund_id}, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def pay_cash_refund(
        self,
        refund_id: str,
        body: models.PayOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.CashRefundView:
        """Hand it out of the box of one's own open shift, once."""
        outgoing = self.outgoing(
            _PAY_CASH_REFUND, read_as(models.CashRefundView), {"refund_id": refund_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def read_bank_statement(
        self, body: models.StatementShape, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.ReconciledView:
        """Book what a camt.053 or camt.054 says came in; what nobody can be found for stands apart."""
        outgoing = self.outgoing(
            _READ_BANK_STATEMENT, read_as(models.ReconciledView), {}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def read_ach_returns(
        self, body: models.ReturnsShape, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> models.ReturnsView:
        """Hear which debits over the ACH network came back: a NACHA return file as the bank hands it on."""
        outgoing = self.outgoing(_READ_ACH_RETURNS, read_as(models.ReturnsView), {}, body=body, key=idempotency_key)
        return await self.call(outgoing, deadline)

    async def list_bank_lines(
        self, *, end: str | None = None, deadline: float | None = None
    ) -> models.BankLineViewPage:
        """Lines of bank statements and what became of each."""
        outgoing = self.outgoing(_LIST_BANK_LINES, read_as(models.BankLineViewPage), {}, query={"end": end})
        return await self.call(outgoing, deadline)

    async def allocate_bank_line(
        self,
        line_id: str,
        body: models.AllocationOrder,
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> models.PaymentView:
        """Say whose the money of an unallocated line is."""
        outgoing = self.outgoing(
            _ALLOCATE_BANK_LINE, read_as(models.PaymentView), {"line_id": line_id}, body=body, key=idempotency_key
        )
        return await self.call(outgoing, deadline)

    async def list_accounts(
        self,
        *,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.AccountViewPage:
        """Accounts of the books and their balances."""
        outgoing = self.outgoing(
            _LIST_ACCOUNTS, read_as(models.AccountViewPage), {}, query={"kind": kind, "cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_accounts(
        self, *, kind: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.AccountView]:
        """Accounts of the books and their balances. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_accounts(kind=kind, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def get_account(self, account_id: str, *, deadline: float | None = None) -> models.AccountView:
        """One account and its balance."""
        outgoing = self.outgoing(_GET_ACCOUNT, read_as(models.AccountView), {"account_id": account_id})
        return await self.call(outgoing, deadline)

    async def list_account_entries(
        self,
        account_id: str,
        *,
        from_: str | None = None,
        until: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.AccountEntryPage:
        """The entries of an account."""
        query = {
            "from": from_,
            "until": until,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(
            _LIST_ACCOUNT_ENTRIES, read_as(models.AccountEntryPage), {"account_id": account_id}, query=query
        )
        return await self.call(outgoing, deadline)

    async def every_account_entries(
        self, account_id: str, *, from_: str | None = None, until: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.AccountEntry]:
        """The entries of an account. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_account_entries(
                account_id, from_=from_, until=until, cursor=cursor, limit=100, deadline=deadline
            )
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def list_statements(
        self,
        *,
        month: str | None = None,
        party: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.StatementLinePage:
        """Statements of parties, by period."""
        query = {
            "month": month,
            "party": party,
            "cursor": cursor,
            "limit": limit,
        }
        outgoing = self.outgoing(_LIST_STATEMENTS, read_as(models.StatementLinePage), {}, query=query)
        return await self.call(outgoing, deadline)

    async def every_statements(
        self, *, month: str | None = None, party: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.StatementLine]:
        """Statements of parties, by period. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_statements(month=month, party=party, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def get_statement(
        self, statement_id: str, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.StatementView:
        """One statement: opening balance, entries, closing balance."""
        outgoing = self.outgoing(
            _GET_STATEMENT,
            read_as(models.StatementView),
            {"statement_id": statement_id},
            query={"cursor": cursor, "limit": limit},
        )
        return await self.call(outgoing, deadline)

    async def get_trial_balance(self, *, deadline: float | None = None) -> models.TrialBalance:
        """Every account of the tenant; the sum of each currency is zero."""
        outgoing = self.outgoing(_GET_TRIAL_BALANCE, read_as(models.TrialBalance), {})
        return await self.call(outgoing, deadline)

    async def get_care_figures(
        self,
        *,
        since: str | None = None,
        until: str | None = None,
        party: str | None = None,
        deadline: float | None = None,
    ) -> models.CareFigures:
        """What the charges of some months came to, how long they took to the books, what is owed and why payers said
        no.
        """
        outgoing = self.outgoing(
            _GET_CARE_FIGURES, read_as(models.CareFigures), {}, query={"since": since, "until": until, "party": party}
        )
        return await self.call(outgoing, deadline)

    async def list_events(
        self,
        *,
        after: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> models.Happenings:
        """What happened since a cursor, in order: for machines that keep up with us."""
        outgoing = self.outgoing(
            _LIST_EVENTS, read_as(models.Happenings), {}, query={"after": after, "cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_events(
        self, *, after: str | None = None, deadline: float | None = None
    ) -> AsyncIterator[models.Happening]:
        """What happened since a cursor, in order: for machines that keep up with us. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_events(after=after, cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    def stream_party_receipts(self, party_id: str, *, after: str = "") -> AsyncIterator[StreamItem[models.ReceiptView]]:
        """Receipts of a party as they are issued. `after`: id of the last item that was seen."""
        outgoing = self.outgoing(_STREAM_PARTY_RECEIPTS, read_as(models.ReceiptView), {"party_id": party_id})
        return self.stream(outgoing, after)

    def stream_member_receipts(
        self, member_id: str, *, after: str = ""
    ) -> AsyncIterator[StreamItem[models.ReceiptView]]:
        """Receipts of a member as they are issued. `after`: id of the last item that was seen."""
        outgoing = self.outgoing(_STREAM_MEMBER_RECEIPTS, read_as(models.ReceiptView), {"member_id": member_id})
        return self.stream(outgoing, after)

    async def get_operation_by_key(self, key: str, *, deadline: float | None = None) -> models.OperationView:
        """What became of a call whose answer was lost, by its Idempotency-Key."""
        outgoing = self.outgoing(_GET_OPERATION_BY_KEY, read_as(models.OperationView), {"key": key})
        return await self.call(outgoing, deadline)

    async def list_api_keys(
        self, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.ApiKeyViewPage:
        """API keys: names, scopes and ends, never the keys."""
        outgoing = self.outgoing(
            _LIST_API_KEYS, read_as(models.ApiKeyViewPage), {}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_api_keys(self, *, deadline: float | None = None) -> AsyncIterator[models.ApiKeyView]:
        """API keys: names, scopes and ends, never the keys. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_api_keys(cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def create_api_key(self, body: models.NewApiKey, *, deadline: float | None = None) -> models.NewApiKeyView:
        """Make an API key; it is shown this once."""
        outgoing = self.outgoing(_CREATE_API_KEY, read_as(models.NewApiKeyView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_api_key(self, key_id: str, *, deadline: float | None = None) -> models.ApiKeyView:
        """One API key, never the key itself."""
        outgoing = self.outgoing(_GET_API_KEY, read_as(models.ApiKeyView), {"key_id": key_id})
        return await self.call(outgoing, deadline)

    async def revoke_api_key(self, key_id: str, *, deadline: float | None = None) -> None:
        """Revoke a key; it is refused from the next call on."""
        outgoing = self.outgoing(_REVOKE_API_KEY, read_nothing, {"key_id": key_id})
        await self.call(outgoing, deadline)

    async def rotate_api_key(
        self, key_id: str, body: models.Rotation, *, deadline: float | None = None
    ) -> models.NewApiKeyView:
        """Make the key that follows; the old one stays good for the overlap."""
        outgoing = self.outgoing(_ROTATE_API_KEY, read_as(models.NewApiKeyView), {"key_id": key_id}, body=body)
        return await self.call(outgoing, deadline)

    async def list_clients(
        self, *, cursor: str | None = None, limit: int | None = None, deadline: float | None = None
    ) -> models.ClientViewPage:
        """Machines that prove themselves by a signed assertion."""
        outgoing = self.outgoing(
            _LIST_CLIENTS, read_as(models.ClientViewPage), {}, query={"cursor": cursor, "limit": limit}
        )
        return await self.call(outgoing, deadline)

    async def every_clients(self, *, deadline: float | None = None) -> AsyncIterator[models.ClientView]:
        """Machines that prove themselves by a signed assertion. All of them, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list_clients(cursor=cursor, limit=100, deadline=deadline)
            for item in page.data:
                yield item
            cursor = page.next
            if cursor is None:
                return

    async def create_client(
        self, body: models.NewClient, *, deadline: float | None = None
    ) -> Versioned[models.ClientView]:
        """Register a machine with its public keys."""
        outgoing = self.outgoing(_CREATE_CLIENT, read_versioned(models.ClientView), {}, body=body)
        return await self.call(outgoing, deadline)

    async def get_client(self, client_id: str, *, deadline: float | None = None) -> Versioned[models.ClientView]:
        """One machine."""
        outgoing = self.outgoing(_GET_CLIENT, read_versioned(models.ClientView), {"client_id": client_id})
        return await self.call(outgoing, deadline)

    async def revoke_client(self, client_id: str, *, deadline: float | None = None) -> None:
        """Disable a machine; its tokens end at once."""
        outgoing = self.outgoing(_REVOKE_CLIENT, read_nothing, {"client_id": client_id})
        await self.call(outgoing, deadline)

    async def replace_client_keys(
        self, client_id: str, body: models.ClientKeys, *, if_match: str, deadline: float | None = None
    ) -> Versioned[models.ClientView]:
        """Replace a machine's public keys; its tokens end at once."""
        outgoing = self.outgoing(
            _REPLACE_CLIENT_KEYS,
            read_versioned(models.ClientView),
            {"client_id": client_id},
            body=body,
            if_match=if_match,
        )
        return await self.call(outgoing, deadline)

    async def issue_token(self, body: Mapping[str, str], *, deadline: float | None = None) -> models.TokenView:
        """A short-lived access token for a machine that signs its request (private_key_jwt, RFC 7523)."""
        outgoing = self.outgoing(_ISSUE_TOKEN, read_as(models.TokenView), {}, form=body)
        return await self.call(outgoing, deadline)

    async def get_token_keys(self, *, deadline: float | None = None) -> models.TokenKeys:
        """The public keys of the access tokens that this service issues."""
        outgoing = self.outgoing(_GET_TOKEN_KEYS, read_as(models.TokenKeys), {})
        return await self.call(outgoing, deadline)

    async def get_me(self, *, deadline: float | None = None) -> models.Me:
        """Who the caller is here, and what the credential may do."""
        outgoing = self.outgoing(_GET_ME, read_as(models.Me), {})
        return await self.call(outgoing, deadline)

    async def get_openapi(self, *, deadline: float | None = None) -> Any:
        """This interface as an OpenAPI 3.1 document."""
        outgoing = self.outgoing(_GET_OPENAPI, read_as(Any), {})
        return await self.call(outgoing, deadline)

    async def get_problem(self, code: str, *, deadline: float | None = None) -> str:
        """What a problem code means and what to do about it."""
        outgoing = self.outgoing(_GET_PROBLEM, read_text, {"code": code})
        return await self.call(outgoing, deadline)

    async def get_health(self, *, deadline: float | None = None) -> models.Health:
        """Whether the process runs."""
        outgoing = self.outgoing(_GET_HEALTH, read_as(models.Health), {})
        return await self.call(outgoing, deadline)

    async def get_readiness(self, *, deadline: float | None = None) -> models.Readiness:
        """Whether the service can take calls."""
        outgoing = self.outgoing(_GET_READINESS, read_as(models.Readiness), {})
        return await self.call(outgoing, deadline)
