"""Price books and plans on pages: drafted by one person, seen through, published by another."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor, token_for

from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.service.document_fields import at, fields_of, figure, rewritten
from drachm.adapters.rest.service.speech import speaking
from drachm.domain.coverage.model import Contract, Coverage, Member
from drachm.domain.errors import InvalidMessage
from drachm.domain.money import MICROS

BOOK: dict[str, Any] = {
    "id": "clinic-book",
    "version": "1",
    "title": "Clinic prices",
    "currency": "USD",
    "zone": "America/New_York",
    "effective": {"from": "2025-01-01"},
    "items": [
        {"system": "local", "code": f"c{n}", "display": f"Care {n}", "rule": {"kind": "fixed", "amount": n * MICROS}}
        for n in range(1, 56)
    ],
}
PLAN = {"plan_id": "town-plan"}
PRICES = {"price_book_id": "clinic-book"}


@pytest.fixture
def ada(visitor: Visitor) -> Visitor:
    return editor(visitor, "Ada", "town-insurance")


@pytest.fixture
def bob(visitor: Visitor) -> Visitor:
    return editor(visitor, "Bob", "town-insurance")


def editor(visitor: Visitor, name: str, party: str) -> Visitor:
    """Somebody whose desk begins at the prices."""
    other = visitor.signed_in(name, [Role.PRICE_EDITOR], [party])
    other.get("open_desk_plans")
    return other


def tag(page: Any) -> str:
    found = re.search(r'name="tag" value="([^"]*)"', page.body)
    return found[1].replace("&#34;", '"').replace("&quot;", '"') if found else ""


def write(who: Visitor, kind: str, path: dict[str, str], **form: str) -> Any:
    page = who.get(f"open_desk_{kind}", path)
    return who.post(f"write_desk_{kind}", {"tag": tag(page), **form}, path)


def document(who: Visitor, path: dict[str, str]) -> Any:
    (record,) = who.town.market.records.find("plan_draft" if "plan_id" in path else "price_book_draft")
    assert record.id in path.values()
    return record.body["document"]


def test_the_desk_of_an_editor_begins_at_the_prices_and_shows_no_person(ada: Visitor, lived_in: Any) -> None:
    again = ada.sign_in(token_for(ada, "Ada", [Role.PRICE_EDITOR], ["town-insurance"]))
    assert again.headers["location"] == "/desk/prices"
    for name, path in (
        ("open_desk", {}),
        ("open_desk_charge", {"charge_id": ada.charge("e1")}),
        ("open_desk_refunds", {}),
    ):
        assert ada.get(name, path).status in (403, 404)
    assert "town-plan" in ada.get("open_desk_plans").body


def test_a_rule_is_changed_by_a_form_read_as_members_will_and_published_by_another(ada: Visitor, bob: Visitor) -> None:
    assert "Begin a draft" in ada.get("open_desk_plan", PLAN).body
    assert write(ada, "plan", PLAN, do="begin", version="2027.1").status == 303
    page = ada.get("open_desk_plan", PLAN, {"line": "3"})
    assert 'name="/steps/3/ppm"' in page.body
    assert 'value="20"' in page.body
    done = write(ada, "plan", PLAN, do="set", line="3", sentence="You pay 10 percent.", **{"/steps/3/ppm": "10"})
    assert done.headers["location"] == "/desk/plans/town-plan?line=3#edit"
    assert document(ada, PLAN)["steps"][3]["ppm"] == 100_000
    said = ada.words("open_desk_plan", PLAN)
    assert "You pay 10 percent." in said
    assert "changed" in said
    assert "The document is whole" in said
    assert "Ask for a second pair of eyes" in said
    tried = write(ada, "plan", PLAN, do="try", cost="110.00")
    assert tried.status == 200
    text = " ".join(re.sub("<[^>]+>", " ", tried.body).split())
    assert "Live plan $80.00 patient $30.00" in text
    assert "Draft plan $90.00 patient $20.00" in text
    refused = ada.post("publish_desk_plan", {"tag": tag(ada.get("open_desk_plan", PLAN)), "day": "2027-01-01"}, PLAN)
    assert (refused.status, "somebody else must" in refused.body) == (403, True)
    assert bob.get("open_desk_plan", PLAN).status == 200
    published = bob.post("publish_desk_plan", {"tag": tag(bob.get("open_desk_plan", PLAN)), "day": "2027-01-01"}, PLAN)
    assert published.status == 303, published.body
    versions = ada.ask("get_plan", ada.town.price_editor(), PLAN).body["versions"]
    assert [one["version"] for one in versions] == ["2026.1", "2027.1"]


def test_faults_stand_beside_the_rule_and_the_field(ada: Visitor) -> None:
    write(ada, "plan", PLAN, do="begin", version="2027.1")
    broken = {**document(ada, PLAN)}
    broken["steps"] = [{**broken["steps"][0]}, {"id": "x", "kind": "coinsurance", "clause": "4", "ppm": 2_000_000}]
    assert write(ada, "plan", PLAN, do="json", json=json.dumps(broken)).status == 303
    body = ada.get("open_desk_plan", PLAN, {"line": "1"}).body
    assert 'aria-invalid="true"' in body
    assert '<p class="fault" role="alert">' in body
    answer = write(ada, "plan", PLAN, do="set", line="1", **{"/steps/1/ppm": "many"})
    assert (answer.status, "write digits with a point" in answer.body) == (400, True)
    assert 'value="many"' in answer.body
    wrong: list[dict[str, str]] = [
        *({"do": "json", "json": "{"}, {"do": "json", "json": "[]"}, {"do": "add", "step": "7"}),
        *({"do": "set", "line": "99"}, {"do": "explode", "line": "0"}, {"do": "remove", "line": "-1"}),
    ]
    for form in wrong:
        assert write(ada, "plan", PLAN, **form).status in (400, 422), form
    assert len(document(ada, PLAN)["steps"]) == 2


def test_rules_move_and_go_and_a_stale_page_changes_nothing(ada: Visitor, bob: Visitor) -> None:
    write(ada, "plan", PLAN, do="begin", version="2027.1")
    stale = tag(ada.get("open_desk_plan", PLAN))
    names = [step["id"] for step in document(ada, PLAN)["steps"]]
    assert write(ada, "plan", PLAN, do="down", line="0").status == 303
    assert [step["id"] for step in document(ada, PLAN)["steps"]] == [names[1], names[0], *names[2:]]
    assert write(ada, "plan", PLAN, do="remove", line="0").status == 303
    assert write(ada, "plan", PLAN, do="add", step='{"id": "more", "kind": "exclude", "clause": "9"}').status == 303
    assert [step["id"] for step in document(ada, PLAN)["steps"]] == [names[0], *names[2:], "more"]
    assert bob.post("write_desk_plan", {"tag": stale, "do": "remove", "line": "0"}, PLAN).status == 412
    assert bob.post("write_desk_plan", {"do": "remove", "line": "0"}, PLAN).status == 428
    assert len(document(ada, PLAN)["steps"]) == len(names)


def test_who_is_not_theirs_writes_nothing(visitor: Visitor, ada: Visitor) -> None:
    eve = editor(visitor, "Eve", "town-hall")
    assert "Begin a draft" not in eve.get("open_desk_plan", PLAN).body
    assert eve.post("write_desk_plan", {"do": "begin", "version": "9"}, PLAN).status == 404
    write(ada, "plan", PLAN, do="begin", version="2027.1")
    assert "Draft of version" not in eve.get("open_desk_plan", PLAN).body
    assert eve.post("publish_desk_plan", {"tag": "x", "day": "2027-01-01"}, PLAN).status == 404
    noor = visitor.signed_in("Noor", [Role.CLERK], ["clinic"])
    assert noor.get("open_desk_plans").status == 200
    assert noor.post("write_desk_plan", {"do": "remove", "line": "0"}, PLAN).status == 403
    assert ada.post("write_desk_plan", {"csrf": "x", "do": "remove", "line": "0"}, PLAN).status == 403
    assert len(document(ada, PLAN)["steps"]) == 5


def test_prices_are_found_changed_added_and_taken_out(visitor: Visitor, ada: Visitor, town: Any) -> None:
    town.desk.books.publish("price_book", BOOK)
    period = next(iter(town.market.register.contracts())).period
    town.desk.books.enrol(contracts=[Contract("clinic", "town-hall", "clinic-book", period)])
    eva = editor(visitor, "Eva", "clinic")
    assert "Clinic prices" in eva.get("open_desk_price_books").body
    assert "Clinic prices" not in ada.get("open_desk_price_books").body
    assert ada.get("open_desk_price_book", PRICES).status == 404
    assert write(eva, "price_book", PRICES, do="begin", version="2").status == 303
    assert "51 to 55 of 55" in eva.words("open_desk_price_book", PRICES, {"from": "50"})
    found = eva.get("open_desk_price_book", PRICES, {"find": "Care 17"}).body
    assert "?line=16&amp;find=Care%2017#edit" in found
    assert write(eva, "price_book", PRICES, do="set", line="16", **{"/items/16/rule/amount": "17.50"}).status == 303
    added = {"system": "local", "code": "new", "display": "New care", "amount": "3.25"}
    assert write(eva, "price_book", PRICES, do="add", **added).status == 303
    assert write(eva, "price_book", PRICES, do="remove", line="0").status == 303
    items = document(eva, PRICES)["items"]
    assert (items[15]["rule"]["amount"], len(items)) == (17_500_000, 55)
    assert items[-1] == {
        "system": "local", "code": "new", "display": "New care", "rule": {"kind": "fixed", "amount": 3_250_000},
    }  # fmt: skip
    broken = document(eva, PRICES)
    broken["items"][1]["rule"]["amount"] = -1
    assert write(eva, "price_book", PRICES, do="json", json=json.dumps(broken)).status == 303
    body = eva.get("open_desk_price_book", PRICES, {"line": "1"}).body
    assert 'class="fault" role="alert"' in body
    assert 'aria-invalid="true"' in body
    bad = write(eva, "price_book", PRICES, do="add", **{**added, "amount": "3,25"})
    assert (bad.status, 'value="3,25"' in bad.body) == (400, True)


def test_last_month_under_the_draft_tells_sums_and_no_person(ada: Visitor, town: Any) -> None:
    period = next(iter(town.market.register.contracts())).period
    for number in range(6):
        town.desk.books.enrol(
            members=[Member(f"p{number}")], coverages=[Coverage(f"c{number}", f"p{number}", "town-plan", period)]
        )
    write(ada, "plan", PLAN, do="begin", version="2027.1")
    write(ada, "plan", PLAN, do="set", line="3", **{"/steps/3/ppm": "50"})
    town.clear(town.event("e1", 40, member="p1"))
    assert "Too few people" in ada.words("open_desk_plan", PLAN, {"month": "2026-03"})
    town.clear(*[town.event(f"m{n}", 40, member=f"p{n}", visit=f"m{n}") for n in range(2, 6)])
    town.clear(town.event("m0", 40, member="p0", visit="m0"))
    said = ada.words("open_desk_plan", PLAN, {"month": "2026-03"})
    assert "Members pay $96.00, then $150.00" in said
    assert "that is $54.00" in said
    assert "Charges that change: 6 of 6" in said
    for name in ("p1", "Video", "visit"):
        assert name not in said.partition("If this had been live")[2].partition("Try it")[0]
    assert ada.get("open_desk_plan", PLAN, {"month": "2026-13"}).status == 400


def test_fields_are_made_from_what_a_part_holds() -> None:
    part = {
        "steps": [
            {
                "id": "s",
                "kind": "copay",
                "amount": {"cases": [{"when": {"a": 1}, "value": 25 * MICROS}, {"value": 5 * MICROS}]},
                "ppm": 12_500,
                "months": 3,
                "strict": True,
                "a/b": "word",
            }
        ]
    }
    fields = fields_of(part, "/steps/0", "USD")
    assert [(one.pointer, one.kind, one.value) for one in fields] == [
        ("/steps/0/amount/cases/0/value", "money", "25.00"),
        ("/steps/0/amount/cases/1/value", "money", "5.00"),
        ("/steps/0/ppm", "percent", "1.25"),
        ("/steps/0/months", "number", "3"),
        ("/steps/0/strict", "flag", "yes"),
        ("/steps/0/a~1b", "text", "word"),
    ]
    for language, share, amount in (("en", "1.25%", "$25.00"), ("de", "1,25\xa0%", "25,00\xa0$")):
        with speaking(language):
            assert figure(fields[2:], "USD") == share
            assert str(figure(fields, "USD")) == amount
    assert figure(fields[4:], "USD") == ""
    # A draft may hold anything: what is no amount is shown as it is.
    assert figure(fields_of({"amount": -5}, "", "USD"), "USD") == "-5"
    assert figure(fields, "money") == "25.00"
    same = rewritten(part, fields, {one.pointer: one.value for one in fields}, "USD")
    assert same == part
    changed = rewritten(part, fields, {"/steps/0/ppm": "0.0001", "/steps/0/strict": "no", "/steps/0/a~1b": "x"}, "USD")
    assert (at(changed, "/steps/0/ppm"), at(changed, "/steps/0/strict"), at(changed, "/steps/0/a~1b")) == (
        1,
        False,
        "x",
    )
    assert part["steps"][0]["ppm"] == 12_500
    for pointer, text in (
        ("/steps/0/ppm", "100.1"), ("/steps/0/ppm", "0.00001"), ("/steps/0/ppm", "-1"), ("/steps/0/months", "1.5"),
        ("/steps/0/strict", "maybe"), ("/steps/0/a~1b", ""), ("/steps/0/amount/cases/1/value", "1e3"),
    ):  # fmt: skip
        with pytest.raises(InvalidMessage):
            rewritten(part, fields, {pointer: text}, "USD")
