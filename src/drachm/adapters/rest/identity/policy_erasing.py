"""Who may ask that what is kept of a person be erased, and who decides it? Part of the table in `policy`.

The person asks, or the operator for them; a relative never does, and no clinic. Whoever took it up never agrees to it,
and no machine decides it.
"""

from __future__ import annotations

from typing import Final

ERASING: Final = """
pa re cl fi pr py fu au op in  scope           words              route

S  .  .  .  .  .  .  .  T  .   members:write   people             POST   /v1/members/{member_id}/erasures
S  .  .  .  .  .  .  T  T  .   members:read    -                  GET    /v1/erasures
S  .  .  .  .  .  .  T  T  .   members:read    -                  GET    /v1/erasures/{erasure_id}
.  .  .  .  .  .  .  .  T  .   members:write   people             POST   /v1/erasures/{erasure_id}/proposal
.  .  .  .  .  .  .  .  T  .   members:write   people,second      POST   /v1/erasures/{erasure_id}/agreement
.  .  .  .  .  .  .  .  T  .   members:write   people             POST   /v1/erasures/{erasure_id}/refusal
S  .  .  .  .  .  .  .  T  .   members:write   people             DELETE /v1/erasures/{erasure_id}
S  .  .  .  .  .  .  .  .  .   members:read    people             GET    /my/kept
S  .  .  .  .  .  .  .  .  .   members:write   people             POST   /my/kept
.  .  .  .  .  .  .  T  T  .   members:read    people             GET    /desk/erasures
.  .  .  .  .  .  .  .  T  .   members:write   people             POST   /desk/erasures
.  .  .  .  .  .  .  T  T  .   members:read    people             GET    /desk/erasures/{erasure_id}
.  .  .  .  .  .  .  .  T  .   members:write   people             POST   /desk/erasures/{erasure_id}/proposal
.  .  .  .  .  .  .  .  T  .   members:write   people,second      POST   /desk/erasures/{erasure_id}/agreement
.  .  .  .  .  .  .  .  T  .   members:write   people             POST   /desk/erasures/{erasure_id}/refusal
.  .  .  .  .  .  .  .  T  .   members:write   people             POST   /desk/erasures/{erasure_id}/withdrawal
"""
