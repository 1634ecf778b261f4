"""Members: enrolled once, seen by those who have to do with them, joined and parted without a row being touched."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from drachm.application.as_one import Aliases, clear_as_one
from drachm.application.merges import same_person
from drachm.domain.coverage.model import Coverage
from drachm.domain.periods import Period

NOAH = {
    "id": "noah",
    "registered_by": "clinic",
    "name": {"family": "Muñoz", "given": "Noah"},
    "birth_date": "2001-02-03",
    "sex": "male",
    "identifiers": [{"system": "ssn", "value": "900-12-3456"}],
}


def enrol(ask: Any, caller: Any, **changes: Any) -> Any:
    return ask("create_member", caller, body={**NOAH, **changes})


def test_a_clinic_enrols_a_person_and_sees_them(town: Any, ask: Any) -> None:
    made = enrol(ask, town.clerk())
    assert made.status == 201, made.body
    read = ask("get_member", town.clerk(), {"member_id": "noah"})
    assert (read.body, read.etag) == (made.body, made.etag)
    assert read.body["name"] == {"family": "Muñoz", "given": "Noah"}
    assert "clinic" not in str(read.body)
    assert ask("get_member", town.patient("noah"), {"member_id": "noah"}).status == 200
    for stranger in (town.clerk("hospital"), town.payer(), town.patient("ana"), town.relative(of="ana")):
        assert ask("get_member", stranger, {"member_id": "noah"}).status == 404
    assert ask("get_member", town.operator(), {"member_id": "no-such"}).status == 404


def test_an_enrolled_person_is_cleared(town: Any, ask: Any) -> None:
    enrol(ask, town.clerk())
    assert town.clear(town.event("e1", member="noah"))[0].status == "posted"


def test_names_are_nowhere_to_be_read_in_the_database(town: Any, ask: Any, street: Any) -> None:
    enrol(ask, town.clerk(), name={"family": "Zyxcanary", "given": "Noah"})
    with psycopg.connect(street.url) as conn:
        for table in ("record", "record_version", "record_tag", "member", "sheet"):
            rows = conn.execute(f"SELECT t::text FROM {table} AS t").fetchall()
            assert rows
            assert not [row for row in rows if "zyxcanary" in row[0].casefold() or b"Zyxcanary".hex() in row[0]]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "other"},
        {"id": "other", "name": {"family": "MUNOZ", "given": "noah j."}, "identifiers": []},
        {"id": "other", "name": {"family": "Munoz", "given": "Noha"}, "identifiers": [], "sex": ""},
        {"id": "other", "birth_date": "2001-03-02", "identifiers": []},
        {"id": "other", "name": {"family": "Smith", "given": "Noah"}},
    ],
)
def test_a_likely_duplicate_is_told_whom_it_resembles(town: Any, ask: Any, changes: Any) -> None:
    enrol(ask, town.clerk())
    again = enrol(ask, town.clerk("hospital"), registered_by="hospital", **changes)
    assert (again.status, again.body.get("code")) == (409, "likely_duplicate")
    assert "noah" in again.body["detail"]
    assert "Mu" not in str(again.body)
    assert again.headers["location"] == "/v1/members/noah"
    known = enrol(ask, town.clerk("hospital"), registered_by="hospital", distinct_from=["noah"], **changes)
    assert known.status == 201


def test_twins_are_two_people(town: Any, ask: Any) -> None:
    enrol(ask, town.clerk(), identifiers=[])
    twin = enrol(ask, town.clerk(), id="liam", name={"family": "Muñoz", "given": "Liam"}, identifiers=[])
    assert twin.status == 201


def test_of_two_enrolments_at_once_one_holds(town: Any, ask: Any) -> None:
    with ThreadPoolExecutor(4) as threads:
        statuses = sorted(threads.map(lambda _: enrol(ask, town.clerk()).status, range(4)))
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {409, 412}


@pytest.mark.parametrize(
    ("caller", "changes", "status"),
    [
        ("clerk", {"registered_by": "hospital"}, 403),
        ("clerk", {"registered_by": None}, 403),
        ("clerk", {"facts": {"income_band": "low"}}, 403),
        ("finance", {}, 403),
        ("patient", {}, 403),
        ("operator", {"registered_by": None, "facts": {"income_band": "low"}}, 201),
        ("operator", {"registered_by": "nobody-here"}, 422),
        ("operator", {"birth_date": "2001-02-30"}, 400),
        ("operator", {"name": {"family": "a\u0007", "given": ""}}, 422),
        ("operator", {"sex": "robot"}, 422),
        ("operator", {"nickname": "x"}, 422),
        ("operator", {"id": "ana"}, 409),
    ],
)
def test_who_may_enrol_and_what_is_refused(town: Any, ask: Any, caller: str, changes: Any, status: int) -> None:
    answer = enrol(ask, getattr(town, caller)(), **changes)
    assert answer.status == status, answer.body
    assert "Muñoz" not in str(answer.body) or status == 201


def test_each_sees_their_own_members(town: Any, ask: Any) -> None:
    enrol(ask, town.clerk())
    town.clear(town.event("e1", member="cleo", billing_party="hospital"))

    def seen(caller: Any, **query: str) -> list[str]:
        return [one["id"] for one in ask("list_members", caller, query=query).body["data"]]

    assert seen(town.operator()) == ["ana", "ben", "cleo", "dan", "noah"]
    assert seen(town.clerk()) == ["noah"]
    assert seen(town.clerk("hospital")) == ["cleo"]
    assert seen(town.payer("town-hall")) == ["ben"]
    assert seen(town.payer()) == ["ana", "ben", "dan"]
    assert seen(town.patient("cleo")) == ["cleo"]
    assert seen(town.relative(of="dan")) == ["dan"]
    assert seen(town.relative(of="dan", revoked=True)) == []
    assert ask("get_member", town.clerk("hospital"), {"member_id": "cleo"}).status == 200
    page = ask("list_members", town.operator(), query={"limit": "2"}).body
    assert seen(town.operator(), limit="2", cursor=page["next"]) == ["cleo", "dan"]
    assert ask("list_members", town.auditor(), query={"limit": "2", "cursor": page["next"]}).code == "invalid_cursor"


def test_a_payer_corrects_a_member_it_covers(town: Any, ask: Any) -> None:
    path = {"member_id": "ben"}
    etag = ask("get_member", town.payer(), path).etag
    change = {"name": {"family": "Osei", "given": "Ben"}, "facts": {"income_band": "low"}}
    done = ask("update_member", town.payer(), path, body=change, if_match=etag)
    assert (done.status, done.body["birth_date"]) == (200, "1980-01-01")
    assert ask("update_member", town.payer(), path, body=change, if_match=etag).status == 412
    assert ask("update_member", town.payer(), path, body=change).status == 428
    assert ask("update_member", town.payer("town-hall"), {"member_id": "ana"}, body=change, if_match="*").status == 404
    found = ask("match_member", town.clerk(), body={**change, "birth_date": "1980-01-01", "facts": None})
    assert found.status == 422
    found = ask("match_member", town.clerk(), body={"name": change["name"], "birth_date": "1980-01-01"})
    assert (found.body["outcome"], found.body["member"]) == ("found", "ben")


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"name": {"family": "munoz", "given": "NOAH"}, "birth_date": "2001-02-03"}, "found"),
        ({"identifiers": [{"system": "ssn", "value": "900 12 3456"}], "birth_date": "2001-02-03"}, "found"),
        ({"identifiers": [{"system": "ssn", "value": "900123456"}]}, "too_little"),
        ({"name": {"family": "Munoz", "given": "Noah"}}, "too_little"),
        ({"birth_date": "2001-02-03", "sex": "male"}, "too_little"),
        ({"name": {"family": "Munoz", "given": "Noah"}, "birth_date": "2001-02-03", "sex": "female"}, "nobody"),
        ({"name": {"family": "Munos", "given": "Noah"}, "birth_date": "1991-02-04"}, "nobody"),
        ({}, "too_little"),
    ],
)
def test_the_desk_finds_the_one_who_fits(town: Any, ask: Any, said: Any, outcome: str) -> None:
    enrol(ask, town.clerk())
    found = ask("match_member", town.clerk("hospital"), body=said)
    assert found.body["outcome"] == outcome, found.body
    assert found.body["member"] == ("noah" if outcome == "found" else None)
    assert ask("match_member", town.patient(), body=said).status == 403


def twice(town: Any, ask: Any) -> None:
    """Noah stands there twice, with a cover under each id."""
    enrol(ask, town.clerk())
    enrol(ask, town.clerk(), id="noah-2", distinct_from=["noah"])
    town.desk.books.enrol(
        coverages=[
            Coverage("c-1", "noah", "town-plan", Period(town.clock.now().date().replace(year=2020))),
            Coverage("c-2", "noah-2", "town-help", Period(town.clock.now().date().replace(year=2020))),
        ]
    )


def test_duplicates_are_listed_until_somebody_knows_better(town: Any, ask: Any) -> None:
    enrol(ask, town.clerk())
    record = town.market.records.get("member_profile", "noah")
    twin = replace(record, id="noah-2", version=0, members=frozenset({"noah-2"}))
    town.market.records.put([twin])
    town.desk.books.enrol(members=[replace(town.market.register.members(ids=["noah"])[0], id="noah-2")])
    listed = ask("list_duplicates", town.operator()).body["data"]
    assert [(one["member"], one["other"]) for one in listed] == [("noah", "noah-2")]
    assert listed[0]["evidence"]["identifier"] == "equal"
    several = ask("match_member", town.clerk(), body={"name": NOAH["name"], "birth_date": NOAH["birth_date"]})
    assert several.body["outcome"] == "several"
    assert ask("list_duplicates", town.clerk()).status == 403
    merged = ask("merge_members", town.operator(), body={"member": "noah-2", "into": "noah"})
    assert merged.status == 200, merged.body
    assert ask("list_duplicates", town.operator()).body["data"] == []
    found = ask("match_member", town.clerk(), body={"name": NOAH["name"], "birth_date": NOAH["birth_date"]})
    assert found.body["member"] == "noah"


def test_a_merge_joins_two_and_a_split_parts_them_and_no_row_moves(town: Any, ask: Any) -> None:
    twice(town, ask)
    aliases = Aliases(town.market.records, lambda: 0.0)

    def clear(*events: Any) -> list[Any]:
        aliases.forget()
        return clear_as_one(events, town.desk, aliases)

    before = town.event("old", member="noah-2")
    assert clear(before)[0].status == "posted"
    rows = [stored for stored, _ in town.desk.books.rows()]
    merged = ask("merge_members", town.operator(), body={"member": "noah-2", "into": "noah"})
    assert (merged.body["state"], merged.body["coverages"]) == ("merged", ["c-2"])
    assert [stored for stored, _ in town.desk.books.rows()] == rows
    assert ask("get_member", town.clerk(), {"member_id": "noah-2"}).body["merged_into"] == "noah"
    assert same_person(town.market.records, "noah-2") == {"noah", "noah-2"}

    # Sent before, sent again: the first answer. Sent now: the other's.
    assert clear(before)[0].duplicate
    during = town.event("new", member="noah-2", dollars=100)
    cleared = clear(during)[0]
    assert (cleared.status, cleared.event.member, cleared.event.facts["member_as_sent"]) == ("posted", "noah", "noah-2")
    assert clear(during)[0].duplicate
    # What takes back an event of before stands where that event stands.
    assert clear(town.event("undo", member="noah", kind="reversal", replaces="old"))[0].status == "posted"
    # Other content under the same id is still a conflict.
    assert clear(town.event("new", member="noah-2", dollars=101))[0].status == "conflict"

    rows = [stored for stored, _ in town.desk.books.rows()]
    parted = ask("split_member", town.operator(), {"member_id": "noah-2"}, body={"from_member": "noah"})
    assert parted.body["state"] == "split"
    assert [stored for stored, _ in town.desk.books.rows()] == rows
    assert {one.id for one in town.market.register.coverages(of="noah-2")} == {"c-2"}
    assert clear(during)[0].duplicate
    assert clear(town.event("undo-new", member="noah-2", kind="reversal", replaces="new"))[0].status == "posted"
    assert clear(town.event("after", member="noah-2"))[0].event.member == "noah-2"
    assert sum(town.desk.books.balances().values()) == 0
    again = ask("split_member", town.operator(), {"member_id": "noah-2"}, body={"from_member": "noah"})
    assert (again.status, again.code) == (409, "conflict")


@pytest.mark.parametrize("caller", ["clerk", "payer", "auditor", "patient", "integrator"])
def test_only_the_operator_merges_and_splits(town: Any, ask: Any, caller: str) -> None:
    who = getattr(town, caller)()
    assert ask("merge_members", who, body={"member": "ana", "into": "ben"}).status == 403
    assert ask("split_member", who, {"member_id": "ana"}, body={"from_member": "ben"}).status in (403, 404)


def test_merges_in_a_circle_cannot_be(town: Any, ask: Any) -> None:
    def merge(pair: tuple[str, str]) -> int:
        return ask("merge_members", town.operator(), body={"member": pair[0], "into": pair[1]}).status

    with ThreadPoolExecutor(3) as threads:
        statuses = list(threads.map(merge, [("ana", "ben"), ("ben", "cleo"), ("cleo", "ana")]))
    assert statuses.count(200) == 2
    assert merge(("ana", "ana")) == 409
    assert merge(("ana", "nobody-here")) == 409
    one = same_person(town.market.records, "ana")
    assert one == {"ana", "ben", "cleo"}


def test_erasing_a_member_erases_the_profile(town: Any, ask: Any) -> None:
    enrol(ask, town.clerk())
    town.desk.books.erase("noah")
    read = ask("get_member", town.operator(), {"member_id": "noah"})
    assert read.body["name"] == {"family": "", "given": ""}
    found = ask("match_member", town.clerk(), body={"name": NOAH["name"], "birth_date": NOAH["birth_date"]})
    assert found.body["outcome"] == "nobody"
