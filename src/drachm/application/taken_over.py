"""Whose events do these replacements want to take the place of?

A correction may move a charge to another site of the same owner, so the clearing line does not compare billing parties
there. Who sends on behalf of some parties only must be stopped before: they may not touch what another party billed.
"""

from __future__ import annotations

from collections.abc import Iterable

from drachm.application.desk import Desk
from drachm.application.recall import kept_of
from drachm.domain.events.model import ServiceEvent
from drachm.domain.transparency.leaf import event_key


def taken_over(events: Iterable[ServiceEvent], desk: Desk) -> dict[tuple[str, str], str]:
    """(source, event id) of each event that a replacement names -> who billed it; those not here are left out."""
    batch = list(events)
    wanted = {(event.source, event.replaces) for event in batch if event.kind == "replacement"}
    if not wanted:
        return {}
    owners = {
        (event.source, event.event_id): event.billing_party
        for event in batch
        if (event.source, event.event_id) in wanted
    }
    tenant = desk.books.tenant
    names = {event_key(tenant, source, event_id): (source, event_id) for source, event_id in wanted}
    with desk.books.work() as work:
        stored = work.newest(list(names))
    for key, row in stored.items():
        kept = kept_of(row)
        if kept is not None and kept.body.event is not None:
            owners[names[key]] = kept.body.event.billing_party
    return owners
