"""How does a plan or a price book come to be: drafted by one person, checked, tried on the past, published by another?

Drafts are records: every version is kept, with whoever wrote it. Whoever wrote any version since the last publication
may not publish. What is published is exactly the version that If-Match names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import msgspec

from drachm.adapters.rest.service.call import Call, Reply
from drachm.adapters.rest.service.draft_shapes import (
    CaseDifference,
    CaseView,
    FaultView,
    PreviewChange,
    PreviewOrder,
    PreviewSums,
    PreviewView,
    Publication,
    Validation,
    VersionView,
)
from drachm.adapters.rest.service.money_shapes import day_of, faulty, sum_of
from drachm.adapters.rest.transport.problems import Fault, Problem, pointer_of
from drachm.application.draft_checks import ALWAYS, CaseResult, DraftFault, faults_of
from drachm.application.money_reading import Published
from drachm.application.preview import Sums, preview
from drachm.application.records import Record
from drachm.domain.canonical import canonical_bytes
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.periods import read_day

_INT8: Final = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is different between plans and price books."""

    kind: Literal["plan", "price_book"]
    record: str
    path: str
    """Name of the path's parameter."""
    owners: Callable[[Call, str], frozenset[str]]
    """Who may draft the next version of something published; empty: nobody can be told."""
    cases: Callable[[Call, Record], list[CaseResult]]


def permitted_draft(call: Call, shelf: Shelf) -> Record:
    """The draft of the path, if there is one and the caller may do this with it."""
    name = call.path[shelf.path]
    record = open_draft(call, shelf, name)
    if record is None:
        call.permit(None)
        raise Problem("not_found")
    call.permit(call.resource(name, parties=record.parties, maker=_maker(call, shelf, record)))
    return record


def open_draft(call: Call, shelf: Shelf, name: str) -> Record | None:
    """The draft of this name that is not published yet."""
    record = call.market.records.get(shelf.record, name) if name and len(name) <= 200 else None
    return record if record is not None and record.body["state"] == "draft" else None


def begin(call: Call, shelf: Shelf, owner: str, document: Mapping[str, Any], cases: Sequence[Any]) -> Record:
    """Keep a new draft. Raises Denied unless the caller acts for its owner, Conflict when there is one."""
    call.reach()
    if not owner:
        raise faulty("/document/payer" if shelf.kind == "plan" else "/owner", "say whose it is: a party's id")
    name = _id_of(document)
    _storable(document)
    known = call.market.records.get(shelf.record, name)
    others = known.parties if known is not None else shelf.owners(call, name) if _published(call, shelf, name) else None
    if others == frozenset():
        # Published by the operator, and agreed on by several: none of them may change it alone.
        call.permit(call.resource(name, parties=frozenset({"", owner})))
    call.permit(call.resource(name, parties=frozenset({owner}) | (others or frozenset())))
    if known is not None and known.body["state"] == "draft":
        raise Conflict(
            "there is a draft of this id already", where=name, next_step="Read the draft, and write it with If-Match."
        )
    return _keep(call, shelf, name, owner, document, cases, known.version if known is not None else 0)


def rewrite(call: Call, shelf: Shelf, owner: str, document: Mapping[str, Any], cases: Sequence[Any]) -> Record:
    """Write the draft of the path: the one that If-Match names, or the first draft of what is published."""
    name = call.path[shelf.path]
    record = open_draft(call, shelf, name)
    if record is not None:
        call.permit(call.resource(name, parties=record.parties))
        call.require_version(tag_of(shelf, name), record.version)
        version, parties = record.version, record.parties
    else:
        closed = call.market.records.get(shelf.record, name) if len(name) <= 200 else None
        parties = closed.parties if closed is not None else shelf.owners(call, name)
        if not parties or not (closed or _published(call, shelf, name)):
            call.permit(None)
            raise Problem("not_found")
        call.permit(call.resource(name, parties=parties))
        if call.if_match is not None:
            raise Problem("precondition_failed")
        version = closed.version if closed is not None else 0
    if _id_of(document) != name:
        raise faulty("/document/id", "the document has another id than the address")
    _storable(document)
    if owner and frozenset({owner}) != parties:
        raise faulty("/document/payer" if shelf.kind == "plan" else "/owner", "it stays with the party it belongs to")
    return _keep(call, shelf, name, next(iter(sorted(parties))), document, cases, version)


def _keep(
    call: Call, shelf: Shelf, name: str, owner: str, document: Mapping[str, Any], cases: Sequence[Any], version: int
) -> Record:
    body = {"state": "draft", "document": dict(document), "cases": msgspec.to_builtins(cases)}
    record = Record(
        shelf.record, name, body, version, parties=frozenset({owner}), author=call.caller.subject, at=call.at
    )
    try:
        [kept] = call.market.records.put([record])
    except Conflict:
        raise Problem("precondition_failed") from None
    return kept


def validation_of(call: Call, shelf: Shelf, record: Record) -> Validation:
    """Every check of the draft."""
    faults = _faults(call, shelf, record.body["document"])
    own = [fault for fault in faults if fault.code not in ("version_published", "days_overlap")]
    results = [] if own else shelf.cases(call, record)
    cases = [_case(one) for one in results]
    return Validation(
        valid=not faults and all(one.passed for one in cases), faults=[_fault(one) for one in faults], cases=cases
    )


def preview_of(call: Call, shelf: Shelf, record: Record) -> PreviewView:
    """Past charges under the draft."""
    body: PreviewOrder = call.body
    since, until = day_of(body.from_, "/from"), day_of(body.until, "/until")
    if until <= since:
        raise faulty("/until", "the period ends before it begins; `until` is the day after the last")
    market, [party] = call.market, sorted(record.parties)[:1]
    _ensure_readable(call, shelf, record)
    found = preview(
        shelf.kind,
        record.body["document"],
        since,
        until,
        market.desk.books,
        market.money,
        market.index,
        party=party,
        most=body.most,
    )
    changes = [
        PreviewChange(
            currency=currency,
            before=_sums(found.before[currency], currency),
            after=_sums(found.after[currency], currency),
        )
        for currency in sorted(found.before)
    ]
    return PreviewView(
        from_=body.from_,
        until=body.until,
        looked_at=found.looked_at,
        more=found.more,
        erased=found.erased,
        decided=0 if found.withheld else found.decided,
        changed=0 if found.withheld else found.changed,
        undecided={} if found.withheld else dict(found.undecided),
        withheld=found.withheld,
        sums=[] if found.withheld else changes,
    )


def published_by(call: Call, shelf: Shelf, record: Record) -> str:
    """Publish the draft; its content hash. Raises `draft_not_ready` with every fault."""
    body: Publication = call.body
    call.require_version(tag_of(shelf, record.id), record.version)
    since, until = day_of(body.from_, "/from"), day_of(body.until, "/until") if body.until else None
    if until is not None and until <= since:
        raise faulty("/until", "it ends before it begins; `until` is the day after the last")
    effective = {"from": since.isoformat()} | ({"until": until.isoformat()} if until else {})
    document = {**record.body["document"], "effective": effective}
    faults = _faults(call, shelf, document)
    _refuse(faults)
    failed = [one for one in shelf.cases(call, record) if one.differences]
    if failed:
        told = f"{len(failed)} lines of the draft's own test cases come out otherwise"
        raise Problem("draft_not_ready", told)
    published = call.market.desk.books.publish(shelf.kind, document)
    done = {
        **record.body,
        "state": "published",
        "document": document,
        "hash": published,
        "published_by": call.caller.subject,
    }
    finished = Record(
        shelf.record, record.id, done, record.version, parties=record.parties, author=call.caller.subject, at=call.at
    )
    # Where somebody wrote a newer draft in between, it stays, for the next version.
    with suppress(Conflict):
        call.market.records.put([finished])
    return published


def draft_reply(shelf: Shelf, record: Record, value: Any, status: int = 0) -> Reply:
    """A draft's view with its tag."""
    return Reply(value, status, tag=(tag_of(shelf, record.id), record.version))


def tag_of(shelf: Shelf, name: str) -> str:
    """The name of a draft in its ETag."""
    return f"{shelf.record} {name}"


def version_view(one: Published) -> VersionView:
    """A published version for an answer."""
    return VersionView(
        version=one.version,
        hash=one.hash,
        from_=one.starts.isoformat(),
        until=one.ends.isoformat() if one.ends else None,
        superseded_by=one.superseded_by or None,
        published_at=one.published_at,
    )


def asked_day(call: Call) -> date | None:
    """The day that the query names. Raises `bad_request` for one that does not exist."""
    try:
        return read_day(call.query["on"]) if "on" in call.query else None
    except InvalidMessage:
        raise Problem("bad_request", "a day is YYYY-MM-DD", where="on") from None


def chosen(call: Call, versions: Sequence[Published]) -> Published | None:
    """The version that the query asks for: by name, in force on a day, today; else the newest."""
    version, day = call.query.get("version"), asked_day(call)
    if version is not None:
        return next((one for one in versions if one.version == version), None)
    on = day if day is not None else call.at.date()
    fitting = next((one for one in versions if one.holds(on)), None)
    return fitting if fitting is not None or day is not None else next(iter(versions[::-1]), None)


def _maker(call: Call, shelf: Shelf, record: Record) -> str:
    """Whoever must not be the second person: the caller, having written any version since the last publication."""
    writers: set[str] = set()
    for one in call.market.records.history(shelf.record, record.id):
        if one.body.get("state") == "published":
            writers.clear()
        else:
            writers.add(one.author)
    return call.caller.subject if call.caller.subject in writers else record.author


def _published(call: Call, shelf: Shelf, name: str) -> bool:
    return any(one.id == name for one in call.market.money.published(shelf.kind))


def _faults(call: Call, shelf: Shelf, document: Mapping[str, Any]) -> list[DraftFault]:
    undated = "effective" not in document
    whole = {**document, "effective": ALWAYS} if undated else document
    money = call.market.money
    faults = faults_of(shelf.kind, whole, money.published(shelf.kind), money)
    return [fault for fault in faults if not undated or fault.code != "days_overlap"]


def _ensure_readable(call: Call, shelf: Shelf, record: Record) -> None:
    document = {**record.body["document"], "effective": ALWAYS}
    faults = faults_of(shelf.kind, document, (), call.market.money)
    _refuse(faults)


def _refuse(faults: Sequence[DraftFault]) -> None:
    if faults:
        places = [Fault(_pointer(fault), "draft_not_ready", fault.message) for fault in faults]
        raise Problem("draft_not_ready", faults=places)


def _pointer(fault: DraftFault) -> str:
    return pointer_of(fault.where if "$" in fault.where else f"$.{fault.where}")


def _fault(fault: DraftFault) -> FaultView:
    return FaultView(pointer=_pointer(fault), code=fault.code, detail=fault.message, next_step=fault.next_step)


def _case(one: CaseResult) -> CaseView:
    differences = [CaseDifference(what=what, expected=want, found=got) for what, want, got in one.differences]
    return CaseView(case=one.case, line=one.line, passed=not differences, differences=differences)


def _sums(one: Sums, currency: str) -> PreviewSums:
    amounts = {name: sum_of(getattr(one, name), currency) for name in ("billed", "allowed", "payers", "patient")}
    return PreviewSums(**amounts, provider=sum_of(one.provider, currency), denied=one.denied)


def _id_of(document: Mapping[str, Any]) -> str:
    name = document.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= 200 or not all(c.isalnum() or c in "._-" for c in name):
        raise faulty("/document/id", "an id of letters, digits, '.', '_' and '-' is needed")
    if not name.isascii():
        raise faulty("/document/id", "an id holds ASCII letters only")
    return name


def _storable(document: Mapping[str, Any]) -> None:
    """Refuse what no document can hold, with its place: fractions, and numbers beyond 64 bits."""
    try:
        canonical_bytes(document)
    except InvalidMessage as error:
        raise faulty("/document" + pointer_of(error.where), error.message) from None
    _whole(document, "/document")


def _whole(value: Any, pointer: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _whole(item, f"{pointer}/{key}" if key.isidentifier() else f"{pointer}/*")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _whole(item, f"{pointer}/{index}")
    elif isinstance(value, int) and value not in _INT8:
        raise faulty(pointer, "the number has more than 64 bits")
