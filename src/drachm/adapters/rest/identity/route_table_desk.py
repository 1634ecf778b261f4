"""The pages of people who work at a clinic: a part of `route_table.py`, in the same form."""

from __future__ import annotations

DESK = """\
GET /desk/sign-in  open_desk_sign_in  open
  Where people who work at a clinic sign in.
POST /desk/sign-in  sign_in_at_desk  open
  Sign in with a person's token of a sandbox.
GET /desk/sign-in/provider  begin_desk_provider  open
  On to the identity provider (OpenID Connect, code with PKCE).
GET /desk/sign-in/return  end_desk_provider  open
  Back from the identity provider.
POST /desk/sign-out  sign_out_of_desk  open
  End this browser's session, or all of this person's.
GET /desk  open_desk  many
  The desk: a day's charges and who they wait for, and the work queue.
POST /desk/search  search_desk  many
  Find a charge or an event by an id.
GET /desk/charges/{charge_id}  open_desk_charge  one
  One charge with everything that happened to its money.
GET /desk/charges/{charge_id}/refund  open_desk_refund_form  one
  Where a refund of a charge is proposed.
POST /desk/charges/{charge_id}/refund  propose_refund_at_desk  one
  Propose to give the money of a charge back.
GET /desk/questions  open_desk_questions  many
  Patients' questions about receipts: what waits for an answer, and what was settled.
POST /desk/questions/{question_id}/answer  answer_question_at_desk  one
  Answer one.
GET /desk/refunds  open_desk_refunds  many
  Refunds that wait for a second person, and what became of the others.
GET /desk/refunds/{refund_id}  open_desk_refund  one
  One refund of a charge.
POST /desk/refunds/{refund_id}/agreement  agree_to_refund_at_desk  one
  Agree to a refund as the second person.
POST /desk/refunds/{refund_id}/withdrawal  withdraw_refund_at_desk  one
  Stop a refund.
GET /desk/cash-refunds  open_desk_cash_refunds  many
  Cash that goes back at the window: what waits, what may be handed out, and where to propose more.
POST /desk/cash-refunds  propose_cash_refund_at_desk  named
  Propose to pay money of a wallet back in cash.
GET /desk/cash-refunds/{refund_id}  open_desk_cash_refund  one
  One of them.
POST /desk/cash-refunds/{refund_id}/agreement  agree_to_cash_refund_at_desk  one
  Agree to it as the second person.
POST /desk/cash-refunds/{refund_id}/payment  pay_cash_refund_at_desk  one
  Hand it out of one's own box.
POST /desk/cash-refunds/{refund_id}/withdrawal  withdraw_cash_refund_at_desk  one
  Stop it.
GET /desk/charges/{charge_id}/write-off  open_desk_write_off_form  one
  Where somebody asks to give up what is due of a charge.
POST /desk/charges/{charge_id}/write-off  write_off_at_desk  one
  Give it up, or propose it to a second person.
GET /desk/write-offs  open_desk_write_offs  many
  Dues that the clinic no longer asks for: what waits, and what became of the others.
GET /desk/write-offs/{write_off_id}  open_desk_write_off  one
  One of them.
POST /desk/write-offs/{write_off_id}/agreement  agree_to_write_off_at_desk  one
  Agree to it as the second person.
POST /desk/write-offs/{write_off_id}/end  end_write_off_at_desk  one
  Withdraw it, or ask for the amount after all.
POST /desk/charges/{charge_id}/link  hand_out_at_desk  one
  Make a receipt link for the patient; shown this once, to print.
POST /desk/charges/{charge_id}/slip  print_slip  one
  A slip of the visit for paper, with a QR code and a short code.
GET /desk/help  open_desk_help  many
  A field for the code that a patient reads out.
POST /desk/help  help_at_desk  many
  What the patient sees of the visit of a code; that a clerk looked is kept.
GET /desk/events/{event_id}  open_desk_event  one
  One event: what it waits for, or what became of it.
POST /desk/events/{event_id}/retry  retry_at_desk  one
  Try a waiting event again.
GET /desk/work  open_desk_work  many
  The work list: events that wait, by reason, with what to do next.
POST /desk/work  retry_work_at_desk  many
  Try the chosen ones again, or all of one reason.
GET /desk/messages  open_desk_messages  many
  Text messages to patients: what was said to whom, when, and whether it went out.
POST /desk/sign-in/passkey  sign_in_with_passkey  open
  Sign in with a passkey.
GET /desk/passkeys  open_desk_passkeys  many
  One's own passkeys; for operators everybody's.
POST /desk/passkeys  add_desk_passkey  many
  Make a passkey, soon after signing in with the account.
POST /desk/passkeys/{passkey_id}/end  end_desk_passkey  one
  End a passkey and every session of its person.
GET /desk/emergency  open_desk_emergency  many
  Where emergency access is taken.
POST /desk/emergency  take_desk_emergency  many
  Take emergency access: look at care of every clinic for up to an hour, for a reason, everything written down.
POST /desk/emergency/end  end_desk_emergency  many
  End emergency access before its time.
GET /desk/reviews  open_desk_reviews  many
  Emergency access that somebody else looks at afterwards.
GET /desk/reviews/{emergency_id}  open_desk_review  one
  One emergency access and everything that was opened by it.
POST /desk/reviews/{emergency_id}  review_emergency  one
  Say whether an emergency access was right; nobody reviews their own.
GET /desk/prices  open_desk_price_books  many
  Price books: what holds, and what is drafted.
GET /desk/prices/{price_book_id}  open_desk_price_book  one
  One price book: its draft with faults and effect, else what holds.
POST /desk/prices/{price_book_id}  write_desk_price_book  one
  Begin or change the draft of a price book.
POST /desk/prices/{price_book_id}/publication  publish_desk_price_book  one
  Let the draft of a price book hold from a day on; somebody other than its author does it.
GET /desk/plans  open_desk_plans  many
  Plans: what holds, and what is drafted.
GET /desk/plans/{plan_id}  open_desk_plan  one
  One plan: its draft with faults and effect, else what holds.
POST /desk/plans/{plan_id}  write_desk_plan  one
  Begin or change the draft of a plan, or try a case on it.
POST /desk/plans/{plan_id}/publication  publish_desk_plan  one
  Let the draft of a plan hold from a day on; somebody other than its author does it.
GET /desk/window  open_desk_window  many
  Cash at the window: the shifts of the last days.
POST /desk/window  begin_desk_shift  named
  Begin a shift.
GET /desk/shifts/{shift_id}  open_desk_shift  one
  One shift: what was taken, what was counted.
POST /desk/shifts/{shift_id}/cash  take_cash_at_desk  one
  Take cash for a wallet.
POST /desk/shifts/{shift_id}/count  count_at_desk  one
  Count the box and end the shift.
GET /desk/office  open_office  many
  The office: what some months came to, each plot the answer to a question.
GET /desk/office/csv  download_office_csv  many
  The numbers behind one plot as a file; no cell is a formula.
GET /desk/office/books  open_office_books  whole
  Every kind of account with its two sides, and whether they come to nothing.
"""
