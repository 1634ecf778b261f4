"""Events of the measured town: the same for the same seed, within the writer's shards, and clearable."""

from __future__ import annotations

from collections import Counter

import pytest

from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.bench.load import MIX, SKEWED, Load
from drachm.bench.settle import settle
from drachm.bench.world import SHARDS


def family_of(event) -> int:
    return int(event.member.split("-")[0].removeprefix("f"))


def test_the_same_writer_tells_the_same_events(town) -> None:
    assert Load(town).events(300) == Load(town).events(300)
    assert Load(town, writer=0, writers=2).events(50) != Load(town, writer=1, writers=2).events(50)


def test_each_writer_has_families_of_its_own_and_together_they_have_all_shards(town) -> None:
    shards = []
    for writer in range(3):
        events = Load(town, writer=writer, writers=3).events(1_500)
        shards.append({family_of(event) % SHARDS for event in events})
    assert set.union(*shards) == set(range(SHARDS))
    assert sum(map(len, shards)) == SHARDS


def test_events_come_in_order_of_time_with_keys_of_their_own(town) -> None:
    events = Load(town).events(2_000)
    new = list({event.event_id: event for event in events}.values())
    assert [event.started_at for event in new] == sorted(event.started_at for event in new)
    assert 0 < len(events) - len(new) < 30


def test_the_mix_is_what_it_says(town) -> None:
    events = Load(town).events(4_000)
    kinds = Counter(event.kind for event in events)
    assert sum(MIX.values()) == 10_000
    assert 0.9 < kinds["charge"] / len(events) < 0.97
    for kind in ("hold", "reversal", "replacement", "stop"):
        assert kinds[kind] > 5
    assert sum(event.code.value == "NO-SUCH-CODE" for event in events) > 10


def test_what_refers_to_an_earlier_event_does_so_once(town) -> None:
    seen: dict[str, str] = {}
    referred: Counter[str] = Counter()
    for event in {event.event_id: event for event in Load(town).events(4_000)}.values():
        if event.replaces:
            assert seen[event.replaces] == event.member
            referred[event.replaces] += 1
        seen[event.event_id] = event.member
    assert len(referred) > 20
    assert set(referred.values()) == {1}


def test_skewed_traffic_falls_on_three_families_of_each_writer(town) -> None:
    families = Counter(map(family_of, Load(town, writer=1, writers=2).events(2_000, SKEWED)))
    heavy = [count / 2_000 for _, count in families.most_common(3)]
    assert heavy == pytest.approx(SKEWED.heavy, abs=0.04)


def test_the_events_clear_and_the_books_agree(town, new_desk) -> None:
    desk = new_desk()
    settle(town, desk, lambda _words: None)
    load, outcomes = Load(town), []
    for _ in range(3):
        outcomes += clear_events(load.events(400), desk)
    statuses = Counter(outcome.status for outcome in outcomes)
    reasons = {outcome.reason for outcome in outcomes if outcome.status in ("pended", "refused")}
    assert statuses["posted"] > 1_000
    assert statuses["denied"] > 0
    # Only what the mix means to be held up is held up.
    assert reasons == {"unknown_code", "unknown_member", "insufficient_funds", "unknown_target"} & reasons
    assert {"unknown_code", "insufficient_funds"} <= reasons
    assert check_books(desk.books) == []
