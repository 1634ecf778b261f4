"""Many waiting events at once: what would come of it, then for good, and nobody else's."""

from __future__ import annotations

from typing import Any

from drachm.domain.coverage.model import Member


def names(town: Any, ask: Any, *ids: str) -> list[str]:
    found = []
    for one in ids:
        page = ask("list_service_events", town.operator(), query={"source": "ehr", "event_id": one}).body
        found.append(page["data"][0]["id"])
    return found


def waiting(town: Any) -> None:
    town.clear(
        *[town.event(f"w{n}", 10 + n, member="newcomer", visit=f"v{n}") for n in range(3)],
        town.event("w3", 10, member="stranger", visit="v3"),
        town.event("w4", 40),
        town.event("h1", 10, member="newcomer", billing_party="hospital", visit="vh"),
    )


def retry(town: Any, ask: Any, events: list[str], caller: Any = None, **more: Any) -> Any:
    return ask("retry_work_queue", caller or town.clerk(), body={"events": events, **more})


def test_a_rehearsal_tells_and_posts_nothing_and_the_real_one_does_as_told(town: Any, ask: Any) -> None:
    waiting(town)
    events = names(town, ask, "w0", "w1", "w2", "w3", "w4")
    assert retry(town, ask, events).body["counts"] == {"pended": 4, "posted": 1}
    town.desk.books.enrol(members=[Member("newcomer")])
    rows = len(list(town.desk.books.rows()))
    told = retry(town, ask, events, rehearse=True).body
    assert told["rehearsed"]
    assert told["counts"] == {"posted": 4, "pended": 1}
    assert [one["event_id"] for one in told["results"]] == ["w0", "w1", "w2", "w3", "w4"]
    assert {one["id"] for one in told["results"]} == {None}
    assert len(list(town.desk.books.rows())) == rows
    done = retry(town, ask, events).body
    assert done["counts"] == told["counts"]
    assert [one["amounts"] for one in done["results"]] == [one["amounts"] for one in told["results"]]
    assert len(list(town.desk.books.rows())) > rows
    again = retry(town, ask, events).body
    assert [one["receipt"] for one in again["results"][:3]] == [one["receipt"] for one in done["results"][:3]]


def test_one_that_is_not_theirs_stops_all_of_it(town: Any, other_town: Any, ask: Any) -> None:
    waiting(town)
    town.desk.books.enrol(members=[Member("newcomer")])
    own, foreign = names(town, ask, "w0", "h1")
    rows = len(list(town.desk.books.rows()))
    for events in ([own, foreign], [own, "evt_nothing"], [own, own.upper()]):
        answer = retry(town, ask, events)
        assert (answer.status, answer.code) == (403, "not_related"), events
    assert retry(town, ask, [own], town.auditor()).status == 403
    assert retry(other_town, ask, [own], other_town.operator()).status == 403
    assert retry(town, ask, [own], town.finance()).status == 403
    for events in ([], ["x" * 65], [own] * 101):
        assert retry(town, ask, events).status == 422
    assert len(list(town.desk.books.rows())) == rows
    assert retry(town, ask, [own, own]).body["counts"] == {"posted": 1}
