"""Price books and plans on pages: what holds, the draft of what follows, its faults, its effect, and going live.

One page for both kinds: a list of lines (prices, or rules in their order), a form for the chosen line made from what it
holds, the whole as JSON for experts. A draft is written by one person and published by another.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from drachm.adapters.rest.service import document_case
from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.desk_document_views import BOOKS, RULES, Room, lines_of, number, preview_of
from drachm.adapters.rest.service.desk_frame import Seat, desk, named, typed_money, unreadable
from drachm.adapters.rest.service.document_fields import Field, at, fields_of, rewritten
from drachm.adapters.rest.service.drafts import open_draft, tag_of
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.speech import gettext
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.versions import etag
from drachm.domain.errors import DrachmError

FORM_BYTES: Final = 400_000
"""A whole document fits into a form."""
_FIELDS: Final = ("system", "code", "display", "amount", "step", "json", "day", "version", "cost", "month")

_QUERY: Final = {
    "line": "Which line is edited, from 0.",
    "from": "How many lines to pass over.",
    "find": "Only lines that hold this word.",
    "month": "Try the draft on this month, YYYY-MM.",
}


def _declare(room: Room) -> None:
    one = f"desk_{room.kind}"

    @desk(f"open_{one}s")
    def open_list(seat: Seat) -> Reply:
        """What is published, and what is drafted."""
        seat.call.reach()
        return _list_page(seat, room)

    @desk(f"open_{one}", query=_QUERY)
    def open_one(seat: Seat) -> Reply:
        """One document: its draft, else what holds."""
        return _page(seat, room)

    @desk(f"write_{one}", form=True, form_bytes=FORM_BYTES)
    def write(seat: Seat) -> Reply:
        """Change the draft, begin one, or try a case on it."""
        try:
            _permitted(seat, room)
            return _written(seat, room)
        except DrachmError as error:
            return _page(seat, room, trouble_of(error, seat.call, *_FIELDS))

    @desk(f"publish_{one}", form=True)
    def publish(seat: Seat) -> Reply:
        """Let the draft hold from a day on."""
        name, form = seat.call.path[room.shelf.path], seat.call.form
        try:
            _permitted(seat, room)
            body = {"from": form.get("day", "").strip()}
            seat.matching(form.get("tag") or None).ask(f"publish_{room.kind}", {room.shelf.path: name}, body=body)
        except DrachmError as error:
            return _page(seat, room, trouble_of(error, seat.call, *_FIELDS))
        return sent_on(seat.call, room.place(name))


def _permitted(seat: Seat, room: Room) -> None:
    """The page's own row of the policy, besides those of the calls that it asks."""
    name = seat.call.path[room.shelf.path]
    record = open_draft(seat.call, room.shelf, name)
    parties = record.parties if record is not None else room.shelf.owners(seat.call, name)
    maker = record.author if record is not None else ""
    seat.call.permit(seat.call.resource(name, parties=parties, maker=maker))


def _list_page(seat: Seat, room: Room) -> Reply:
    published = seat.ask_all(f"list_{room.kind}s", most=1_000)
    known = {one.id for one in published}
    drafts = {}
    if seat.may(f"get_{room.kind}_draft"):
        reach = seat.asking(f"get_{room.kind}_draft").reach()
        parties = None if reach.everything else reach.parties
        found = seat.call.market.records.find(room.shelf.record, parties=parties)
        drafts = {one.id: one for one in found if one.body["state"] == "draft"}
    fresh = [one for one in drafts.values() if one.id not in known]
    return seat.page("desk_documents.html", tab=room.tab, room=room, published=published, drafts=drafts, fresh=fresh)


def _page(seat: Seat, room: Room, trouble: Trouble | None = None, tried: Any = None) -> Reply:
    name = seat.call.path[room.shelf.path]
    path = {room.shelf.path: name}
    live, draft = _asked(seat, f"get_{room.kind}", path), _asked(seat, f"get_{room.kind}_draft", path)
    if live is None and draft is None:
        raise Problem("not_found")
    if seat.call.operation.startswith("open_"):
        _read_permit(seat, room, name)
    record = open_draft(seat.call, room.shelf, name) if draft is not None else None
    document = dict((draft or live).document)
    currency = str(document.get("currency", ""))
    writer = f"write_desk_{room.kind}"
    can_write = _may_write(seat, room, name, writer)
    check = seat.ask(f"validate_{room.kind}", path) if draft is not None and seat.may(f"validate_{room.kind}") else None
    faults = {fault.pointer: fault.detail for fault in check.faults} if check is not None else {}
    before = live.document.get(room.lines, []) if live is not None and draft is not None else None
    rows, whole = lines_of(seat, room, document, before, currency, faults)
    chosen = number(seat.call.form.get("line") or seat.call.query.get("line", ""))
    lines = document.get(room.lines)
    fields: list[Field] = []
    if chosen is not None and isinstance(lines, list) and chosen < len(lines) and draft is not None:
        fields = fields_of(document, f"/{room.lines}/{chosen}", currency)
    preview, month = preview_of(seat, room, path) if draft is not None else (None, "")
    maker = record.author == seat.call.caller.subject if record is not None else False
    form = seat.call.form
    clause = lines[chosen].get("clause", "") if fields and isinstance(lines, list) and chosen is not None else ""
    return seat.page(
        "desk_document.html",
        tab=room.tab,
        room=room,
        name=name,
        document=document,
        title=document.get("title") or name,
        live=live,
        draft=draft,
        author=named(record.author) if record is not None else "",
        written=seat.here(record.at) if record is not None and record.at else None,
        tag=etag(tag_of(room.shelf, name), record.version) if record is not None else "",
        rows=rows,
        whole=whole,
        first=number(seat.call.query.get("from", "")) or 0,
        find=seat.call.query.get("find", ""),
        chosen=chosen if fields else None,
        fields=[(field, form.get(field.pointer, field.value), faults.get(field.pointer, "")) for field in fields],
        clause=clause,
        sentence=form.get("sentence", (document.get("text") or {}).get(clause, "")) if clause else "",
        check=check,
        can_write=can_write,
        can_publish=draft is not None and seat.may(f"publish_desk_{room.kind}"),
        maker=maker,
        next_version=f"{live.version.version}-next" if live is not None else "",
        json=json.dumps(document, ensure_ascii=False, indent=1),
        form={name: form.get(name, "") for name in _FIELDS},
        day=form.get("day") or (seat.call.at.date() + timedelta(days=1)).isoformat(),
        month=month,
        preview=preview,
        asked=document_case.asked(document, form) if room is RULES and draft is not None else [],
        cost=form.get("cost", "50.00"),
        tried=tried,
        trouble=trouble,
    )


def _asked(seat: Seat, name: str, path: Mapping[str, str]) -> Any:
    try:
        return seat.ask(name, path)
    except DrachmError:
        return None


def _read_permit(seat: Seat, room: Room, name: str) -> None:
    """Whoever may read it by the interface has a party in common with it, or it is no secret."""
    reach = seat.asking(f"get_{room.kind}").reach()
    seat.call.permit(seat.call.resource(name, parties=reach.parties or seat.call.caller.parties))


def _may_write(seat: Seat, room: Room, name: str, writer: str) -> bool:
    if not seat.may(writer):
        return False
    record = seat.call.market.records.get(room.shelf.record, name)
    parties = record.parties if record is not None else room.shelf.owners(seat.call, name)
    return bool(parties & seat.call.caller.parties)


def _written(seat: Seat, room: Room) -> Reply:
    name, form = seat.call.path[room.shelf.path], seat.call.form
    record = open_draft(seat.call, room.shelf, name)
    do = form.get("do", "")
    if do == "begin" and record is None:
        live = seat.ask(f"get_{room.kind}", {room.shelf.path: name})
        document = {key: value for key, value in live.document.items() if key != "effective"}
        _keep(seat, room, {**document, "version": form.get("version", "").strip()}, [], None)
        return sent_on(seat.call, room.place(name))
    if record is None:
        raise Problem("not_found")
    before = copy.deepcopy(dict(record.body["document"]))
    if do == "try" and room is RULES:
        live = _asked(seat, f"get_{room.kind}", {room.shelf.path: name})
        cost = typed_money(form, "cost", str(before.get("currency", "")))["micros"]
        tried = document_case.tried(live.document if live is not None else None, before, cost, seat.call.at, form)
        return _page(seat, room, tried=tried)
    document = _changed(room, do, before, form)
    _keep(seat, room, document, record.body["cases"], form.get("tag") or None)
    again = f"?line={form['line']}#edit" if do == "set" and (form.get("line") or "").isdigit() else ""
    return sent_on(seat.call, room.place(name) + again)


def _changed(room: Room, do: str, document: dict[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """The draft after one step of editing. Raises InvalidMessage."""
    currency = str(document.get("currency", ""))
    lines = document.setdefault(room.lines, [])
    line = number(form.get("line", ""))
    try:
        if do == "json":
            found = msgspec.json.decode(form.get("json", ""))
            if not isinstance(found, dict):
                raise unreadable(gettext("The document is one JSON object."), "json")
            return found
        if do == "add" and room is BOOKS:
            lines.append(_new_price(form, currency))
            return document
        if do == "add":
            step = msgspec.json.decode(form.get("step", ""))
            if not isinstance(step, dict):
                raise unreadable(gettext("A rule is one JSON object."), "step")
            lines.append(step)
            return document
    except msgspec.DecodeError as error:
        raise unreadable(gettext("This is no JSON: {error}").format(error=error)) from None
    if line is None or line >= len(lines):
        raise unreadable(gettext("This line is not there any more. Open the page again."))
    if do == "set":
        changed: dict[str, Any] = rewritten(
            document, fields_of(document, f"/{room.lines}/{line}", currency), form, currency
        )
        clause = str(at(changed, f"/{room.lines}/{line}").get("clause", "")) if room is RULES else ""
        if clause and form.get("sentence", "").strip():
            changed["text"] = {**(changed.get("text") or {}), clause: form["sentence"].strip()}
        return changed
    if do == "remove":
        del lines[line]
    elif do in ("up", "down"):
        other = line + (1 if do == "down" else -1)
        if 0 <= other < len(lines):
            lines[line], lines[other] = lines[other], lines[line]
    else:
        raise unreadable(gettext("This form is not whole. Open the page again."))
    return document


def _new_price(form: Mapping[str, str], currency: str) -> dict[str, Any]:
    system, code, display = (form.get(name, "").strip() for name in ("system", "code", "display"))
    if not system or not code:
        raise unreadable(gettext("A price needs a code system and a code."), "code" if system else "system")
    amount = typed_money(form, "amount", currency)["micros"]
    item: dict[str, Any] = {"system": system, "code": code, "rule": {"kind": "fixed", "amount": amount}}
    return {**item, "display": display} if display else item


def _keep(seat: Seat, room: Room, document: Mapping[str, Any], cases: Any, tag: str | None) -> None:
    """Write the draft as the interface does; `tag`: the version that the page showed."""
    name = seat.call.path[room.shelf.path]
    body: dict[str, Any] = {"document": dict(document), "cases": msgspec.to_builtins(cases)}
    if room is BOOKS:
        record = seat.call.market.records.get(room.shelf.record, name)
        owners = record.parties if record is not None else room.shelf.owners(seat.call, name)
        body["owner"] = next(iter(sorted(owners)), "")
    seat.matching(tag).ask(f"replace_{room.kind}_draft", {room.shelf.path: name}, body=body)


for _room in (BOOKS, RULES):
    _declare(_room)
