"""Patients prove with their account once more who they are, and are back where they were, on a page of ours."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor
from test_desk_oidc import FakeProvider, provider, visitor  # noqa: F401
from test_my_sessions import seat_of

from drachm.application.ties import Tie, allow
from drachm.domain.money import MICROS

PAGE = "/my/pay/check?visit=vis_x&wallet="


@pytest.fixture
def patient(visitor: Visitor, provider: FakeProvider) -> Visitor:  # noqa: F811
    provider.bend = lambda claims: claims.update(roles=["patient"], parties=[])
    at = visitor.town.clock.now()
    subject = f"{provider.address}|noor-1"
    tie = Tie("rel_noor", subject, "ana", "self", at, at + timedelta(days=30), allowed_by="t")
    allow(visitor.town.market.records, tie)
    back = provider.log_in(str(visitor.get("begin_my_provider", query={"with": "0"}).headers["location"]))
    answer = visitor.get("end_my_provider", query=back)
    assert (answer.status, answer.headers["location"]) == (303, "/my")
    visitor.town.clock.move(minutes=11)
    provider.now = visitor.town.clock.now().timestamp()
    return visitor


def sent(patient: Visitor, onward: str = PAGE) -> str:
    return str(patient.get("begin_my_provider", query={"with": "0", "next": onward}).headers["location"])


def test_a_proof_with_the_account_leads_back_to_the_page(patient: Visitor, provider: FakeProvider) -> None:  # noqa: F811
    assert seat_of(patient).must_prove(500 * MICROS, PAGE) is not None
    page = patient.get("open_my_proof", query={"next": PAGE}).body
    assert "/my/sign-in/provider?with=0&amp;next=/my/pay/check%3Fvisit%3Dvis_x%26wallet%3D" in page
    address = sent(patient)
    assert parse_qs(urlsplit(address).query)["max_age"] == ["0"], "the provider is asked for a login of now"
    before = patient.cookies["drachm_my"]
    answer = patient.get("end_my_provider", query=provider.log_in(address))
    assert (answer.status, answer.headers["location"]) == (303, PAGE)
    assert patient.cookies["drachm_my"] == before, "the session goes on"
    assert seat_of(patient).must_prove(500 * MICROS, PAGE) is None


def test_an_old_login_and_another_person_prove_nothing(patient: Visitor, provider: FakeProvider) -> None:  # noqa: F811
    for change in ({"auth_time": int(provider.now) - 1_000}, {"sub": "other-1"}):

        def bend(claims: dict[str, Any], change: dict[str, Any] = change) -> None:
            claims.update(roles=["patient"], parties=[], **change)

        provider.bend = bend
        answer = patient.get("end_my_provider", query=provider.log_in(sent(patient)))
        assert answer.status == 401, change
        assert seat_of(patient).must_prove(500 * MICROS, PAGE) is not None


def test_nobody_is_led_elsewhere(patient: Visitor, provider: FakeProvider) -> None:  # noqa: F811
    for place in ("https://evil.example", "//evil.example", "/my//evil.example", "/desk", "/my/\\evil"):
        answer = patient.get("end_my_provider", query=provider.log_in(sent(patient, place)))
        assert (answer.status, answer.headers["location"]) == (303, "/my"), place


def test_who_was_signed_out_meanwhile_signs_in_and_goes_on(patient: Visitor, provider: FakeProvider) -> None:  # noqa: F811
    address = sent(patient)
    del patient.cookies["drachm_my"]
    answer = patient.get("end_my_provider", query=provider.log_in(address))
    assert (answer.status, answer.headers["location"]) == (303, PAGE)
    assert "drachm_my" in patient.cookies
