"""How does a clerk help somebody who reads a code aloud? With the patient's own view, for a moment, and written down.

To say the code is to let the clerk look. Who looked at whose visit, and when, is kept with the patient's records.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.desk_frame import Seat, desk, unreadable
from drachm.adapters.rest.service.page_frame import root_of
from drachm.adapters.rest.service.speech import gettext
from drachm.adapters.rest.service.visit_told import visit_told
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.receipt_codes import find_code
from drachm.application.records import Record
from drachm.domain.errors import DrachmError
from drachm.domain.messages.codes import read_code

KIND: Final = "helped_at_desk"
SHOWN_SECONDS: Final = 300
"""The view goes away by itself after so long."""


@desk("open_desk_help")
def open_desk_help(seat: Seat) -> Reply:
    """A field for the code that the patient reads out."""
    seat.call.reach()
    return seat.page("desk_help.html", tab="help", told=None, trouble=None)


@desk("help_at_desk", form=True)
def help_at_desk(seat: Seat) -> Reply:
    """The patient's view of the visit that a code stands for; that it was looked at is written down first."""
    call = seat.call
    call.reach()
    try:
        return _shown(seat)
    except DrachmError as error:
        # Whatever was wrong, the code is what can be mended.
        trouble = replace(trouble_of(error, call), field="code")
        return seat.page("desk_help.html", tab="help", told=None, trouble=trouble)


def _shown(seat: Seat) -> Reply:
    call, tenant = seat.call, seat.call.caller.tenant
    code = read_code(call.form.get("code", ""))
    if not code:
        raise unreadable(
            gettext("A code has eight signs, digits and letters, such as {code}.").format(code="7K4M-2QXD")
        )
    tries, today = call.house.second_factor.tries, call.at.toordinal()
    place = f"codes tried by {call.caller.subject}"
    if not tries.take(tenant, place, today, call.at):
        raise Problem("rate_limited", "too many codes in a short time")
    coded = find_code(call.market.records, code, call.at)
    if coded is None or coded.version < call.house.links.version(tenant, coded.receipt):
        raise Problem("not_found")
    told, reach = visit_told(call.market, coded.receipt), call.reach()
    if told is None or not (reach.everything or told.row.provider in reach.parties):
        raise Problem("not_found")
    tries.succeeded(tenant, place, today)
    body = {"receipt": coded.receipt, "by": call.caller.subject, "at": write_instant(call.at), "why": "code read out"}
    members = frozenset({coded.member} - {""})
    call.market.records.put([Record(KIND, call.new_id("hlp"), body, members=members, author=call.caller.subject)])
    reply = seat.page("desk_help.html", tab="help", told=told, trouble=None)
    later = f"{SHOWN_SECONDS}; url={root_of(call)}/desk/help".encode()
    return Reply(reply.value, reply.status, headers=[*reply.headers, (b"refresh", later)], media=reply.media)
