"""How does the demo end? With its books served on loopback, a receipt to open in a browser, and care that goes on."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from drachm.application.clear_events import clear_events
from drachm.application.first_answers import Outcome
from drachm.bootstrap import Place
from drachm.cli.demo_network import FIRST_AGAIN, fill_wallets, going_on
from drachm.cli.demo_people import PERSONAS, settle
from drachm.domain.errors import Unavailable
from drachm.domain.events.model import ServiceEvent
from drachm.service.run import Running, running
from drachm.settings import Settings

PAUSE_SECONDS: Final = 1.0
"""Between two events that go on clearing: slow enough to follow a stream of receipts."""
LINK_HOURS: Final = 24
PATIENCE: Final = 200
"""Tenths of a second to wait for the list of receipts."""


@dataclass(frozen=True, slots=True)
class Guest:
    """The receipt that a visitor of the demo is shown in a browser."""

    outcome: Outcome
    birth_date: date | None


def serve_demo(
    console: Console, place: Place, settings: Settings, events: Sequence[ServiceEvent], guest: Guest
) -> None:
    """Serve the demo's books until Ctrl-C; the network's care goes on, an event a second.

    It is play money whatever the environment says, and on loopback only.
    """
    here = replace(settings, environment="sandbox", base_url="", workers=1)
    with running(here, place.url) as service:
        tenant = place.desk.books.tenant
        operator = service.new_key(["operator"], tenant=tenant)
        link = _link(service, tenant, guest.outcome)
        settle(service, place.desk)
        _tell(console, service.base_url, operator, link, guest)
        _tell_people(console, service.base_url)
        _go_on(console, place, events)


def _tell(console: Console, base: str, key: str, link: str, guest: Guest) -> None:
    day = guest.birth_date
    hint = f"to whoever knows the date of birth: [bold]{day.day} {day.month} {day.year}[/bold]" if day else "to nobody"
    party = escape(guest.outcome.event.billing_party)
    console.rule("[bold]The same books, served[/bold]", align="left")
    for line in (
        "A patient's receipt, by a link that needs no login:",
        f"  {link}",
        f"  It shows amounts; it names the care {hint}",
        f"Operator key of this sandbox: {key}",
        "Ask the service:",
        f"  curl -s '{base}/v1/receipts?limit=2' -H 'authorization: Bearer {key}'",
        f"Receipts of {party} as they come, for care goes on clearing, an event a second:",
        f"  curl -sN {base}/v1/parties/{party}/receipts/stream -H 'authorization: Bearer {key}'",
    ):
        console.print(line, soft_wrap=True)


def _tell_people(console: Console, base: str) -> None:
    console.print("Look around as one of these; the sign-in asks for no password:")
    for persona in PERSONAS:
        console.print(f"  {persona.name}, {escape(persona.what)}: {base}{persona.path}", soft_wrap=True)
    console.print("Ctrl-C ends it.")


def _go_on(console: Console, place: Place, events: Sequence[ServiceEvent]) -> None:
    """Clear the network's care over and over, each time as it happens now, until Ctrl-C."""
    cleared, desk = 0, place.desk
    try:
        with console.status("") as status:
            for turn in count(FIRST_AGAIN):
                fill_wallets(desk, desk.clock.now(), turn)
                for event in going_on(events, turn, desk.clock.now):
                    clear_events([event], desk)
                    cleared += 1
                    status.update(f"{cleared:,} more events cleared; Ctrl-C ends")
                    time.sleep(PAUSE_SECONDS)
    except KeyboardInterrupt:
        console.print(f"\n{cleared:,} more events were cleared. The demo has ended; its books stay until the next one.")


def _link(service: Running, tenant: int, outcome: Outcome) -> str:
    """A signed link to the outcome's receipt, made by the interface as a clinic's own system would."""
    key = service.new_key(["integrator"], [outcome.event.billing_party], tenant=tenant)
    day = outcome.event.started_at.date()
    days = f"since={day - timedelta(days=1)}&until={day + timedelta(days=1)}"
    # Lists follow the books a moment later.
    for _ in range(PATIENCE):
        found = _ask(service, key, f"/v1/receipts?limit=100&member={outcome.event.member}&{days}")
        for receipt in found["data"]:
            if receipt["leaf"] == outcome.leaf.hex():
                made = _ask(service, key, f"/v1/receipts/{receipt['id']}/links", {"hours": LINK_HOURS})
                return str(made["url"])
        time.sleep(0.1)
    raise Unavailable("the service does not list the demo's receipts", where="demo", next_step="Run ./drachm doctor.")


def _ask(service: Running, key: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        service.base_url + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except OSError as error:
        raise Unavailable(f"the demo's own service did not answer: {error}", where=path.partition("?")[0]) from None
