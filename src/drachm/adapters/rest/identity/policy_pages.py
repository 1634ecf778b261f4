"""Who may open which page: behind a link, at the kiosk, of patients, at the desk? Part of the table in `policy`.

What a page shows it asks the interface for, as the person who looks at it: those rows hold as well.
"""

from __future__ import annotations

from typing import Final

PAGES: Final = """
pa re cl fi pr py fu au op in  scope           words              route

link                                                              GET    /r/{token}
link                                                              POST   /r/{token}/second-factor
link                                                              POST   /r/{token}/passkey
factor                                                            GET    /r/{token}/services
factor                                                            POST   /r/{token}/visit

open                                                              GET    /static/{file}
open                                                              GET    /my/sign-in
open                                                              POST   /my/sign-in
open                                                              GET    /my/sign-in/provider
open                                                              GET    /my/sign-in/return
open                                                              POST   /my/sign-out
open                                                              GET    /my/left
open                                                              GET    /s/{code}
open                                                              GET    /kiosk
open                                                              POST   /kiosk/visit
open                                                              GET    /kiosk/visit
open                                                              GET    /kiosk/still
open                                                              GET    /kiosk/end
S  R  .  .  .  .  .  .  .  .   events:read     people             GET    /my
S  R  .  .  .  .  .  .  .  .   events:read     people             GET    /my/stream
S  R  .  .  .  .  .  .  .  .   events:read     people             GET    /my/visits/{visit_id}
S  R  .  .  .  .  .  .  .  .   events:read     people             GET    /my/visits/{visit_id}/parts
S  R  .  .  .  .  .  .  .  .   receipts:read   people             GET    /my/receipts
S  R  .  .  .  .  .  .  .  .   receipts:read   people             GET    /my/receipts.csv
S  R  .  .  .  .  .  .  .  .   receipts:read   people             GET    /my/receipts/{receipt_id}
S  .  .  .  .  .  .  .  .  .   receipts:read   people             GET    /my/receipts/{receipt_id}/why
S  .  .  .  .  .  .  .  .  .   estimates       people             GET    /my/cover
S  .  .  .  .  .  .  .  .  .   estimates       people             GET    /my/menu
S  .  .  .  .  .  .  .  .  .   estimates       people             POST   /my/menu
S  .  .  .  .  .  .  .  .  .   estimates       people             POST   /my/estimate
S  R  .  .  .  .  .  .  .  .   money:read      people             GET    /my/wallet
S  R  .  .  .  .  .  .  .  .   money:read      people             GET    /my/wallet/pots/{wallet_id}
S  R  .  .  .  .  .  .  .  .   money:write     people             POST   /my/wallet/pots/{wallet_id}/top-up
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/wallet/pots/{wallet_id}/rule
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/wallet/pots/{wallet_id}/pay-out
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/wallet/arrears
S  .  .  .  .  .  .  .  .  .   money:read      people             GET    /my/family
S  .  .  .  .  .  .  .  .  .   members:write   people             POST   /my/family
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/family/{wallet_id}
S  R  .  .  .  .  .  .  .  .   money:read      people             GET    /my/wallet/payments/{payment_id}
S  .  .  .  .  .  .  .  .  .   money:write     people             GET    /my/receipts/{receipt_id}/question
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/receipts/{receipt_id}/question
S  .  .  .  .  .  .  .  .  .   money:write     people             GET    /my/pay
S  .  .  .  .  .  .  .  .  .   money:write     people             GET    /my/pay/check
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/pay
S  .  .  .  .  .  .  .  .  .   money:write     people             GET    /my/pay/done
S  .  .  .  .  .  .  .  .  .   money:read      people             GET    /my/budget
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/budget
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/budget/pots/{wallet_id}
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/automatic
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/visits/{visit_id}/private
S  .  .  .  .  .  .  .  .  .   money:read      people             GET    /my/private
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/private/{wallet_id}
S  .  .  .  .  .  .  .  .  .   money:read      people             GET    /my/automatic
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/automatic/rules
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/automatic/order
S  .  .  .  .  .  .  .  .  .   money:write     people             POST   /my/automatic/card
S  R  .  .  .  .  .  .  .  .   events:read     people             GET    /my/proof
S  R  .  .  .  .  .  .  .  .   events:read     people             POST   /my/proof
S  R  .  .  .  .  .  .  .  .   events:read     people             POST   /my/proof/passkey
S  R  .  .  .  .  .  .  .  .   events:read     people             GET    /my/passkeys
S  R  .  .  .  .  .  .  .  .   events:read     people             POST   /my/passkeys
S  R  .  .  .  .  .  .  .  .   events:read     people             POST   /my/passkeys/{passkey_id}

open                                                              GET    /desk/sign-in
open                                                              POST   /desk/sign-in
open                                                              GET    /desk/sign-in/provider
open                                                              GET    /desk/sign-in/return
open                                                              POST   /desk/sign-out
.  .  P  P  .  .  .  T  T  .   events:read     people             GET    /desk
.  .  P  P  .  .  .  .  T  .   events:read     people             POST   /desk/search
.  .  P  P  .  .  .  T  T  .   events:read     people             GET    /desk/charges/{charge_id}
.  .  P  .  .  .  .  .  .  .   receipts:share  people             POST   /desk/charges/{charge_id}/link
.  .  P  P  .  .  .  .  T  .   money:write     people             GET    /desk/charges/{charge_id}/refund
.  .  P  P  .  .  .  .  T  .   money:write     people             POST   /desk/charges/{charge_id}/refund
.  .  P  P  .  .  .  T  T  .   receipts:read   people             GET    /desk/questions
.  .  P  P  .  .  .  .  .  .   money:write     people             POST   /desk/questions/{question_id}/answer
.  .  P  P  .  .  .  T  T  .   money:read      people             GET    /desk/refunds
.  .  P  P  .  .  .  T  T  .   money:read      people             GET    /desk/refunds/{refund_id}
.  .  P  P  .  .  .  .  T  .   money:write     people,second      POST   /desk/refunds/{refund_id}/agreement
.  .  P  P  .  .  .  .  T  .   money:write     people             POST   /desk/refunds/{refund_id}/withdrawal
.  .  P  .  .  .  .  .  .  .   receipts:share  people             POST   /desk/charges/{charge_id}/slip
.  .  P  .  .  .  .  .  .  .   receipts:read   people             GET    /desk/help
.  .  P  .  .  .  .  .  .  .   receipts:read   people             POST   /desk/help
.  .  P  P  .  .  .  T  T  .   events:read     people             GET    /desk/events/{event_id}
.  .  P  .  .  .  .  .  T  .   events:write    people             POST   /desk/events/{event_id}/retry
.  .  P  .  .  .  .  T  T  .   events:read     people             GET    /desk/work
.  .  P  .  .  .  .  .  T  .   events:write    people             POST   /desk/work
.  .  P  .  .  .  .  T  T  .   receipts:read   people             GET    /desk/messages
open                                                              POST   /desk/sign-in/passkey
.  .  P  P  P  .  .  .  T  .   -               people             GET    /desk/passkeys
.  .  P  P  P  .  .  .  T  .   -               people             POST   /desk/passkeys
.  .  P  P  P  .  .  .  T  .   -               people             POST   /desk/passkeys/{passkey_id}/end
.  .  P  P  .  .  .  .  .  .   events:read     people             GET    /desk/emergency
.  .  P  P  .  .  .  .  .  .   events:read     people             POST   /desk/emergency
.  .  P  P  .  .  .  .  .  .   events:read     people             POST   /desk/emergency/end
.  .  .  P  .  .  .  T  T  .   events:read     people             GET    /desk/reviews
.  .  .  P  .  .  .  T  T  .   events:read     people             GET    /desk/reviews/{emergency_id}
.  .  .  P  .  .  .  .  T  .   events:read     people,second      POST   /desk/reviews/{emergency_id}
.  .  P  P  P  .  .  T  T  .   plans:read      people             GET    /desk/prices
.  .  P  P  P  .  .  T  T  .   plans:read      people             GET    /desk/prices/{price_book_id}
.  .  .  .  P  .  .  .  .  .   plans:write     people             POST   /desk/prices/{price_book_id}
.  .  .  .  P  .  .  .  T  .   plans:write     people,second      POST   /desk/prices/{price_book_id}/publication
.  .  T  T  T  .  .  T  T  .   plans:read      people             GET    /desk/plans
.  .  T  T  T  .  .  T  T  .   plans:read      people             GET    /desk/plans/{plan_id}
.  .  .  .  P  .  .  .  .  .   plans:write     people             POST   /desk/plans/{plan_id}
.  .  .  .  P  .  .  .  T  .   plans:write     people,second      POST   /desk/plans/{plan_id}/publication
.  .  P  P  .  .  .  T  T  .   money:read      people             GET    /desk/window
.  .  P  .  .  .  .  .  T  .   money:write     people             POST   /desk/window
.  .  P  P  .  .  .  T  T  .   money:read      people             GET    /desk/shifts/{shift_id}
.  .  P  .  .  .  .  .  T  .   money:write     people             POST   /desk/shifts/{shift_id}/cash
.  .  P  .  .  .  .  .  T  .   money:write     people             POST   /desk/shifts/{shift_id}/count
.  .  .  P  .  .  .  T  T  .   money:read      people             GET    /desk/office
.  .  .  P  .  .  .  T  T  .   money:read      people             GET    /desk/office/csv
.  .  .  .  .  .  .  T  T  .   money:read      people             GET    /desk/office/books
"""
