"""Calls and pages about erasing what is kept of a person: a part of `route_table.py`, in the same form."""

from __future__ import annotations

ERASING = """\
POST /v1/members/{member_id}/erasures  ask_for_erasure  one key
  Ask that what is kept of a person be erased; nothing is erased before two people of the house agreed.
GET /v1/erasures  list_erasures  many
  Such requests, and what became of them.
GET /v1/erasures/{erasure_id}  get_erasure  one
  One request, who did what about it, and what is in its way.
POST /v1/erasures/{erasure_id}/proposal  propose_erasure  one
  Take a request up: propose that it be granted.
POST /v1/erasures/{erasure_id}/agreement  agree_to_erasure  one
  A second person agrees; what is kept of the person is erased at once, for ever.
POST /v1/erasures/{erasure_id}/refusal  refuse_erasure  one
  Refuse a request with a ground, which the person reads.
DELETE /v1/erasures/{erasure_id}  withdraw_erasure  one
  Take a request back before anybody agreed.
GET /my/kept  open_my_kept  many
  What is kept of a patient, and a form to ask that it be erased.
POST /my/kept  ask_from_my_kept  many
  Ask it, or take that back.
GET /desk/erasures  open_desk_erasures  many
  Requests to be erased that wait, and what became of the others.
POST /desk/erasures  ask_for_erasure_at_desk  whole
  Write down a request that a person made elsewhere.
GET /desk/erasures/{erasure_id}  open_desk_erasure  one
  One request, and what is in its way.
POST /desk/erasures/{erasure_id}/proposal  propose_erasure_at_desk  one
  Take it up.
POST /desk/erasures/{erasure_id}/agreement  agree_to_erasure_at_desk  one
  Agree to it as the second person.
POST /desk/erasures/{erasure_id}/refusal  refuse_erasure_at_desk  one
  Refuse it with a ground.
POST /desk/erasures/{erasure_id}/withdrawal  withdraw_erasure_at_desk  one
  Take it back.
"""
