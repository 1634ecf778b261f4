"""Text messages at the desk: masked, without codes and care, of one clinic only, and honest about what is unknown."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor

from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.service.notices_text import writer
from drachm.application.people import PROFILE
from drachm.application.records import Record
from drachm.application.text_messages import KIND, Outgoing, TextMessages
from drachm.domain.errors import Unavailable


class Gateway:
    """Takes messages, or does not."""

    broken = False

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    def send(self, message: Outgoing) -> None:
        if self.broken:
            raise Unavailable("the gateway is away", where="gateway")
        self.sent.append(message)


def furnished(town: Any) -> tuple[Gateway, TextMessages]:
    gateway, market, desk = Gateway(), town.market, town.desk
    numbers = iter(range(10**6))
    write = writer(
        *(town.name, "https://drm.example", "555 0100", market.records, desk.ids.random_bytes),
        lambda: f"cod_{next(numbers):06}{town.clock.now().timestamp()}",
    )
    messages = TextMessages(market.index, desk.books, market.register, market.records, write, gateway, town.clock.now)
    messages.make()
    for member, given in (("ana", "Ana"), ("dan", "Dan")):
        contact = {"phone": "+1 555 010 2030"}
        body = {"contact": contact, "name": {"given": given, "family": "Castro"}}
        market.records.put([Record(PROFILE, member, body, members=frozenset({member}))])
    return gateway, messages


def visit(town: Any, name: str, **changes: Any) -> None:
    started = town.clock.now() - timedelta(minutes=20)
    town.clear(town.event(name, 40, started_at=started, visit=name, display="CANARY care", **changes))


def make(town: Any, messages: TextMessages) -> None:
    town.clock.move(minutes=16)
    town.follow()
    while messages.make():
        pass


@pytest.fixture
def noor(street: Any, town: Any, ask: Any) -> Any:
    house = street.house
    gateway, messages = furnished(town)
    visit(town, "m1")
    make(town, messages)
    messages.send()
    gateway.broken = True
    visit(town, "m2", member="dan")
    visit(town, "m3", member="dan", billing_party="hospital")
    make(town, messages)
    messages.send()
    messages.send()
    town.extra |= {"gateway": gateway, "messages": messages}
    yield Visitor(street, town, ask).signed_in("Noor", [Role.CLERK], ["clinic"])
    street.house = house


def test_what_was_said_to_whom_and_whether_it_went_out(noor: Visitor) -> None:
    words = noor.words("open_desk_messages")
    assert "Ana C." in words
    assert "Visit 10 Mar: price 40.00" in words
    assert "Sent" in words
    # Handed over twice, and taken neither time.
    assert "Could not be sent yet" in words
    assert "Tried 2 times" in words
    noor.town.extra["gateway"].broken = False
    noor.town.extra["messages"].send()
    assert "Could not be sent yet" not in noor.words("open_desk_messages")
    assert "Tried 3 times" in noor.words("open_desk_messages")


def test_no_number_no_code_and_no_care_stand_there(noor: Visitor) -> None:
    html = noor.get("open_desk_messages").body
    sent = noor.town.extra["gateway"].sent[0]
    assert sent.number == "+15550102030"
    code = sent.text.partition("/s/")[2].split()[0]
    assert len(code) > 8
    for secret in ("5550102030", "0102", code, code[-6:], "CANARY"):
        assert secret not in html, secret
    assert "…030" in html


def test_messages_of_another_clinic_another_role_and_another_day(noor: Visitor, other_town: Any, ask: Any) -> None:
    records = noor.town.market.records
    assert len(records.find(KIND)) == 3
    assert noor.words("open_desk_messages").count("Visit 10 Mar") == 3  # one is in both lists: it has not gone out
    other = noor.signed_in("Hal", [Role.CLERK], ["hospital"])
    assert "Ana" not in other.words("open_desk_messages")
    assert "Could not be sent yet" in other.words("open_desk_messages")
    assert noor.signed_in("Ada", [Role.AUDITOR], []).words("open_desk_messages").count("Sent") >= 1
    assert noor.signed_in("Fay", [Role.FINANCE], ["clinic"]).get("open_desk_messages").status == 403
    assert "No message was made on this day." in noor.words("open_desk_messages", query={"day": "2026-03-09"})
    assert noor.get("open_desk_messages", query={"day": "nonsense"}).status == 400


def test_what_nobody_knows_is_said_to_be_unknown(noor: Visitor) -> None:
    records = noor.town.market.records
    (stuck,) = records.find(KIND, parties=["clinic"], terms=["state=waiting"])
    body = {**stuck.body, "state": "sending"}
    records.put([replace(stuck, body=body, terms=frozenset({"state=sending", f"day={body['day']}"}))])
    words = noor.words("open_desk_messages")
    assert "Nobody knows" in words
    assert "tell the patient at the desk" in words


def test_the_line_of_a_charge_says_when_and_what_is_still_to_come(noor: Visitor) -> None:
    words = noor.words("open_desk_charge", {"charge_id": noor.charge("m1")})
    assert re.search(r"in the books \+?[0-9:]+", words)
    assert "patient told 12:16:00" in words
    waiting = noor.words("open_desk_charge", {"charge_id": noor.charge("m2")})
    assert "message waits still to come" in waiting
    assert "patient told" not in waiting
