"""Which calls does API version 1 have? One entry of two lines each; `routes.py` reads it.

First line: method, path, operation id, what the call is about, further words. Second line: what it does.

    open   about nothing of a tenant          one    about the thing whose id stands in the path
    many   a list: shows what the caller      named  about the parties and members that the body names
           can reach, nothing else            whole  about the tenant as a whole
    key    needs an Idempotency-Key           stream answers as a stream of server-sent events
"""

from __future__ import annotations

from drachm.adapters.rest.identity.route_table_desk import DESK
from drachm.adapters.rest.identity.route_table_erasing import ERASING
from drachm.adapters.rest.identity.route_table_money import MONEY
from drachm.adapters.rest.identity.route_table_register import REGISTER
from drachm.adapters.rest.identity.route_table_wishes import WISHES

TABLE = (
    """
POST /v1/service-events  post_service_events  named
  Clear delivered care: one event, a JSON array or NDJSON of up to 1,000; a result for each, a repeat its first answer.
GET /v1/service-events  list_service_events  many
  Events that were received, newest first, with their outcome.
GET /v1/service-events/{event_id}  get_service_event  one
  What became of one event: cleared, refused or pended, and why.
GET /v1/service-events/{event_id}/revisions  list_event_revisions  one
  Every answer this event has had, first to last, with what replaced what.
POST /v1/service-events/{event_id}/revisions  revise_service_event  one key
  Correct an event: the first answer is undone and the new one takes its place.
POST /v1/service-events/{event_id}/reversal  reverse_service_event  one key
  Undo an event whole: care that was not given, or not given to this person.
GET /v1/work-queue  list_work_queue  many
  Events that wait for something unknown: a code, a member, a price, a currency.
POST /v1/work-queue/retries  retry_work_queue  named key
  Try many waiting events again at once, or see what would come of it.
GET /v1/work-queue/{event_id}  get_work_item  one
  What one waiting event waits for.
POST /v1/work-queue/{event_id}/retry  retry_work_item  one key
  Try a waiting event again now that what was missing is there.

POST /v1/estimates  create_estimate  named
  What care would cost whom, computed by the line that clears real events, posting nothing.
POST /v1/eligibility  check_eligibility  named
  Cover, what is left of deductible and maximum, network and need of authorisation, as of a date.

GET /v1/charges  list_charges  many
  Charges, newest first.
GET /v1/charges/{charge_id}  get_charge  one
  One charge: billed, allowed, and who bears what.
POST /v1/charges/{charge_id}/privacy  keep_charge_private  one key
  Keep a charge from the family: what its pocket paid goes back, own pockets pay instead.
POST /v1/charges/{charge_id}/refunds  propose_charge_refund  one key
  Propose to give the money of a charge back, whole or in part, with a reason and a limit; nothing moves yet.
GET /v1/charge-refunds  list_charge_refunds  many
  Refunds of charges: what waits for a second person, and what became of the others.
GET /v1/charge-refunds/{refund_id}  get_charge_refund  one
  One refund of a charge, and who had a hand in it.
POST /v1/charge-refunds/{refund_id}/agreement  agree_to_charge_refund  one key
  A second person agrees; the money goes back to the pockets and payers that gave it, once.
DELETE /v1/charge-refunds/{refund_id}  withdraw_charge_refund  one
  Stop a refund that nobody agreed to yet.
POST /v1/charges/{charge_id}/write-offs  write_off_due  one key
  Ask no more for what is due of a charge: at once up to a limit, above it when a second person agrees.
GET /v1/write-offs  list_write_offs  many
  Dues that are no longer asked for, and those that wait for a second person.
GET /v1/write-offs/{write_off_id}  get_write_off  one
  One of them, and who decided it.
POST /v1/write-offs/{write_off_id}/agreement  agree_to_write_off  one key
  A second person agrees; the patient is asked for it no more.
DELETE /v1/write-offs/{write_off_id}  end_write_off  one
  Withdraw it, or take it back: then the amount is due again.
GET /v1/visits  list_visits  many
  Visits: many charges, one answer to the patient.
GET /v1/visits/{visit_id}  get_visit  one
  One visit with all its charges and what is asked of the patient in the end.
GET /v1/receipts  list_receipts  many
  Receipts, newest first.
GET /v1/receipts/{receipt_id}  get_receipt  one
  One receipt, with every amount and its proof.
GET /v1/receipts/{receipt_id}/why  explain_receipt  one
  Each rule that was used on this receipt, in order, with the clause of the plan it comes from.
GET /v1/receipts/{receipt_id}/links  list_receipt_links  one
  Signed links to this receipt that are still good: when they end, never the links themselves.
POST /v1/receipts/{receipt_id}/links  create_receipt_link  one
  A signed link that opens this one receipt in a browser until it expires.
DELETE /v1/receipts/{receipt_id}/links  revoke_receipt_links  one
  Withdraw every link to this receipt at once.

GET /r/{token}  open_receipt_page  one
  The page behind a signed link: clinic initials, date and amounts.
POST /r/{token}/second-factor  give_second_factor  one
  Answer the second question, so that the page may name the services.
POST /r/{token}/passkey  open_with_passkey  one
  A passkey of the patient, instead of that answer.
GET /r/{token}/services  open_receipt_services  one
  The page with the names of the services, after the second factor.
POST /r/{token}/visit  open_visit_of_link  one
  On to the whole visit of the receipt, in a session for this visit alone.

GET /static/{file}  get_static_file  open
  A style, font or script that pages load; its name changes with its content.
GET /my/sign-in  open_my_sign_in  open
  Where patients and relatives sign in.
POST /my/sign-in  sign_in_to_my  open
  Take a sandbox token of a patient or relative.
GET /my/sign-in/provider  begin_my_provider  open
  Send the browser of a patient or relative to the identity provider.
GET /my/sign-in/return  end_my_provider  open
  Where the identity provider sends that browser back.
POST /my/sign-out  sign_out_of_my  open
  End the session; on to the sign-in, or to a page that says nothing.
GET /my/left  open_left_page  open
  What stands on the screen of somebody who left.
GET /my  open_my_home  many
  A patient's latest visits, each as one answer.
GET /my/stream  open_my_stream  many stream
  That something on a page of a patient has changed, as server-sent events without content.
GET /my/visits/{visit_id}  open_my_visit  one
  One visit of a patient: one number, one sentence, who paid.
GET /my/visits/{visit_id}/parts  open_my_parts  one
  What a visit was for, charge by charge, and what was told before.
GET /my/receipts  list_my_receipts  many
  A patient's receipts.
GET /my/receipts.csv  export_my_receipts  many
  A patient's receipts as a table for a spreadsheet.
GET /my/receipts/{receipt_id}  open_my_receipt  one
  One receipt, to read and to print.
GET /my/receipts/{receipt_id}/why  explain_my_receipt  one
  Each step of the plan behind a receipt, and a sum that closes.
GET /my/cover  open_my_cover  many
  A patient's covers and how far their limits are used up.
GET /my/menu  open_my_menu  many
  Services with their price and the patient's own share.
POST /my/menu  search_my_menu  many
  The same, by words of the name.
POST /my/estimate  open_my_estimate  many
  One service before care: who gives it, at which price, with which own share.
GET /my/wallet  open_my_wallet  many
  What a patient can spend now, and the pots in their order.
GET /my/wallet/pots/{wallet_id}  open_my_pot  one
  One pot: its rules, what went in and out, more money in.
POST /my/wallet/pots/{wallet_id}/top-up  top_up_my_pot  one
  Ask a rail for money, after a word about a dear fee.
POST /my/wallet/pots/{wallet_id}/rule  set_my_top_up_rule  one
  Give, change or switch off the rule by which a pot tops itself up.
POST /my/wallet/pots/{wallet_id}/pay-out  pay_out_my_pot  one
  Send what is left back the way it came in.
POST /my/wallet/arrears  pay_my_arrears  many
  Make good what is owed for a payment that went back.
GET /my/family  open_my_family  many
  The pots that a patient shares: limits, a pause, who was asked.
POST /my/family  answer_my_invitation  many
  Say yes or no to an invitation.
POST /my/family/{wallet_id}  change_my_family  one
  Pause, limit, invite, take out, leave, or let others see.
GET /my/wallet/payments/{payment_id}  open_my_payment  one
  How a payment stands, and where its payer goes.
GET /my/proof  open_my_proof  many
  Ask a patient once more who is there, before a large payment.
POST /my/proof  give_my_proof  many
  Take that proof.
POST /my/proof/passkey  prove_with_my_passkey  many
  The same with a passkey.
GET /my/passkeys  open_my_passkeys  many
  A patient's own passkeys.
POST /my/passkeys  add_my_passkey  many
  Make a passkey, soon after a proof with the account.
POST /my/passkeys/{passkey_id}  change_my_passkey  one
  Name a passkey anew, or end it.

GET /s/{code}  open_short_link  open
  The short link of a text message: on to the receipt's page.
GET /kiosk  open_kiosk  open
  A screen in the hall: a code and one answer open a visit for a minute.
POST /kiosk/visit  show_at_kiosk  open
  Take a code and its answer at a kiosk.
GET /kiosk/visit  show_kiosk_visit  open
  The visit that was opened at this kiosk.
GET /kiosk/still  ask_at_kiosk  open
  Ask whether somebody is still at the kiosk.
GET /kiosk/end  end_at_kiosk  open
  Clear the kiosk.

"""
    + DESK
    + REGISTER
    + WISHES
    + ERASING
    + """

GET /v1/wallets  list_wallets  many
  Pockets that care can be paid from, with what is left and what is promised.
POST /v1/wallets  open_wallet  named
  Open a pocket for a member or a family.
GET /v1/wallets/{wallet_id}  get_wallet  one
  One wallet.
GET /v1/wallets/{wallet_id}/entries  list_wallet_entries  one
  What went in and out of a wallet: dates, amounts, and of a family who; no service named.
GET /v1/wallets/{wallet_id}/members  list_wallet_members  one
  Who draws on a family's wallet, within which limits, and what is left of them.
GET /v1/wallets/{wallet_id}/members/{member_id}  get_wallet_member  one
  One member of a family's wallet: inside, asked or outside, with limits.
PUT /v1/wallets/{wallet_id}/members/{member_id}  set_wallet_member  one
  Limit what one member takes from a family's wallet, pause it, or let the member in again.
DELETE /v1/wallets/{wallet_id}/members/{member_id}  remove_wallet_member  one
  Take a member out of a family's wallet, or leave it.
GET /v1/wallets/{wallet_id}/privacy/{member_id}  get_wallet_privacy  one
  What a member keeps from those who pay, and what the member lets them see.
PUT /v1/wallets/{wallet_id}/privacy/{member_id}  set_wallet_privacy  one
  Change what a member keeps from those who pay, and lets them see.
GET /v1/wallets/{wallet_id}/invitations  list_wallet_invitations  one
  Who was asked into a family's wallet, or to help with it.
POST /v1/wallets/{wallet_id}/invitations  invite_to_wallet  one key
  Ask somebody into a family's wallet, by name or by a code to hand on.
DELETE /v1/invitations/{invitation_id}  withdraw_wallet_invitation  one
  Take an invitation back, or end somebody's help.
GET /v1/members/{member_id}/invitations  list_member_invitations  one
  Invitations that wait for a member's answer.
POST /v1/members/{member_id}/invitations  answer_invitation  one
  Accept or decline an invitation, once.
POST /v1/help  accept_help  open
  Become the helper of a family's wallet by its code.
POST /v1/wallets/{wallet_id}/top-ups  top_up_wallet  one key
  Record money that has arrived for a wallet.

"""
    + MONEY
    + """\

GET /v1/accounts  list_accounts  many
  Accounts of the books and their balances.
GET /v1/accounts/{account_id}  get_account  one
  One account and its balance.
GET /v1/accounts/{account_id}/entries  list_account_entries  one
  The entries of an account.
GET /v1/statements  list_statements  many
  Statements of parties, by period.
GET /v1/statements/{statement_id}  get_statement  one
  One statement: opening balance, entries, closing balance.
GET /v1/trial-balance  get_trial_balance  whole
  Every account of the tenant; the sum of each currency is zero.
GET /v1/analytics/care  get_care_figures  many
  What the charges of some months came to, how long they took to the books, what is owed and why payers said no.
GET /v1/events  list_events  many
  What happened since a cursor, in order: for machines that keep up with us.
GET /v1/parties/{party_id}/receipts/stream  stream_party_receipts  one stream
  Receipts of a party as they are issued.
GET /v1/members/{member_id}/receipts/stream  stream_member_receipts  one stream
  Receipts of a member as they are issued.
GET /v1/operations/by-key/{key}  get_operation_by_key  one
  What became of a call whose answer was lost, by its Idempotency-Key.

GET /v1/api-keys  list_api_keys  many
  API keys: names, scopes and ends, never the keys.
POST /v1/api-keys  create_api_key  named
  Make an API key; it is shown this once.
GET /v1/api-keys/{key_id}  get_api_key  one
  One API key, never the key itself.
POST /v1/api-keys/{key_id}/rotation  rotate_api_key  one
  Make the key that follows; the old one stays good for the overlap.
DELETE /v1/api-keys/{key_id}  revoke_api_key  one
  Revoke a key; it is refused from the next call on.
GET /v1/clients  list_clients  many
  Machines that prove themselves by a signed assertion.
POST /v1/clients  create_client  named
  Register a machine with its public keys.
GET /v1/clients/{client_id}  get_client  one
  One machine.
PUT /v1/clients/{client_id}/keys  replace_client_keys  one
  Replace a machine's public keys; its tokens end at once.
DELETE /v1/clients/{client_id}  revoke_client  one
  Disable a machine; its tokens end at once.
POST /v1/token  issue_token  open
  A short-lived access token for a machine that signs its request (private_key_jwt, RFC 7523).
GET /.well-known/jwks.json  get_token_keys  open
  The public keys of the access tokens that this service issues.

GET /v1/me  get_me  open
  Who the caller is here, and what the credential may do.
GET /openapi.json  get_openapi  open
  This interface as an OpenAPI 3.1 document.
GET /problems/{code}  get_problem  open
  What a problem code means and what to do about it.
GET /healthz  get_health  open
  Whether the process runs.
GET /readyz  get_readiness  open
  Whether the service can take calls.
GET /metrics  get_metrics  open
  Counters and timings of the process for Prometheus; served to this machine only.
"""
)
