"""An estimate for somebody who was merged is the other's, as clearing would have it."""

from __future__ import annotations

from drachm.adapters.eventjson import write_event


def test_an_estimate_of_a_merged_member_comes_true(town, ask) -> None:
    merged = ask("merge_members", town.operator(), body={"member": "cleo", "into": "ana"})
    assert merged.status in (200, 201), merged.body
    event = write_event(town.event("m1", 40, member="cleo"))
    foreseen = ask("create_estimate", town.clerk(), body={"events": [event]}).body["events"][0]
    real = ask("post_service_events", town.clerk(), body=event).body
    assert foreseen["amounts"] == real["amounts"]
    assert foreseen["plans"][0]["id"] == "town-plan"
