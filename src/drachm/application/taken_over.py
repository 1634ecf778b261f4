"""Whose events do these replacements want to take the place of?

The clearing line refuses a replacement that does not say whose charge it takes (`clear.check_target`). Who sends on
behalf of some parties only, and names another party's charge that is here, is told so before anything is written.
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
