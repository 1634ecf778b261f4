"""Who may give money of a charge back, or ask no more for what is due of it? Part of the table in `policy`.

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
.  .  P  P  .  .  .  .  T  .   money:write     people             POST   /v1/charges/{charge_id}/write-offs
.  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/write-offs
.  .  P  P  .  .  .  T  T  .   money:read      -                  GET    /v1/write-offs/{write_off_id}
.  .  P  P  .  .  .  .  T  .   money:write     people,second      POST   /v1/write-offs/{write_off_id}/agreement
.  .  P  P  .  .  .  .  T  .   money:write     people             DELETE /v1/write-offs/{write_off_id}
"""
