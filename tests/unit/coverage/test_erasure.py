"""Two people decide, nobody about themselves, and a refusal says until when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from drachm.domain.coverage.erasure import (
    Erasure,
    agreed,
    erased,
    refused,
    reopened,
    taken_up,
    withdrawn,
)
from drachm.domain.errors import Conflict, InvalidMessage

AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
ASKED = Erasure("ers_1", "ana", "idp|ana", AT)
PROPOSED = taken_up(ASKED, "idp|olga", AT)
AGREED = agreed(PROPOSED, "idp|otto", AT)


def test_a_month_is_counted_as_the_law_counts_it() -> None:
    assert ASKED.answer_by == date(2026, 2, 28)


def test_asked_taken_up_agreed_erased() -> None:
    done = erased(AGREED, AT)
    assert [one.state for one in (ASKED, PROPOSED, AGREED, done)] == ["asked", "proposed", "agreed", "erased"]
    assert (done.proposed_by, done.agreed_by) == ("idp|olga", "idp|otto")
    assert reopened(AGREED) == PROPOSED


@pytest.mark.parametrize("who", ["idp|olga", "idp|ana", ""])
def test_nobody_agrees_to_what_they_asked_or_proposed(who: str) -> None:
    with pytest.raises(Conflict) as caught:
        agreed(PROPOSED, who, AT)
    assert caught.value.code == "second_person_needed"


def test_nobody_takes_up_their_own_wish_but_one_they_wrote_down_for_somebody() -> None:
    with pytest.raises(Conflict):
        taken_up(ASKED, "idp|ana", AT)
    written = Erasure("ers_2", "ana", "idp|olga", AT, on_behalf=True)
    assert taken_up(written, "idp|olga", AT).state == "proposed"
    with pytest.raises(Conflict):
        agreed(taken_up(written, "idp|otto", AT), "idp|olga", AT)


def test_a_refusal_has_a_day_that_has_not_come() -> None:
    no = refused(ASKED, "idp|olga", AT, "legal_retention", AT.date() + timedelta(days=1))
    assert (no.state, no.until) == ("refused", date(2026, 2, 1))
    assert refused(PROPOSED, "idp|otto", AT, "legal_claims", None).state == "refused"
    for ground, until in (("legal_retention", None), ("legal_retention", AT.date()), ("legal_claims", AT.date())):
        with pytest.raises(InvalidMessage):
            refused(ASKED, "idp|olga", AT, ground, until)  # type: ignore[arg-type]


def test_what_is_over_is_over() -> None:
    over = [
        withdrawn(ASKED, "idp|ana", AT),
        refused(ASKED, "idp|olga", AT, "no_right", None),
        AGREED,
        erased(AGREED, AT),
    ]
    for one in over:
        for act in (
            lambda one=one: taken_up(one, "idp|x", AT),
            lambda one=one: agreed(one, "idp|x", AT),
            lambda one=one: withdrawn(one, "idp|x", AT),
            lambda one=one: refused(one, "idp|x", AT, "no_right", None),
        ):
            with pytest.raises(Conflict, match="already"):
                act()
    for early in (ASKED, PROPOSED):
        with pytest.raises(Conflict):
            erased(early, AT)
    with pytest.raises(Conflict, match="taken this up"):
        agreed(ASKED, "idp|otto", AT)
