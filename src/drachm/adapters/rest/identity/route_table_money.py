"""The calls by which money comes in and goes out: a part of `route_table.py`, in the same form."""

from __future__ import annotations

MONEY = """\
GET /v1/wallets/{wallet_id}/payments  list_payments  one
  Payments over a rail into a wallet: where each stands, and where its payer goes.
POST /v1/wallets/{wallet_id}/payments  begin_payment  one key
  Ask a rail for money; the answer says where the payer goes.
GET /v1/payments/{payment_id}  get_payment  one
  One payment.
GET /v1/payments/{payment_id}/refunds  list_refunds  one
  What of a payment went back, or is on its way.
POST /v1/payments/{payment_id}/refunds  begin_refund  one key
  Send money of a payment back: to its source, or to a wallet with the payer's consent; decided by a person.
GET /v1/refunds/{refund_id}  get_refund  one
  One refund.
POST /v1/wallets/{wallet_id}/payouts  begin_payout  one key
  Send what is left in a pocket back to the cards and accounts that filled it.
GET /v1/members/{member_id}/dues  list_dues  one
  What a member owes of care, when it is collected, and where to pay it.
POST /v1/members/{member_id}/dues/payments  pay_dues  one key
  One payment over a rail for everything that is due.
GET /v1/members/{member_id}/collection-consent  get_collection_consent  one
  Whether what is due may be taken from the card on file.
PUT /v1/members/{member_id}/collection-consent  set_collection_consent  one
  Give this consent, or take it back.
GET /v1/members/{member_id}/arrears  list_arrears  one
  What a member owes for payments that went back, and how to make it good.
POST /v1/members/{member_id}/arrears/payments  pay_arrears  one key
  Make it good, over a rail or out of a wallet; then the wallets pay again.
GET /v1/wallets/{wallet_id}/automatic-top-up  get_automatic_top_up  one
  By which rule a wallet tops itself up, and what the rule says now.
PUT /v1/wallets/{wallet_id}/automatic-top-up  set_automatic_top_up  one
  Give, change or switch off the rule; no more than its cap is ever taken in a month.
POST /v1/wallets/{wallet_id}/cards  leave_card  one key
  Where the holder goes to leave a card with a rail; no card data comes here.
DELETE /v1/wallets/{wallet_id}/cards/{rail}  forget_card  one
  Use the holder's card no more.
POST /v1/callbacks/{tenant}/{rail}  hear_callback  open
  What a rail tells by itself; it is signed, or refused.
GET /v1/shifts  list_shifts  many
  Shifts at windows: who took how much cash, and what was counted.
POST /v1/shifts  open_shift  named
  Begin a shift at a window in the caller's own name, with what lies in the box.
GET /v1/shifts/{shift_id}  get_shift  one
  One shift.
POST /v1/shifts/{shift_id}/payments  take_cash  one key
  Take cash into a wallet; it can be spent at once.
POST /v1/shifts/{shift_id}/count  count_shift  one key
  Count the box and end the shift; a difference is booked and named.
POST /v1/cash-refunds  propose_cash_refund  named key
  Propose to pay money of a wallet back in cash, to be agreed to by somebody else.
GET /v1/cash-refunds  list_cash_refunds  many
  Cash that goes back at windows: what waits, what is ready, what was handed out.
GET /v1/cash-refunds/{refund_id}  get_cash_refund  one
  One of them, and who had a hand in it.
POST /v1/cash-refunds/{refund_id}/agreement  agree_to_cash_refund  one key
  Agree as the second person; the money is held until it is handed out.
POST /v1/cash-refunds/{refund_id}/payment  pay_cash_refund  one key
  Hand it out of the box of one's own open shift, once.
DELETE /v1/cash-refunds/{refund_id}  withdraw_cash_refund  one
  Stop one that was not handed out.
POST /v1/bank-statements  read_bank_statement  whole key
  Book what a camt.053 or camt.054 says came in; what nobody can be found for stands apart.
POST /v1/ach-returns  read_ach_returns  whole key
  Hear which debits over the ACH network came back: a NACHA return file as the bank hands it on.
GET /v1/bank-lines  list_bank_lines  whole
  Lines of bank statements and what became of each.
POST /v1/bank-lines/{line_id}/allocation  allocate_bank_line  one key
  Say whose the money of an unallocated line is.
"""
