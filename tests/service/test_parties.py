"""Parties, sites and practitioners: who may change the directory, and what it takes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

PARTY = {
    "id": "eye-clinic",
    "roles": ["provider"],
    "name": "Eye clinic",
    "npi": "1234567893",
    "zone": "America/Chicago",
}


def test_an_operator_registers_a_party_that_events_can_name(town: Any, ask: Any) -> None:
    made = ask("create_party", town.operator(), body=PARTY)
    assert made.status == 201, made.body
    assert made.body["npi"] == "1234567893"
    read = ask("get_party", town.patient(), {"party_id": "eye-clinic"})
    assert read.body == made.body
    assert read.etag == made.etag
    again = ask("create_party", town.operator(), body=PARTY)
    assert (again.status, again.code) == (409, "conflict")


@pytest.mark.parametrize("who", ["finance", "clerk", "integrator", "patient", "payer"])
def test_nobody_else_registers_one(town: Any, ask: Any, who: str) -> None:
    assert ask("create_party", getattr(town, who)(), body=PARTY).status == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"npi": "1234567890"}, "/npi"),
        ({"npi": "0234567893"}, "/npi"),
        ({"npi": "１２３４５６７８９３"}, "/npi"),
        ({"zone": "Mars/Olympus"}, "/zone"),
        ({"name": "two\nlines"}, "/name"),
        ({"roles": []}, "/roles"),
        ({"roles": ["king"]}, "/roles/0"),
        ({"facts": {"Bad Name": 1}}, "/facts"),
        ({"facts": {"price": 2**63}}, "/facts/price"),
        ({"facts": {"price": 1.5}}, "/facts"),
        ({"id": "two words"}, "/id"),
        ({"id": "a/b"}, "/id"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(town: Any, ask: Any, change: Any, pointer: str) -> None:
    answer = ask("create_party", town.operator(), body={**PARTY, **change})
    assert (answer.status, answer.code) == (422, "invalid_body")
    assert answer.body["errors"][0]["pointer"].startswith(pointer)


def test_a_clinic_changes_its_own_entry_in_the_version_it_has_read(town: Any, ask: Any) -> None:
    path = {"party_id": "clinic"}
    etag = ask("get_party", town.finance(), path).etag
    assert ask("update_party", town.finance(), path, body={"name": "New name"}).code == "precondition_required"
    done = ask("update_party", town.finance(), path, body={"name": "New name"}, if_match=etag)
    assert (done.status, done.body["name"]) == (200, "New name")
    stale = ask("update_party", town.finance(), path, body={"name": "Other"}, if_match=etag)
    assert (stale.status, stale.code) == (412, "precondition_failed")
    stranger = ask("update_party", town.finance("hospital"), path, body={"name": "X"}, if_match=done.etag)
    assert (stranger.status, stranger.code) == (403, "not_related")
    assert town.market.register.parties(ids=["clinic"])[0].name == "New name"


@pytest.mark.parametrize("change", [{"facts": {"facility_level": "9"}}, {"roles": ["payer"]}])
def test_a_clinic_sets_neither_its_roles_nor_what_prices_depend_on(town: Any, ask: Any, change: Any) -> None:
    path = {"party_id": "clinic"}
    etag = ask("get_party", town.finance(), path).etag
    assert ask("update_party", town.finance(), path, body=change, if_match=etag).status == 403
    assert (
        ask("create_site", town.finance(), path, body={"name": "Annex", "facts": {"facility_level": "9"}}).status == 403
    )
    assert ask("update_party", town.operator(), path, body=change, if_match=etag).status == 200


def test_of_two_changes_at_once_one_holds(town: Any, ask: Any) -> None:
    path = {"party_id": "clinic"}
    etag = ask("get_party", town.finance(), path).etag

    def change(name: str) -> int:
        return ask("update_party", town.finance(), path, body={"name": name}, if_match=etag).status

    with ThreadPoolExecutor(4) as threads:
        statuses = sorted(threads.map(change, ["a", "b", "c", "d"]))
    assert statuses == [200, 412, 412, 412]


def test_the_list_goes_page_by_page_and_shows_each_once(town: Any, ask: Any) -> None:
    for number in range(5):
        ask("create_party", town.operator(), body={"id": f"p{number}", "roles": ["employer"], "name": "N"})
    seen: list[str] = []
    query: dict[str, str] = {"limit": "3"}
    while True:
        page = ask("list_parties", town.patient(), query=query).body
        seen += [party["id"] for party in page["data"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == ["clinic", "hospital", "p0", "p1", "p2", "p3", "p4", "town-fund", "town-hall", "town-insurance"]
    payers = ask("list_parties", town.patient(), query={"role": "payer"}).body["data"]
    assert [party["id"] for party in payers] == ["town-hall", "town-insurance"]
    assert ask("list_parties", town.patient(), query={"role": "site"}).status == 400


def test_another_tenant_is_not_there(town: Any, other_town: Any, ask: Any) -> None:
    ask("create_party", other_town.operator(), body=PARTY)
    assert ask("get_party", town.operator(), {"party_id": "eye-clinic"}).status == 404
    assert ask("get_party", town.operator(), {"party_id": "no\x00body"}).status == 404


def test_sites_and_practitioners_belong_to_their_provider(town: Any, ask: Any) -> None:
    path = {"party_id": "clinic"}
    site = ask("create_site", town.integrator(), path, body={"name": "Annex", "starts_on": "2026-01-01"})
    assert (site.status, site.body["zone"], site.body["party"]) == (201, "America/New_York", "clinic")
    person = ask("create_practitioner", town.finance(), path, body={"name": "Dr. X", "npi": "1245319599"})
    assert person.status == 201, person.body
    assert ask("create_site", town.finance("hospital"), path, body={"name": "Annex"}).code == "not_related"
    assert ask("create_practitioner", town.finance(), path, body={"name": "Y", "npi": "1245319598"}).status == 422
    assert [one["id"] for one in ask("list_sites", town.patient(), path).body["data"]] == [site.body["id"]]
    others = {"party_id": "hospital"}
    assert ask("list_practitioners", town.patient(), others).body == {"data": [], "next": None}
    site_path = {"site_id": site.body["id"]}
    ended = ask("update_site", town.finance(), site_path, body={"ends_on": "2026-06-01"}, if_match=site.etag)
    assert (ended.status, ended.body["ends_on"]) == (200, "2026-06-01")
    early = ask("update_site", town.finance(), site_path, body={"ends_on": "2025-06-01"}, if_match=ended.etag)
    assert early.status == 422
    assert (
        ask("update_site", town.finance("hospital"), site_path, body={"name": "Z"}, if_match=ended.etag).status == 403
    )
    assert ask("update_site", town.finance(), {"site_id": "clinic"}, body={"name": "Z"}, if_match="*").status == 404
    # Who gives care, and where, is not among those who provide, pay, fund and employ.
    assert site.body["id"] not in [one["id"] for one in ask("list_parties", town.patient()).body["data"]]


def test_an_npi_is_checked_for_everybody_with_a_credential(town: Any, ask: Any) -> None:
    good = ask("check_npi", town.patient(), body={"npi": "1234567893"})
    assert good.body == {"npi": "1234567893", "well_formed": True}
    assert ask("check_npi", town.patient(), body={"npi": "1234567894"}).body["well_formed"] is False
    assert ask("check_npi", town.nobody(), body={"npi": "1234567893"}).status == 401
