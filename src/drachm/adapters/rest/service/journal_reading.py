"""How are journal rows found by name, listed within reach, and shown no further than the reader may see?

Who reaches a row only as a relative sees amounts and days, and never where or for what: they help to pay, and need not
know. Everything that could name it (provider, service, codes, the plan's own words, the sender's ids) is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final, TypedDict

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.identity.model import Relation, Resource
from drachm.adapters.rest.service.call import Call
from drachm.adapters.rest.service.house import Market
from drachm.adapters.rest.service.names import position_of, row_name
from drachm.adapters.rest.transport.identifiers import decode, encode
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.values import write_instant
from drachm.application.journal_index import Indexed, Looked
from drachm.application.shown_receipts import Shown, shown_receipts
from drachm.domain.clearing.model import STATUSES
from drachm.domain.errors import IntegrityError, InvalidMessage
from drachm.domain.periods import read_day

CARE: Final = frozenset({"charge", "reversal", "replacement", "hold", "stop"})
"""Kinds of rows that are about care; the others are money that came in."""
CHARGES: Final = frozenset({"charge", "replacement"})
ANSWERED: Final = frozenset({"posted", "denied"})
FILTERS: Final = {
    "member": "Only what concerns this member.",
    "party": "Only what concerns this party: provider, site or payer.",
    "since": "First service day, YYYY-MM-DD.",
    "until": "Last service day, YYYY-MM-DD.",
}
_TEXT_MAX: Final = 200


class Ways(TypedDict):
    """By which parties and members the caller reaches rows; both None: all of the tenant."""

    parties: Collection[str] | None
    members: Collection[str] | None


class Filters(TypedDict):
    """What a list is narrowed to."""

    member: str
    party: str
    since: date | None
    until: date | None


def ways_of(call: Call, reach: Reach, *, by_party: bool = False) -> Ways:
    """The caller's reach for the index. `by_party`: the list is narrowed to a party, which would tell a relative where
    the member was; so it shows them nothing."""
    if reach.everything:
        return Ways(parties=None, members=None)
    members = reach.members & own_members(call) if by_party else reach.members
    return Ways(parties=reach.parties, members=members)


def own_members(call: Call) -> frozenset[str]:
    """Members who the caller is."""
    return call.caller.tied_to(Relation.SELF, call.at)


def sees_all(call: Call, reach: Reach, row: Indexed) -> bool:
    """Whether the caller may know where and for what; False for whoever reaches the row as a relative only."""
    return (
        reach.everything
        or not row.parties.isdisjoint(reach.parties)
        or (row.member in reach.members and row.member in own_members(call))
    )


def resource_of(call: Call, row: Indexed, *, owner: bool = False) -> Resource:
    """A row for `permit`; `owner`: only for the provider who billed it, as far as parties go."""
    parties = frozenset({row.provider} - {""}) if owner else row.parties
    return call.resource(parties=parties, members=frozenset({row.member} - {""}))


def filters_of(call: Call) -> Filters:
    """The filters of a list that are given. Raises `bad_request` for what is none."""
    since, until = day_of(call, "since"), day_of(call, "until")
    if since and until and until < since:
        raise Problem("bad_request", "the last day lies before the first", where="until")
    return Filters(member=word_of(call, "member"), party=word_of(call, "party"), since=since, until=until)


def fits(row: Indexed, filters: Filters) -> bool:
    """Whether the row is among what is asked for."""
    since, until = filters["since"], filters["until"]
    return (
        filters["member"] in ("", row.member)
        and (not filters["party"] or filters["party"] in row.parties)
        and (since is None or since <= row.day)
        and (until is None or row.day <= until)
    )


def word_of(call: Call, name: str) -> str:
    """A query parameter that holds an id; empty when it is not given."""
    word = call.query.get(name, "")
    if len(word) > _TEXT_MAX or (name in call.query and not word):
        raise Problem("bad_request", "an id has 1 to 200 characters", where=name)
    return word


def status_of(call: Call) -> str:
    """The `status` that a list is narrowed to; empty for all."""
    status = call.query.get("status", "")
    if "status" in call.query and status not in STATUSES:
        raise Problem("bad_request", f"a status is one of {', '.join(STATUSES)}", where="status")
    return status


def day_of(call: Call, name: str) -> date | None:
    """A query parameter that holds a day; None when it is not given."""
    if name not in call.query:
        return None
    try:
        return read_day(call.query[name])
    except InvalidMessage:
        raise Problem("bad_request", "a day is YYYY-MM-DD", where=name) from None


def before_of(call: Call) -> int:
    """The position before which this page of a list begins; 0 at the start."""
    place = call.place()
    return int(place[0]) if place else 0


def name_of(row: Indexed, prefix: str) -> str:
    """What the row is called: events and charges by their first row, whatever came later."""
    return row_name(prefix, row.first if prefix in ("evt", "chg") else row.position, row.key)


def visit_name(visit: str) -> str:
    """What a visit is called: a keyed hash already."""
    return f"vis_{encode(int(visit, 16))}"


def visit_of(name: str) -> str | None:
    """The visit inside a name; None when it is no name of a visit."""
    number = decode(name, "vis")
    return f"{number:032x}" if number is not None else None


def find_row(market: Market, name: str, prefix: str, *, care: bool = True) -> Looked | None:
    """The row with this name, from the journal itself; None when there is none. `care`: and it is about care."""
    place = position_of(name, prefix)
    found = market.index.look([place[0]]) if place else []
    for looked in found:
        # The whole name is compared, so that a position alone leads nowhere, and one row has one name.
        if name_of(looked.row, prefix) == name and (looked.row.kind in CARE or not care):
            return looked
    return None


def find_event(market: Market, name: str) -> Looked | None:
    """The newest row of the event with this name."""
    return find_events(market, [name]).get(name)


def find_events(market: Market, names: Collection[str]) -> dict[str, Looked]:
    """The newest row of each event that there is, by the name asked for."""
    places = [place[0] for name in names if (place := position_of(name, "evt"))]
    # The whole name is compared, as in `find_row`.
    firsts = {name_of(one.row, "evt"): one.row.key for one in market.index.look(places) if one.row.kind in CARE}
    there = [name for name in names if name in firsts]
    return dict(zip(there, newest_of(market, [firsts[name] for name in there]), strict=True))


def find_charge(market: Market, name: str) -> Looked | None:
    """The newest row of the charge with this name."""
    first = find_row(market, name, "chg")
    if first is None:
        return None
    newest = newest_of(market, [first.row.key])[0]
    return newest if newest.row.kind in CHARGES and newest.row.status in ANSWERED else None


def charge_of_path(call: Call, *, owner: bool = False) -> tuple[Looked, Reach]:
    """The charge of the path as it stands, and how far the caller reaches; `owner` as for `resource_of`."""
    call.reach()  # who may see none at all is told so before anything is looked up
    looked = find_charge(call.market, call.path["charge_id"])
    reach = call.permit(resource_of(call, looked.row, owner=owner) if looked is not None else None)
    assert looked is not None  # what is not there is never permitted
    return looked, reach


def newest_of(market: Market, keys: Sequence[bytes]) -> list[Looked]:
    """The newest row of each event, in the order asked; every one of them is here."""
    places = market.index.of_keys(keys)
    rows = {looked.row.key: looked for looked in market.index.look([places[key][-1] for key in keys if key in places])}
    if missing := [key for key in keys if key not in rows]:
        raise IntegrityError("the index names events that the journal does not have", where=f"{len(missing)} events")
    return [rows[key] for key in keys]


def names_of_keys(market: Market, keys: Collection[bytes]) -> Mapping[bytes, str]:
    """What events are called."""
    places = market.index.of_keys([key for key in keys if key])
    return {key: row_name("evt", found[0], key) for key, found in places.items()}


def receipts_of(market: Market, rows: Sequence[Looked], *, explain: bool = False) -> list[Shown | None]:
    """The receipts of rows, decided again together."""
    return shown_receipts([one.stored for one in rows], market.desk.books, explain=explain)


def instant(moment: datetime) -> str:
    """A time in an answer."""
    return write_instant(moment.astimezone(UTC))
