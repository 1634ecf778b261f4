"""Calls and pages about what a patient lets be paid, pays on purpose and questions: a part of `route_table.py`."""

from __future__ import annotations

WISHES = """\
POST /v1/charges/{charge_id}/payments  pay_charge  one key
  Pay what is due of a charge, from wallets of the patient's choice; never more than is due.
POST /v1/receipts/{receipt_id}/questions  ask_question  one key
  Question a charge from its receipt: not received, wrong amount, not agreed to.
GET /v1/questions  list_questions  many
  Questions about receipts, and what became of them.
POST /v1/questions/{question_id}/answer  answer_question  one
  Answer a patient's question.
DELETE /v1/questions/{question_id}  take_back_question  one
  Take a question back.
GET /my/receipts/{receipt_id}/question  open_my_question  one
  What can be asked about a receipt, and what became of what was asked.
POST /my/receipts/{receipt_id}/question  ask_my_question  one
  Ask it, or take it back.
GET /my/pay  open_my_pay  many
  What is due of a visit, and the wallets that can pay it.
GET /my/pay/check  check_my_pay  many
  Once more what is about to be paid, before anything moves.
POST /my/pay  make_my_payment  many
  Pay it, once for each page that was shown.
GET /my/pay/done  open_my_paid  many
  The visit after a payment.
GET /my/budget  open_my_budget  many
  Budgets of the month, how it will end, and what is paid without asking.
POST /my/budget  set_my_budget  many
  Give, change or take away the budget.
POST /my/visits/{visit_id}/private  keep_my_visit_private  one
  Keep a visit from whoever shares a pot: asked once more, then done for good.
GET /my/private  open_my_private  many
  Which kinds of care shared pots pay nothing of, by the patient's standing wish.
POST /my/private/{wallet_id}  set_my_private  one
  Change that wish for one pot.
GET /my/automatic  open_my_automatic  many
  Rules for one clinic or kind of care, the order of pots, what may be taken from the card.
POST /my/automatic/rules  change_my_rules  many
  Add such a rule, or take one away.
POST /my/automatic/order  order_my_pots  many
  Say which pot pays first.
POST /my/automatic/card  set_my_collection  many
  Let what is owed be taken from the card on file, or take that back.
POST /my/automatic  set_my_automatic  many
  Say what is paid without asking.
GET /v1/members/{member_id}/budgets  get_budgets  one
  A member's budgets of a month: what is used, what is left, and how the month will end.
PUT /v1/members/{member_id}/budgets  set_budgets  one
  Write a member's budgets anew; one that asks is never passed without a yes, and no delivered care refused for it.
GET /v1/wallets/{wallet_id}/budget  get_wallet_budget  one
  The budget of a shared pot for whoever holds it: what is used this month, and how the month will end; amounts alone.
PUT /v1/wallets/{wallet_id}/budget  set_wallet_budget  one
  Write that budget anew, or take it away; it counts and tells, and withholds nothing.
GET /v1/wallets/{wallet_id}/budgets  list_wallet_budgets  one
  The budgets of a shared pot for whoever holds it: its own, and those kept for its members; amounts alone.
GET /v1/wallets/{wallet_id}/budgets/{member_id}  get_wallet_member_budget  one
  The budget that a shared pot's holder keeps for one member: what is used, and how the month will end; amounts alone.
PUT /v1/wallets/{wallet_id}/budgets/{member_id}  set_wallet_member_budget  one
  Write that budget anew, or take it away; it counts and tells its holder, and withholds nothing.
POST /my/budget/pots/{wallet_id}  set_my_pot_budget  one
  The same by the holder's own page.
GET /v1/members/{member_id}/automatic-payments  get_automatic_payments  one
  What is paid without asking the member, and from which wallet first.
PUT /v1/members/{member_id}/automatic-payments  set_automatic_payments  one
  Write anew what is paid without asking; it holds from the next posting on.
GET /v1/members/{member_id}/notices  list_notices  one
  What a member was told: that a budget of a month is half, to four fifths or wholly used.
"""
