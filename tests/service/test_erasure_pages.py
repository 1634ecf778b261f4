"""To be erased, on pages: asked by the person, or written down for them; taken up, agreed to by another, refused."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor, token_for

from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.service.sandbox_people import ISSUER
from drachm.application.ties import Tie, allow
from drachm.domain.coverage.model import Member


@pytest.fixture
def cleo(visitor: Visitor, town: Any) -> Visitor:
    """Cleo at her own pages."""
    return own(visitor, "Cleo", "cleo")


def own(visitor: Visitor, name: str, member: str, relation: Any = "self") -> Visitor:
    other, at = Visitor(visitor.street, visitor.town, visitor.ask), visitor.town.clock.now()
    allow(
        visitor.town.market.records,
        Tie(f"rel_{name}{member}", f"{ISSUER}|{name}", member, relation, at, at + timedelta(days=30), allowed_by="t"),
    )
    role = Role.PATIENT if relation == "self" else Role.RELATIVE
    other.get("open_my_sign_in")
    assert other.post("sign_in_to_my", {"token": token_for(other, name, [role], [])}).status == 303
    return other


@pytest.fixture
def desk(visitor: Visitor, town: Any) -> Any:
    def sign_in(name: str) -> Visitor:
        return visitor.signed_in(name, [Role.OPERATOR], [])

    return sign_in


KEY = {"key": "k" * 30}


def asked(cleo: Visitor) -> str:
    cleo.get("open_my_kept")
    assert cleo.post("ask_from_my_kept", {**KEY, "words": "Please erase it."}).status == 303
    found = cleo.town.market.records.find("erasure", members=["cleo"])
    return str(found[-1].id)


def test_a_wish_goes_from_the_persons_page_to_two_people_and_is_done(cleo: Visitor, desk: Any, town: Any) -> None:
    assert "/my/kept" in cleo.get("open_my_home").body
    page = cleo.words("open_my_kept")
    assert "Your visits: what was done" in page
    assert "Ask us to erase it" in page
    one = {"erasure_id": asked(cleo)}
    assert asked(cleo) == one["erasure_id"], "the same form again is the same wish"
    page = cleo.words("open_my_kept")
    assert "We have your wish." in page
    assert "We answer by Friday 10 April 2026." in page
    assert "Anything you want to say" not in page
    olga, otto = desk("Olga"), desk("Otto")
    assert one["erasure_id"] in olga.get("open_desk_erasures").body
    assert "Please erase it." in olga.words("open_desk_erasure", one)
    assert "Agree: erase it for ever" not in olga.words("open_desk_erasure", one)
    assert olga.post("propose_erasure_at_desk", {}, one).status == 303
    assert "Not you: you asked or took it up." in olga.words("open_desk_erasure", one)
    assert olga.post("agree_to_erasure_at_desk", {}, one).status == 403
    assert "A second person has to agree." in cleo.words("open_my_kept")
    # Something is due meanwhile.
    town.clear(town.event("e1", 8, member="cleo", facts={"category": "cosmetic"}))
    for page in (cleo.words("open_my_kept"), otto.words("open_desk_erasure", one)):
        assert "Care is not paid for. $8.00" in page
        assert "have the clinic give it up" in page
    no = otto.post("agree_to_erasure_at_desk", {}, one)
    assert no.status == 409
    assert "Nothing was erased" in no.body
    town.clear(town.event("r1", kind="reversal", replaces="e1", member="cleo"))
    assert otto.post("agree_to_erasure_at_desk", {}, one).status == 303
    done = otto.words("open_desk_erasure", one)
    assert "Erased" in done
    assert "Please erase it." not in done
    assert "Agree: erase it for ever" not in done
    # Whoever was this person and nobody else is signed out, and is nobody when they come back.
    assert cleo.get("open_my_kept").status == 303
    assert cleo.get("open_my_home").headers["location"].startswith("/my/sign-in")


def test_a_refusal_says_why_until_when_and_what_to_do(cleo: Visitor, desk: Any) -> None:
    one, olga = {"erasure_id": asked(cleo)}, desk("Olga")
    olga.get("open_desk_erasure", one)
    form = {"ground": "legal_retention", "until": "", "note": "Ten years, by the law on records."}
    no = olga.post("refuse_erasure_at_desk", form, one)
    assert no.status == 422 or no.status == 400
    assert "Ten years" in no.body, "what was typed stays"
    assert olga.post("refuse_erasure_at_desk", {**form, "until": "2036-03-10"}, one).status == 303
    assert "The law has it kept, until 10 March 2036" in olga.words("open_desk_erasure", one)
    page = cleo.words("open_my_kept")
    for words in (
        "We cannot do it now.",
        "The law has it kept.",
        "You can ask again on Monday 10 March 2036.",
        "Ten years",
    ):
        assert words in page
    assert "data protection office" in page
    assert "Anything you want to say" in page, "another wish may be asked"


def test_it_is_taken_back_where_it_was_asked(cleo: Visitor) -> None:
    one = asked(cleo)
    assert cleo.post("ask_from_my_kept", {"back": one}).status == 303
    assert "You took this back." in cleo.words("open_my_kept")
    assert cleo.post("ask_from_my_kept", {"back": one}).status == 409
    assert cleo.post("ask_from_my_kept", {"words": "no key"}).status in (303, 400)
    assert cleo.post("ask_from_my_kept", {"back": "ers_none"}).status == 404


def test_it_is_written_down_at_the_desk(desk: Any, town: Any) -> None:
    olga = desk("Olga")
    olga.get("open_desk_erasures")
    no = olga.post("ask_for_erasure_at_desk", {**KEY, "member": "zed", "words": "By post."})
    assert no.status in (400, 422)
    assert "Nobody is registered under this id." in no.body
    assert 'value="By post."' in no.body
    made = olga.post("ask_for_erasure_at_desk", {**KEY, "member": "cleo", "words": "By post."})
    one = {"erasure_id": made.headers["location"].rpartition("/")[2]}
    assert "Waits for a second person" in olga.words("open_desk_erasure", one)
    assert olga.post("withdraw_erasure_at_desk", {}, one).status == 303
    assert "Withdrawn" in olga.words("open_desk_erasures")


def test_relatives_clerks_and_other_patients_see_none_of_it(cleo: Visitor, visitor: Visitor, town: Any) -> None:
    one = {"erasure_id": asked(cleo)}
    town.desk.books.enrol(members=[Member("zoe")])
    rita, zoe = own(visitor, "Rita", "cleo", "relative"), own(visitor, "Zoe", "zoe")
    assert rita.get("open_my_kept").status == 403
    assert "/my/kept" not in rita.get("open_my_home").body
    assert zoe.get("open_my_kept", query={"for": "cleo"}).status == 200
    assert "Please erase it." not in zoe.words("open_my_kept")
    zoe.get("open_my_kept")
    assert zoe.post("ask_from_my_kept", {"back": one["erasure_id"]}).status == 404
    noor = visitor.signed_in("Noor", [Role.CLERK], ["clinic"])
    assert "/desk/erasures" not in noor.get("open_desk").body
    assert noor.get("open_desk_erasures").status == 403
    assert noor.get("open_desk_erasure", one).status in (403, 404)
    assert noor.post("agree_to_erasure_at_desk", {}, one).status in (403, 404)
    audrey = visitor.signed_in("Audrey", [Role.AUDITOR], [])
    assert "Please erase it." in audrey.words("open_desk_erasure", one)
    assert "Take it up" not in audrey.words("open_desk_erasure", one)
    assert audrey.post("propose_erasure_at_desk", {}, one).status == 403


def test_no_form_of_elsewhere_does_anything(cleo: Visitor, desk: Any) -> None:
    one, olga = {"erasure_id": asked(cleo)}, desk("Olga")
    for name in ("propose_erasure_at_desk", "refuse_erasure_at_desk", "withdraw_erasure_at_desk"):
        assert olga.post(name, {"csrf": "0" * 64, "ground": "no_right"}, one).status == 403
    assert cleo.post("ask_from_my_kept", {"csrf": "0" * 64, "back": one["erasure_id"]}).status == 403
    assert cleo.town.market.records.get("erasure", one["erasure_id"]).version == 1
