"""The work list at the desk: what waits, why, since when, what to do; tried again one by one, chosen, or by reason."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor

from drachm.adapters.rest.identity.model import Role
from drachm.domain.coverage.model import Member


@pytest.fixture
def noor(street: Any, town: Any, ask: Any) -> Any:
    house = street.house
    town.clear(
        *[town.event(f"w{n}", 10 + n, member="newcomer", visit=f"v{n}") for n in range(3)],
        town.event("s1", 10, member="stranger", visit="v3", currency="EUR"),
        town.event("e1", 40),
        town.event("h1", 10, member="newcomer", billing_party="hospital", visit="vh"),
    )
    yield Visitor(street, town, ask).signed_in("Noor", [Role.CLERK], ["clinic"])
    street.house = house


def chosen(noor: Visitor, *events: str) -> dict[str, str]:
    return {f"event-{n}": noor.event(one) for n, one in enumerate(events, 1)}


def rows_of(noor: Visitor) -> int:
    return len(list(noor.town.desk.books.rows()))


def test_each_reason_stands_with_its_number_age_and_next_step(noor: Visitor) -> None:
    noor.town.clock.move(hours=25)
    noor = noor.again()
    words = noor.words("open_desk_work")
    assert "4 events wait, 4 for longer than a day" in words
    assert "We do not know this member. What to do: Register the member. The oldest waits for 25 hours." in words
    assert "25 hours Stuck" in words
    html = noor.get("open_desk_work").body
    assert noor.event("w0") in html
    assert noor.event("h1") not in html
    assert "unknown_member" not in noor.words("open_desk_work")


def test_it_is_narrowed_by_reason_clinic_and_insurer(noor: Visitor, town: Any, ask: Any) -> None:
    town.clear(town.event("x1", 10, code=noor.town.event("any").code, currency="XAF"))
    olga = noor.signed_in("Olga", [Role.OPERATOR], [])
    html = olga.get("open_desk_work", query={"provider": "hospital"}).body
    assert noor.event("h1") in html
    assert noor.event("w0") not in html
    assert "Town hospital" in html
    for query in ({"reason": "nothing_like_it"}, {"payer": "town-hall"}, {"provider": "town-fund"}):
        assert "Nothing waits like this." in olga.words("open_desk_work", query=query), query
    api = ask("list_work_queue", town.operator(), query={"provider": "hospital", "reason": "unknown_member"}).body
    assert [one["event"] for one in api["data"]] == [noor.event("h1")]
    assert ask("list_work_queue", town.clerk(), query={"provider": "hospital"}).body["data"] == []


def test_the_chosen_ones_are_tried_and_each_has_an_answer(noor: Visitor) -> None:
    noor.get("open_desk_work")
    noor.town.desk.books.enrol(members=[Member("newcomer")])
    before = rows_of(noor)
    answer = noor.post("retry_work_at_desk", chosen(noor, "w0", "s1"))
    assert answer.status == 200
    assert "1 event cleared. 1 still waits." in " ".join(answer.body.split())
    assert f'href="/desk/charges/{noor.charge("w0")}"' in answer.body
    assert rows_of(noor) == before + 1
    again = noor.post("retry_work_at_desk", chosen(noor, "w0", "s1"))
    assert "1 event cleared" in " ".join(again.body.split())
    assert rows_of(noor) == before + 1
    assert noor.event("w1") in again.body


def test_all_of_one_reason_and_nobody_elses(noor: Visitor) -> None:
    noor.get("open_desk_work")
    noor.town.desk.books.enrol(members=[Member("newcomer"), Member("stranger")])
    answer = noor.post("retry_work_at_desk", {"all": "unknown_member"})
    assert re.search(r"[34] events cleared", answer.body)
    waits = noor.ask("list_work_queue", noor.town.operator()).body["data"]
    assert noor.event("h1") in [one["event"] for one in waits]
    assert noor.event("w1") not in [one["event"] for one in waits]


def test_more_than_one_batch_goes_on_by_a_button(noor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drachm.adapters.rest.service.desk_work.MOST", 2)
    monkeypatch.setattr("drachm.adapters.rest.service.desk_work.PIECE", 2)
    noor.get("open_desk_work")
    noor.town.desk.books.enrol(members=[Member("newcomer"), Member("stranger")])
    first = noor.post("retry_work_at_desk", {"all": "unknown_member"})
    assert "2 events cleared" in first.body
    rest = re.search(r'name="rest" value="([^"]+)"', first.body)
    assert rest is not None
    second = noor.post("retry_work_at_desk", {"all": "unknown_member", "rest": rest[1]})
    assert re.search(r"[12] events? cleared", second.body)
    assert 'name="rest"' not in second.body


def test_nonsense_and_other_peoples_events_try_nothing(noor: Visitor) -> None:
    noor.get("open_desk_work")
    noor.town.desk.books.enrol(members=[Member("newcomer")])
    before = rows_of(noor)
    cases: list[tuple[dict[str, str], int]] = [
        ({}, 400),
        (chosen(noor, "w0", "h1"), 403),
        ({"event-1": "evt_nothing"}, 403),
        ({"event-1": "x" * 90}, 422),
        ({"all": "unknown_member", "rest": "nonsense"}, 400),
        ({**chosen(noor, "w0"), "csrf": "0" * 64}, 403),
    ]
    for form, status in cases:
        assert noor.post("retry_work_at_desk", form).status == status, form
    assert rows_of(noor) == before
    assert noor.get("open_desk_work", query={"cursor": "nonsense"}).status == 400
    # Whoever looks at everything and changes nothing has no button.
    audit = noor.signed_in("Ada", [Role.AUDITOR], [])
    assert "Try" not in audit.words("open_desk_work")
    assert audit.post("retry_work_at_desk", chosen(noor, "w0")).status == 403
    assert noor.signed_in("Fay", [Role.FINANCE], ["clinic"]).get("open_desk_work").status == 403
    assert rows_of(noor) == before


def test_today_counts_all_that_waits_and_leads_there(noor: Visitor) -> None:
    words = noor.words("open_desk")
    assert "4 events wait: work list" in words
    assert 'href="/desk/work"' in noor.get("open_desk").body
