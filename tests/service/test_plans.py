"""Plans and price books: drafted, checked, tried on the past, published by a second person from a date on."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.events.model import Code
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

ALWAYS = Period(date(2000, 1, 1))

DRAFT: dict[str, Any] = {
    "id": "new-plan",
    "version": "1",
    "title": "New plan",
    "payer": "town-insurance",
    "currency": "USD",
    "zone": "America/New_York",
    "facts": {"category": {"type": "text", "default": "other"}},
    "accumulators": [
        {"id": "deductible", "scope": "person", "period": "benefit_year", "feeds": [{"of": "deductible"}]}
    ],
    "steps": [
        {"id": "deductible", "kind": "deductible", "clause": "1",
         "limits": [{"accumulator": "deductible", "limit": 20 * MICROS}]},
        {"id": "share", "kind": "coinsurance", "ppm": 500_000, "clause": "2"},
    ],
    "text": {"1": "The first 20 dollars of a year are yours."},
}  # fmt: skip
CASE = {
    "name": "two visits of a year",
    "lines": [
        {"cost": 15 * MICROS, "at": "2027-02-01T12:00:00Z", "expect": {"patient": 15 * MICROS, "payers": 0}},
        {"cost": 15 * MICROS, "at": "2027-03-01T12:00:00Z",
         "expect": {"patient": 10 * MICROS, "components": {"deductible": 5 * MICROS}}},
    ],
}  # fmt: skip
BOOK: dict[str, Any] = {
    "id": "clinic-book",
    "version": "1",
    "currency": "USD",
    "zone": "America/New_York",
    "items": [{"system": "local", "code": "visit", "rule": {"kind": "fixed", "amount": 30 * MICROS}}],
}


def changed(document: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(document), **fields}


@pytest.fixture
def authors(town):
    return town.price_editor(subject="ada"), town.price_editor(subject="bob")


def drafted(ask, author, document=DRAFT, **more: Any):
    answer = ask("draft_plan", author, body={"document": document, **more})
    assert answer.status == 201, answer.body
    return answer


NEW = {"plan_id": "new-plan"}


def test_from_draft_to_care_that_is_cleared_under_it(town, ask, authors) -> None:
    ada, bob = authors
    draft = drafted(ask, ada, cases=[CASE])
    assert draft.body["document"] == DRAFT
    checked = ask("validate_plan", ada, path=NEW).body
    assert (checked["valid"], checked["faults"], [one["passed"] for one in checked["cases"]]) == (
        True,
        [],
        [True, True],
    )
    days = {"from": "2026-01-01", "until": "2027-01-01"}
    own = ask("publish_plan", ada, path=NEW, body=days, if_match=draft.etag)
    assert own.code == "second_person_required"
    assert ask("publish_plan", bob, path=NEW, body=days).code == "precondition_required"
    done = ask("publish_plan", bob, path=NEW, body=days, if_match=draft.etag)
    assert done.status == 200, done.body
    assert (done.body["version"]["from"], done.body["version"]["until"]) == ("2026-01-01", "2027-01-01")
    town.desk.books.enrol(coverages=[Coverage("c-cleo", "cleo", "new-plan", ALWAYS)])
    [outcome] = town.clear(town.event("e", 40, member="cleo"))
    assert outcome.decision.adjudication.patient_responsibility == 30 * MICROS
    assert outcome.decision.adjudication.decided_by == (done.body["version"]["hash"],)
    shown = ask("get_plan", town.patient("ana"), path=NEW)
    assert shown.body["document"]["text"] == DRAFT["text"]
    assert ask("get_plan", town.nobody(), path=NEW).code == "unauthenticated"
    same = ask("get_plan", town.clerk(), path=NEW, if_none_match=shown.etag)
    assert same.status == 304
    # The draft is done; the next version begins anew, and does not find room where it would take nothing over.
    assert ask("get_plan_draft", ada, path=NEW).status == 404
    again = ask("replace_plan_draft", ada, path=NEW, body={"document": changed(DRAFT, version="2")})
    assert again.status == 200
    for wrong in ({"from": "2026-01-01"}, {"from": "2025-06-01"}, {"from": "2026-06-01", "until": "2026-07-01"}):
        crowded = ask("publish_plan", bob, path=NEW, body=wrong, if_match=again.etag)
        assert (crowded.code, crowded.body["errors"][0]["pointer"]) == ("draft_not_ready", "/effective")
    fits = {"from": "2027-01-01"}
    assert ask("publish_plan", bob, path=NEW, body=fits, if_match=again.etag).status == 200
    versions = ask("get_plan", bob, path=NEW, query={"on": "2027-05-05"}).body
    assert (versions["version"]["version"], len(versions["versions"])) == ("2", 2)
    assert ask("get_plan", bob, path=NEW, query={"version": "1"}).body["version"]["version"] == "1"
    assert ask("get_plan", bob, path=NEW, query={"version": "9"}).status == 404
    listed = {one["id"]: one for one in ask("list_plans", town.patient("ana")).body["data"]}
    assert listed["new-plan"]["in_force"]["version"] == "1"
    assert list(listed) == ["new-plan", "town-help", "town-plan"]


def test_the_next_version_takes_over_from_one_without_an_end(town, ask, authors) -> None:
    ada, bob = authors
    first = drafted(ask, ada)
    assert ask("publish_plan", bob, path=NEW, body={"from": "2026-01-01"}, if_match=first.etag).status == 200
    town.desk.books.enrol(coverages=[Coverage("c-cleo", "cleo", "new-plan", ALWAYS)])
    before = ask("get_plan", bob, path=NEW)
    assert (before.body["version"]["until"], before.body["version"]["superseded_by"]) == (None, None)
    gentler = changed(DRAFT, version="2")
    gentler["steps"][1]["ppm"] = 100_000
    second = ask("replace_plan_draft", ada, path=NEW, body={"document": gentler})
    assert ask("validate_plan", ada, path=NEW).body["valid"] is True
    done = ask("publish_plan", bob, path=NEW, body={"from": "2026-03-10"}, if_match=second.etag)
    assert done.status == 200, done.body
    assert [(one["version"], one["from"], one["until"], one["superseded_by"]) for one in done.body["versions"]] == [
        ("1", "2026-01-01", "2026-03-10", "2"),
        ("2", "2026-03-10", None, None),
    ]
    # What was read before is not what is there now.
    assert ask("get_plan", bob, path=NEW, query={"version": "1"}, if_none_match=before.etag).status == 200
    for day, version, until in (("2026-03-09", "1", "2026-03-10"), ("2026-03-10", "2", None)):
        shown = ask("get_plan", bob, path=NEW, query={"on": day}).body["version"]
        assert (shown["version"], shown["until"]) == (version, until)
        listed = {one["id"]: one for one in ask("list_plans", bob, query={"on": day}).body["data"]}
        assert listed["new-plan"]["in_force"] == shown
        found = ask("check_eligibility", town.clerk(), body={"member": "cleo", "provider": "clinic", "on": day})
        [cover] = found.body["coverages"]
        assert (cover["plan"]["version"], cover["plan"]["until"]) == (version, until)
    early, late = town.event("e1", 40, member="cleo", visit="v1"), town.event("e2", 40, member="cleo", visit="v2")
    early = replace(early, started_at=early.started_at - timedelta(days=1))
    asked = [town.clear(one)[0].decision.adjudication.patient_responsibility // MICROS for one in (late, early)]
    assert asked == [20 + 2, 20]


def test_a_price_book_takes_over_from_one_without_an_end(town, ask) -> None:
    town.desk.books.publish("price_book", changed(BOOK, id="alone", effective={"from": "2025-01-01"}))
    town.desk.books.enrol(contracts=[Contract("clinic", "town-insurance", "alone", ALWAYS)])
    ada, bob = (town.price_editor("clinic", subject=name) for name in ("ada", "bob"))
    dearer = changed(BOOK, id="alone", version="2")
    dearer["items"][0]["rule"]["amount"] = 35 * MICROS
    path = {"price_book_id": "alone"}
    draft = ask("draft_price_book", ada, body={"document": dearer, "owner": "clinic"})
    inside = {"from": "2026-03-10", "until": "2026-04-01"}
    refused = ask("publish_price_book", bob, path=path, body=inside, if_match=draft.etag)
    assert "would come back on 2026-04-01" in refused.body["errors"][0]["detail"]
    done = ask("publish_price_book", bob, path=path, body={"from": "2026-03-10"}, if_match=draft.etag)
    assert [(one["version"], one["until"], one["superseded_by"]) for one in done.body["versions"]] == [
        ("1", "2026-03-10", "2"),
        ("2", None, None),
    ]
    new, old = town.event("e1", 90, visit="v1"), town.event("e2", 90, visit="v2")
    old = replace(old, started_at=old.started_at - timedelta(days=1))
    assert [town.clear(one)[0].decision.priced.allowed // MICROS for one in (new, old)] == [35, 30]


def test_whoever_wrote_any_of_it_is_not_the_second_person(town, ask, authors) -> None:
    ada, bob = authors
    first = drafted(ask, ada)
    second = ask("replace_plan_draft", bob, path=NEW, body={"document": changed(DRAFT, title="x")}, if_match=first.etag)
    days = {"from": "2026-01-01"}
    for writer in authors:
        answer = ask("publish_plan", writer, path=NEW, body=days, if_match=second.etag)
        assert answer.code == "second_person_required"
    # A machine is nobody, and what was agreed is what was read.
    machine = town.price_editor(kind=town.integrator().kind, subject="robot")
    assert ask("publish_plan", machine, path=NEW, body=days, if_match=second.etag).code == "person_required"
    eve = town.price_editor(subject="eve")
    third = ask("replace_plan_draft", ada, path=NEW, body={"document": changed(DRAFT, title="y")}, if_match=second.etag)
    assert ask("publish_plan", eve, path=NEW, body=days, if_match=second.etag).code == "precondition_failed"
    assert ask("publish_plan", town.operator(), path=NEW, body=days, if_match=third.etag).status == 200


def test_two_writers_never_overwrite_each_other(town, ask, authors) -> None:
    ada, bob = authors
    first = drafted(ask, ada)
    order = {"document": changed(DRAFT, title="mine")}
    assert ask("replace_plan_draft", ada, path=NEW, body=order).code == "precondition_required"
    assert ask("replace_plan_draft", ada, path=NEW, body=order, if_match=first.etag).status == 200
    stale = ask("replace_plan_draft", bob, path=NEW, body=order, if_match=first.etag)
    assert stale.code == "precondition_failed"
    assert ask("get_plan_draft", bob, path=NEW).body["document"]["title"] == "mine"
    assert ask("draft_plan", bob, body=order).status == 409


def test_faults_have_their_place_and_cases_say_what_came_out(town, ask, authors) -> None:
    ada, bob = authors
    broken = changed(DRAFT)
    broken["steps"][0]["limits"][0]["accumulator"] = "no-such"
    draft = drafted(ask, ada, broken)
    told = ask("validate_plan", ada, path=NEW).body
    assert (told["valid"], told["faults"][0]["pointer"]) == (False, "/steps/0/limits/0/accumulator")
    assert told["faults"][0]["next_step"]
    publish = ask("publish_plan", bob, path=NEW, body={"from": "2026-01-01"}, if_match=draft.etag)
    assert (publish.code, publish.body["errors"][0]["pointer"]) == ("draft_not_ready", "/steps/0/limits/0/accumulator")
    wrong = copy.deepcopy(CASE)
    wrong["lines"][1]["expect"]["patient"] = 11 * MICROS
    order = {"document": DRAFT, "cases": [wrong]}
    second = ask("replace_plan_draft", ada, path=NEW, body=order, if_match=draft.etag)
    told = ask("validate_plan", ada, path=NEW).body
    assert [one["passed"] for one in told["cases"]] == [True, False]
    assert told["cases"][1]["differences"] == [
        {"what": "patient", "expected": str(11 * MICROS), "found": str(10 * MICROS)}
    ]
    refused = ask("publish_plan", bob, path=NEW, body={"from": "2026-01-01"}, if_match=second.etag)
    assert refused.code == "draft_not_ready"
    soon = {**CASE, "lines": [{**CASE["lines"][0], "at": "soon"}]}
    for body, pointer in (
        ({"document": changed(DRAFT, id="")}, "/document/id"),
        ({"document": changed(DRAFT, payer=3)}, "/document/payer"),
        ({"document": changed(DRAFT, rate=0.5)}, "/document/rate"),
        ({"document": changed(DRAFT, big=10**30)}, "/document/big"),
        (
            {"document": DRAFT, "cases": [soon]},
            "/cases/0/lines/0/at",
        ),
    ):
        answer = ask("draft_plan", ada, body=body)
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)


def test_a_plan_of_another_payer_is_out_of_reach(town, other_town, ask, authors) -> None:
    ada, _ = authors
    draft = drafted(ask, ada)
    stranger = town.price_editor("town-hall", subject="sly")
    body = {"document": changed(DRAFT, title="stolen")}
    for caller in (stranger, other_town.price_editor(subject="bob"), other_town.operator()):
        for operation, more in (
            ("get_plan_draft", {}),
            ("replace_plan_draft", {"body": body, "if_match": draft.etag}),
            ("validate_plan", {}),
            ("preview_plan", {"body": {"from": "2026-01-01", "until": "2026-04-01"}}),
            ("publish_plan", {"body": {"from": "2026-01-01"}, "if_match": draft.etag}),
        ):
            answer = ask(operation, caller, path=NEW, **more)
            assert answer.status in (403, 404), (operation, answer.body)
            assert answer.status == 404 or answer.code in ("role_missing",)
    # Taking a published plan over by writing another payer into it.
    takeover = changed(DRAFT, id="town-plan", payer="town-hall")
    assert ask("draft_plan", stranger, body={"document": takeover}).code == "not_related"
    assert ask("replace_plan_draft", stranger, path={"plan_id": "town-plan"}, body={"document": takeover}).status == 404
    moved = changed(DRAFT, payer="town-hall")
    answer = ask("replace_plan_draft", ada, path=NEW, body={"document": moved}, if_match=draft.etag)
    assert answer.body["errors"][0]["pointer"] == "/document/payer"
    assert ask("draft_plan", town.operator(), body=body).code == "role_missing"
    assert ask("get_plan_draft", town.auditor(), path=NEW).status == 200
    assert ask("get_plan_draft", town.clerk(), path=NEW).code == "role_missing"
    assert ask("get_plan_draft", ada, path={"plan_id": "none"}).status == 404


def people(town, count: int = 6) -> list[str]:
    names = [f"p{n}" for n in range(count)]
    town.desk.books.enrol(
        members=[Member(name) for name in names],
        coverages=[Coverage(f"c-{name}", name, "town-plan", ALWAYS) for name in names],
    )
    return names


def test_a_preview_says_what_the_past_would_have_cost_in_sums(town, ask, authors) -> None:
    ada, _ = authors
    names = people(town)
    asked = [(name, dollars) for name in names for dollars in (30, 50)]
    for n, (name, dollars) in enumerate(asked):
        town.clear(town.event(f"e{n}", dollars, member=name, visit=f"v{n}"))
    # Nobody's care under this plan, and care of another payer's.
    town.clear(town.event("x", 40, member="cleo"), town.event("y", 10, member="ben", visit="vb"))
    document = changed(DRAFT, id="town-plan", version="next")
    begun = ask("replace_plan_draft", ada, path={"plan_id": "town-plan"}, body={"document": document})
    assert begun.status == 200, begun.body
    period = {"from": "2026-03-01", "until": "2026-04-01"}
    answer = ask("preview_plan", ada, path={"plan_id": "town-plan"}, body=period)
    assert answer.status == 200, answer.body
    told = answer.body
    assert (told["looked_at"], told["more"], told["decided"], told["changed"]) == (13, False, 13, 12)
    [sums] = told["sums"]
    # Worked out by hand: deductible 10 and a fifth before; 20 and a half under the draft; ben's 10 dollars all his.
    before = 6 * ((10 + 4) + 10) + 10
    after = 6 * ((20 + 5) + 25) + 10
    assert int(sums["before"]["patient"]["micros"]) == before * MICROS - 5 * MICROS
    assert int(sums["after"]["patient"]["micros"]) == after * MICROS - 5 * MICROS
    assert int(sums["before"]["billed"]["micros"]) == int(sums["after"]["billed"]["micros"]) == (6 * 80 + 10) * MICROS
    for name in [*names, "ben", "cleo", "clinic"]:
        assert name not in answer.raw.decode()
    few = ask("preview_plan", ada, path={"plan_id": "town-plan"}, body={**period, "most": 4}).body
    assert (few["looked_at"], few["more"], few["withheld"], few["sums"]) == (4, True, True, [])
    none = {"from": "2025-03-01", "until": "2025-04-01"}
    assert ask("preview_plan", ada, path={"plan_id": "town-plan"}, body=none).body["looked_at"] == 0
    turned = ask("preview_plan", ada, path={"plan_id": "town-plan"}, body={"from": "2026-03-01", "until": "2026-03-01"})
    assert turned.body["errors"][0]["pointer"] == "/until"


def test_a_preview_of_what_holds_changes_nothing(town, ask, authors) -> None:
    ada, _ = authors
    for n, name in enumerate(people(town) * 3):
        town.clear(town.event(f"e{n}", 7 + n, member=name, visit=f"v{n}"))
    document = ask("get_plan", ada, path={"plan_id": "town-plan"}).body["document"]
    ask("replace_plan_draft", ada, path={"plan_id": "town-plan"}, body={"document": document})
    told = ask(
        "preview_plan", ada, path={"plan_id": "town-plan"}, body={"from": "2026-01-01", "until": "2027-01-01"}
    ).body
    assert (told["decided"], told["changed"], told["undecided"]) == (18, 0, {})
    assert told["sums"][0]["before"] == told["sums"][0]["after"]


BOOKS = {"price_book_id": "clinic-book"}


@pytest.mark.parametrize("sign", ["\x07", "\u202e", "\u2066", "\n", "\x85"])
def test_a_word_that_shows_something_else_than_it_holds_is_no_price_books(town: Any, ask: Any, sign: str) -> None:
    ada, bob = (town.price_editor("clinic", subject=name) for name in ("ada", "bob"))
    first, *others = BOOK["items"]
    document = {**BOOK, "items": [{**first, "display": f"Visit{sign}tisiv"}, *others]}
    draft = ask("draft_price_book", ada, body={"document": document, "owner": "clinic", "cases": []})
    assert draft.status == 201, draft.body
    told = ask("validate_price_book", ada, path=BOOKS).body
    assert told["valid"] is False
    assert [(one["pointer"], one["code"]) for one in told["faults"]] == [("/items/0/display", "invalid_document")]
    published = ask("publish_price_book", bob, path=BOOKS, body={"from": "2027-01-01"}, if_match=draft.etag)
    assert (published.status, published.code) == (409, "draft_not_ready")


def test_a_price_book_is_drafted_by_its_owner_and_prices_care(town, ask) -> None:
    ada, bob = (town.price_editor("clinic", subject=name) for name in ("ada", "bob"))
    case = {"name": "a visit", "code": {"system": "local", "value": "visit"}, "on": "2026-03-01",
            "allowed": 30 * MICROS}  # fmt: skip
    missing = {**case, "name": "unlisted", "code": {"system": "local", "value": "scan"}}
    order = {"document": BOOK, "owner": "clinic", "cases": [case, missing]}
    draft = ask("draft_price_book", ada, body=order)
    assert draft.status == 201, draft.body
    told = ask("validate_price_book", ada, path=BOOKS).body
    assert [one["passed"] for one in told["cases"]] == [True, False]
    assert told["cases"][1]["differences"][0]["found"] == "unknown_code"
    order["cases"] = [case, {**missing, "allowed": None, "waits": "unknown_code"}]
    second = ask("replace_price_book_draft", ada, path=BOOKS, body=order, if_match=draft.etag)
    assert ask("validate_price_book", ada, path=BOOKS).body["valid"] is True
    days = {"from": "2026-01-01", "until": "2027-01-01"}
    assert ask("publish_price_book", ada, path=BOOKS, body=days, if_match=second.etag).code == "second_person_required"
    done = ask("publish_price_book", bob, path=BOOKS, body=days, if_match=second.etag)
    assert done.status == 200, done.body
    town.desk.books.enrol(
        parties=[Party("surgery", ("provider",), zone="America/New_York")],
        contracts=[Contract("surgery", payer, "clinic-book", ALWAYS) for payer in ("*", "")],
    )
    [outcome] = town.clear(town.event("e", 90, billing_party="surgery", code=Code("local", "visit")))
    assert outcome.decision.priced.allowed == 30 * MICROS
    # Whoever agreed on it, or owns it, reads it; nobody else.
    for caller in (town.clerk("clinic"), town.clerk("surgery"), town.auditor()):
        assert ask("get_price_book", caller, path=BOOKS).status == 200
        assert [one["id"] for one in ask("list_price_books", caller).body["data"]] == ["clinic-book"]
    for caller in (town.clerk("hospital"), town.payer("town-hall")):
        assert ask("get_price_book", caller, path=BOOKS).status == 404
        assert ask("list_price_books", caller).body["data"] == []
    assert ask("get_price_book", town.patient("ana"), path=BOOKS).code == "role_missing"
    sly = town.price_editor("surgery", subject="sly")
    stolen = {"document": changed(BOOK, version="2"), "owner": "surgery"}
    assert ask("draft_price_book", sly, body=stolen).code == "not_related"
    assert ask("replace_price_book_draft", sly, path=BOOKS, body=stolen).status == 404


def test_a_book_published_by_the_operator_belongs_to_nobody_who_shares_it(town, ask) -> None:
    town.desk.books.publish("price_book", changed(BOOK, id="shared", effective={"from": "2026-01-01"}))
    town.desk.books.publish("price_book", changed(BOOK, id="alone", effective={"from": "2026-01-01"}))
    town.desk.books.enrol(
        contracts=[
            Contract("clinic", "town-hall", "shared", ALWAYS),
            Contract("hospital", "town-insurance", "shared", ALWAYS),
            Contract("clinic", "town-insurance", "alone", ALWAYS),
        ]
    )
    editor = town.price_editor("clinic")
    mine = {"document": changed(BOOK, id="shared", version="2"), "owner": "clinic"}
    assert ask("draft_price_book", editor, body=mine).code == "not_related"
    assert ask("replace_price_book_draft", editor, path={"price_book_id": "shared"}, body=mine).status == 404
    alone = {"document": changed(BOOK, id="alone", version="2"), "owner": "clinic"}
    assert ask("draft_price_book", editor, body=alone).status == 201


def test_a_price_books_preview(town, ask) -> None:
    town.desk.books.publish("price_book", changed(BOOK, id="alone", effective={"from": "2025-01-01"}))
    town.desk.books.enrol(
        contracts=[Contract("clinic", "town-insurance", "alone", ALWAYS)],
    )
    for n, name in enumerate(people(town)):
        town.clear(town.event(f"e{n}", 90, member=name, visit=f"v{n}"), town.event(f"s{n}", 9, member="ben"))
    ada = town.price_editor("clinic", subject="ada")
    dearer = changed(BOOK, id="alone", version="2")
    dearer["items"][0]["rule"]["amount"] = 40 * MICROS
    made = ask("draft_price_book", ada, body={"document": dearer, "owner": "clinic"})
    assert made.status == 201, made.body
    told = ask(
        "preview_price_book", ada, path={"price_book_id": "alone"}, body={"from": "2026-01-01", "until": "2027-01-01"}
    ).body
    [sums] = told["sums"]
    allowed = [int(sums[word]["allowed"]["micros"]) // MICROS for word in ("before", "after")]
    assert allowed == [6 * 30 + 6 * 9, 6 * 40 + 6 * 9]
    assert told["changed"] == 6
