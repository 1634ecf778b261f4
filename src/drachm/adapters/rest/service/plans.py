"""Plans: what is published, and how the next version comes to be (`drafts.py`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.draft_shapes import (
    Document,
    PreviewOrder,
    PreviewView,
    Publication,
    Validation,
    VersionView,
)
from drachm.adapters.rest.service.drafts import (
    Shelf,
    asked_day,
    begin,
    chosen,
    draft_reply,
    permitted_draft,
    preview_of,
    published_by,
    rewrite,
    validation_of,
    version_view,
)
from drachm.adapters.rest.service.event_shape import Fact, Quantity
from drachm.adapters.rest.service.money_shapes import faulty
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Currency, Instant, Micros, Name, Page, Shape, View
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.draft_checks import ALWAYS, CaseResult, Wish, plan_cases
from drachm.application.money_reading import Published
from drachm.application.records import Record
from drachm.domain.benefits import load_plan
from drachm.domain.benefits.model import Line
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import UNIT
from drachm.domain.money import MAX_AMOUNT
from drachm.domain.periods import read_instant

Cost = Annotated[int, Meta(ge=0, le=MAX_AMOUNT, description="Micros of the plan's currency.")]
Words = Annotated[str, Meta(max_length=200)]


class PlanExpectation(Shape):
    """What a line shall come to; what is left out is not looked at. Micros of the plan's currency."""

    patient: Micros | None = None
    payers: Micros | None = None
    provider: Micros | None = None
    decision: Literal["covered", "denied", "self_pay"] | None = None
    reason: Words | None = None
    """Of the denial, or for which the line waits."""
    components: Annotated[dict[str, Micros], Meta(max_length=50)] = msgspec.field(default_factory=dict)
    """`deductible`, `copay`, `plan_paid` ..."""


class PlanCaseLine(Shape):
    """One line of care of a story."""

    cost: Cost
    at: Instant
    expect: PlanExpectation
    billed: Cost | None = None
    """Left out: the cost."""
    member: Words = "member"
    family: Words = ""
    policy: Words = ""
    visit: Words = ""
    admission: Words = ""
    quantity: Quantity = "1"
    facts: Annotated[dict[str, Fact], Meta(max_length=100)] = msgspec.field(default_factory=dict)


class PlanCase(Shape):
    """A test case: lines in order, from empty totals."""

    name: Name
    lines: Annotated[list[PlanCaseLine], Meta(min_length=1, max_length=100)]


Cases = Annotated[list[PlanCase], Meta(max_length=200)]


class PlanDraftOrder(Shape):
    """A plan document (docs/reference/plan-model.md) with its own test cases."""

    document: Document
    cases: Cases = msgspec.field(default_factory=list)


class PlanDraft(View):
    """The draft of a plan's next version."""

    plan_id: str
    payer: str
    written_by: str
    written_at: Moment | None
    document: dict[str, Any]
    cases: list[PlanCase]


class PlanListed(View):
    """A plan and its published versions, without their rules."""

    id: str
    title: str
    payer: str
    currency: Currency
    in_force: VersionView | None
    """Today (UTC), or on the day that the query names."""
    versions: list[VersionView]


class PlanView(View):
    """A published version of a plan with its clauses."""

    id: str
    title: str
    payer: str
    currency: Currency
    version: VersionView
    versions: list[VersionView]
    document: dict[str, Any]


def _owners(call: Call, name: str) -> frozenset[str]:
    payers = [one.payer for one in call.market.money.published("plan") if one.id == name]
    return frozenset(payers[-1:])


def _cases(call: Call, record: Record) -> list[CaseResult]:
    stories = msgspec.convert(record.body["cases"], list[PlanCase])
    plan = load_plan({**record.body["document"], "effective": ALWAYS})
    told = [
        (story.name, [_line(story.name, number, line) for number, line in enumerate(story.lines)]) for story in stories
    ]
    return plan_cases(plan, told)


SHELF = Shelf("plan", "plan_draft", "plan_id", _owners, _cases)


@operation("list_plans", answer=Page[PlanListed], query={"on": "Which version is in force on this day."})
def list_plans(call: Call) -> Page[PlanListed]:
    """Published plans in order of id."""
    call.reach()
    asked_day(call)
    limit, after = call.limit(), str(next(iter(call.place()), ""))
    versions: dict[str, list[Published]] = {}
    for one in call.market.money.published("plan"):
        if one.id > after:
            versions.setdefault(one.id, []).append(one)
    shown = sorted(versions)[:limit]
    more = call.cursor([shown[-1]]) if len(versions) > limit else None
    return Page(data=[_listed(call, versions[name]) for name in shown], next=more)


@operation("draft_plan", body=PlanDraftOrder, answer=PlanDraft, status=201, tagged=True)
def draft_plan(call: Call) -> Reply:
    """Begin a plan, or the next version of one. Raises Denied unless its payer is the caller's own party."""
    body: PlanDraftOrder = call.body
    call.reach()
    _times(body.cases)
    record = begin(call, SHELF, _payer(body.document), body.document, body.cases)
    return draft_reply(SHELF, record, _draft(record), 201)


@operation(
    "get_plan",
    answer=PlanView,
    tagged=True,
    query={"version": "This version.", "on": "The version in force on this day; today without both."},
)
def get_plan(call: Call) -> Reply:
    """One published version: today's, else the newest, else the one that is asked for."""
    name = call.path["plan_id"]
    versions = [one for one in call.market.money.published("plan") if one.id == name]
    call.permit(call.resource(name) if versions else None)
    one = chosen(call, versions)
    document = call.market.money.document(one.hash) if one is not None else None
    if one is None or document is None:
        raise Problem("not_found")
    view = PlanView(
        id=one.id,
        title=one.title,
        payer=one.payer,
        currency=one.currency,
        version=version_view(one),
        versions=[version_view(each) for each in versions],
        document=dict(document),
    )
    return Reply(view, tag=("plan", one.hash, len(versions)))


@operation("get_plan_draft", answer=PlanDraft, tagged=True)
def get_plan_draft(call: Call) -> Reply:
    """The draft, as it was written last."""
    record = permitted_draft(call, SHELF)
    return draft_reply(SHELF, record, _draft(record))


@operation("replace_plan_draft", body=PlanDraftOrder, answer=PlanDraft, tagged=True)
def replace_plan_draft(call: Call) -> Reply:
    """Write the draft: If-Match names the one it takes the place of; without one it begins the next version."""
    body: PlanDraftOrder = call.body
    call.reach()
    _times(body.cases)
    record = rewrite(call, SHELF, _payer(body.document), body.document, body.cases)
    return draft_reply(SHELF, record, _draft(record))


@operation("validate_plan", answer=Validation)
def validate_plan(call: Call) -> Validation:
    """Every check that publishing makes, and the draft's own test cases."""
    return validation_of(call, SHELF, permitted_draft(call, SHELF))


@operation("preview_plan", body=PreviewOrder, answer=PreviewView)
def preview_plan(call: Call) -> PreviewView:
    """Past charges under the draft; costs a decision for each charge that is looked at."""
    return preview_of(call, SHELF, permitted_draft(call, SHELF))


@operation("publish_plan", body=Publication, answer=PlanView, tagged=True)
def publish_plan(call: Call) -> Reply:
    """Publish the version that If-Match names. Nobody who wrote at the draft may do it."""
    record = permitted_draft(call, SHELF)
    published = published_by(call, SHELF, record)
    versions = [one for one in call.market.money.published("plan") if one.id == record.id]
    one = next(one for one in versions if one.hash == published)
    view = PlanView(
        id=one.id,
        title=one.title,
        payer=one.payer,
        currency=one.currency,
        version=version_view(one),
        versions=[version_view(each) for each in versions],
        document=dict(call.market.money.document(published) or {}),
    )
    return Reply(view, tag=("plan", one.hash, len(versions)))


def _payer(document: dict[str, Any]) -> str:
    payer = document.get("payer")
    return payer if isinstance(payer, str) else ""


def _draft(record: Record) -> PlanDraft:
    return PlanDraft(
        plan_id=record.id,
        payer=next(iter(record.parties), ""),
        written_by=record.author,
        written_at=record.at,
        document=dict(record.body["document"]),
        cases=msgspec.convert(record.body["cases"], list[PlanCase]),
    )


def _listed(call: Call, versions: list[Published]) -> PlanListed:
    newest = versions[-1]
    day = call.query.get("on")
    now = chosen(call, versions)
    in_force = now if now is not None and (day is not None or now.holds(call.at.date())) else None
    return PlanListed(
        id=newest.id,
        title=newest.title,
        payer=newest.payer,
        currency=newest.currency,
        in_force=version_view(in_force) if in_force else None,
        versions=[version_view(one) for one in versions],
    )


def _times(cases: list[PlanCase]) -> None:
    """Refuse a time that is none before the draft is kept."""
    for place, case in enumerate(cases):
        for number, line in enumerate(case.lines):
            _at(line, f"/cases/{place}/lines/{number}/at")


def _at(line: PlanCaseLine, pointer: str = "/at") -> datetime:
    try:
        return read_instant(line.at).astimezone(UTC)
    except InvalidMessage as error:
        raise faulty(pointer, error.message) from None


def _line(story: str, number: int, line: PlanCaseLine) -> tuple[Line, Wish]:
    whole, _, part = line.quantity.partition(".")
    asked = Line(
        id=f"{story}/{number}",
        billed=line.cost if line.billed is None else line.billed,
        cost=line.cost,
        at=_at(line),
        member=line.member,
        family=line.family,
        policy=line.policy,
        visit=line.visit,
        admission=line.admission,
        quantity=int(whole) * UNIT + int(part.ljust(6, "0")[:6] or 0),
        facts=line.facts,
    )
    want = line.expect
    wish = Wish(want.patient, want.payers, want.provider, None, want.decision, want.reason, want.components)
    return asked, wish
