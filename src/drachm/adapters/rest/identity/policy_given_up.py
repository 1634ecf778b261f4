"""Who may give money back, of a charge or in cash, or ask no more for what is due? Part of the table in `policy`.

Whoever proposed it never agrees to it, and no machine decides it.
"""

from __future__ import annotations

from typing import Final

GIVEN_UP: Final = """
pa re cl fi pr py fu au op in  scope           words              route

.  .  P  P  .  .  .  .  T  .   money:write     people             POST   /v1/charges/{charge_id}/refunds
.  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/charge-refunds
.  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/charge-refunds/{refund_id}
.  .  P  P  .  .  .  .  T  .   money:write     people,second      POST   /v1/charge-refunds/{refund_id}/agreement
.  .  P  P  .  .  .  .  T  .   money:write     people             DELETE /v1/charge-refunds/{refund_id}
.  .  P  P  .  .  .  .  T  .   money:write     people             POST   /v1/cash-refunds
.  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/cash-refunds
.  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/cash-refunds/{refund_id}
.  .  P  P  .  .  .  .  T  .   money:write     people,second      POST   /v1/cash-refunds/{refund_id}/agreement
.  .  P  .  .  .  .  .  T  .   money:write     people             POST   /v1/cash-refunds/{refund_id}/payment
.  .  P  P  .  .  .  .  T  .   money:write     people             DELETE /v1/cash-refunds/{refund_id}
.  .  P  P  .  .  .  T  T  .   money:read      people             GET    /desk/cash-refunds
.  .  P  P  .  .  .  .  T  .   money:write     people             POST   /desk/cash-refunds
.  .  P  P  .  .  .  T  T  .   money:read      people             GET    /desk/cash-refunds/{refund_id}
.  .  P  P  .  .  .  .  T  .   money:write     people,second      POST   /desk/cash-refunds/{refund_id}/agreement
.  .  P  .  .  .  .  .  T  .   money:write     people             POST   /desk/cash-refunds/{refund_id}/payment
.  .  P  P  .  .  .  .  T  .   money:write     people             POST   /desk/cash-refunds/{refund_id}/withdrawal
.  .  P  P  .  .  .  .  T  .   money:write     people             POST   /v1/charges/{charge_id}/write-offs
.  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/write-offs
.  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/write-offs/{write_off_id}
.  .  P  P  .  .  .  .  T  .   money:write     people,second      POST   /v1/write-offs/{write_off_id}/agreement
.  .  P  P  .  .  .  .  T  .   money:write     people             DELETE /v1/write-offs/{write_off_id}
.  .  P  P  .  .  .  .  T  .   money:write     people             GET    /desk/charges/{charge_id}/write-off
.  .  P  P  .  .  .  .  T  .   money:write     people             POST   /desk/charges/{charge_id}/write-off
.  .  P  P  .  .  .  T  T  .   money:read      people             GET    /desk/write-offs
.  .  P  P  .  .  .  T  T  .   money:read      people             GET    /desk/write-offs/{write_off_id}
.  .  P  P  .  .  .  .  T  .   money:write     people,second      POST   /desk/write-offs/{write_off_id}/agreement
.  .  P  P  .  .  .  .  T  .   money:write     people             POST   /desk/write-offs/{write_off_id}/end
"""
