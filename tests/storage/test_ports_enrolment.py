"""What the core may rely on about people, pots and documents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from drachm.application.ports import Books
from drachm.domain.clearing.numbers import party_number, patient_number, pot_number
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import Conflict, InvalidMessage
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.periods import Period

ALWAYS = Period(date(1900, 1, 1))


@pytest.fixture
def registry(visit: Any) -> Any:
    """Who is registered now, of those that the events name; of `visit()` without any."""

    def read(books: Books, *events: ServiceEvent) -> Any:
        with books.work() as work:
            return work.registry(events or [visit()])

    return read


def test_the_registry_holds_what_the_batch_names(books: Books, visit: Any, registry: Any) -> None:
    ana = Member("ana", date(1990, 5, 1), "female", "family-1", 7, {"income_band": "low", "children": 2, "vip": False})
    first = Coverage("c1", "ana", "plan-a", Period(date(2025, 1, 1), date(2026, 1, 1)), 1, "policy", {"tier": "gold"})
    second = Coverage("c2", "ana", "plan-b", ALWAYS, 2)
    clinic = Party("clinic", ("provider", "site"), "Clínica", "Europe/Madrid", {"facility": True, "level": 3})
    contracts = [
        Contract("clinic", payer, "book", Period(date(year, 1, 1), date(year + 1, 1, 1)), network)
        for payer, year, network in (("", 2025, "in"), ("insurer", 2024, "out"), ("insurer", 2025, "in"))
    ]
    books.enrol(
        parties=[clinic, Party("doctor", ("practitioner",)), Party("ward", ("site",)), Party("stranger", ())],
        members=[ana, Member("ben")],
        coverages=[second, first, Coverage("c3", "ben", "plan-a", ALWAYS)],
        contracts=[contracts[2], contracts[0], contracts[1], Contract("stranger", "", "book", ALWAYS)],
        pots=[
            Pot("cash", "ana", "USD", 99, 2),
            Pot("gift", "ana", "EUR", 0, 1, "wallet", 5),
            Pot("ben's", "ben", "USD", 0),
        ],
    )
    found = registry(books, visit(rendering_party="doctor", site="ward"), visit(event_id="e2", member="nobody"))
    assert found.tenant == books.tenant
    assert found.version == 1
    assert found.people.keys() == {"ana"}
    person = found.people["ana"]
    assert (person.member, person.number, person.coverages) == (
        *(ana, patient_number(books.tenant, "ana")),
        (first, second),
    )
    assert found.parties.keys() == {"clinic", "doctor", "ward"}
    record = found.parties["clinic"]
    assert (record.party, record.number, record.contracts) == (
        *(clinic, party_number(books.tenant, "clinic")),
        tuple(contracts),
    )
    assert found.parties["doctor"].contracts == ()
    assert person.pots == (
        Pot("gift", "ana", "EUR", 0, 1, "wallet", pot_number(books.tenant, "gift")),
        Pot("cash", "ana", "USD", 0, 2, "wallet", pot_number(books.tenant, "cash")),
    )


def test_an_id_that_no_database_can_hold_is_nobodys(books: Books, visit: Any, registry: Any) -> None:
    books.enrol(members=[Member("ana")])
    strange = [visit(member=member, billing_party=member, site=member) for member in ("a\x00na", "\ud800", "ana", "")]
    found = registry(books, *strange)
    assert (found.people.keys(), found.parties) == ({"ana"}, {})


def test_enrolling_again_replaces_but_keeps_shard_and_money(books: Books, fill: Any, registry: Any) -> None:
    books.enrol(
        members=[Member("ana", shard=3, sex="female")],
        coverages=[Coverage("c1", "ana", "old", ALWAYS)],
        contracts=[Contract("clinic", "", "old", ALWAYS)],
        parties=[Party("clinic", ("provider",), "Old name")],
    )
    fill(books, cash=50)
    books.enrol(
        members=[Member("ana", shard=9, family="f"), Member("ana", shard=9, family="g")],
        coverages=[Coverage("c1", "ana", "new", ALWAYS)],
        contracts=[Contract("clinic", "", "new", ALWAYS, "out")],
        parties=[Party("clinic", ("provider",), "New name")],
        pots=[Pot("cash", "ana", "USD", 0, priority=4)],
    )
    found = registry(books)
    ana, clinic = found.people["ana"], found.parties["clinic"]
    assert ana.member == Member("ana", shard=3, family="g")
    assert [coverage.plan for coverage in ana.coverages] == ["new"]
    assert [(one.price_book, one.network) for one in clinic.contracts] == [("new", "out")]
    assert clinic.party.name == "New name"
    assert ana.pots[0].priority == 4
    assert books.pots() == {"cash": (50, 0)}


def test_a_coverage_may_move_to_another_member(books: Books, visit: Any, registry: Any) -> None:
    books.enrol(members=[Member("ana"), Member("ben")], coverages=[Coverage("c1", "ana", "plan", ALWAYS)])
    books.enrol(coverages=[Coverage("c1", "ben", "plan", ALWAYS)])
    found = registry(books, visit(), visit(member="ben"))
    assert {name: len(person.coverages) for name, person in found.people.items()} == {"ana": 0, "ben": 1}


@pytest.mark.parametrize(
    "bad",
    [
        {"coverages": [Coverage("c1", "ana", "plan", Period(date(2025, 1, 1), date(2025, 1, 1)))]},
        {"contracts": [Contract("clinic", "", "book", Period(date(2025, 1, 2), date(2025, 1, 1)))]},
        {"contracts": [Contract("clinic", "", "book", ALWAYS, "maybe")]},
        {"pots": [Pot("cash", "ana", "dollars", 0)]},
    ],
    ids=["empty coverage", "backward contract", "unknown network", "unknown currency"],
)
def test_a_row_that_cannot_be_stored_keeps_the_whole_enrolment_out(
    books: Books, bad: dict[str, Any], registry: Any
) -> None:
    with pytest.raises(InvalidMessage):
        books.enrol(members=[Member("ana")], parties=[Party("clinic", ())], **bad)
    found = registry(books)
    assert (found.version, found.people, found.parties) == (0, {}, {})


def test_a_pot_never_changes_its_currency(books: Books, fill: Any, registry: Any) -> None:
    fill(books, cash=50)
    with pytest.raises(Conflict, match="another currency"):
        books.enrol(members=[Member("ana")], pots=[Pot("new", "ana", "EUR", 0), Pot("cash", "ana", "EUR", 0)])
    assert registry(books).people == {}
    assert books.pots() == {"cash": (50, 0)}


def plan(version: str, first: str, until: str | None, **changes: Any) -> dict[str, Any]:
    effective = {"from": first, "until": until} if until else {"from": first}
    steps = [{"id": "all", "kind": "pay", "clause": "1"}]
    base = {"id": "town", "version": version, "payer": "insurer", "currency": "USD", "zone": "UTC"}
    return {**base, "effective": effective, "steps": steps, **changes}


def price_book(version: str = "1", **changes: Any) -> dict[str, Any]:
    base = {"id": "town", "version": version, "currency": "USD", "zone": "UTC", "effective": {"from": "2025-01-01"}}
    return {**base, **changes}


def test_publishing_again_is_nothing_new(books: Books) -> None:
    document = plan("1", "2025-01-01", "2026-01-01")
    first = books.publish("plan", document)
    documents = books.documents()
    assert books.publish("plan", dict(reversed(document.items()))) == first
    assert books.documents() is documents
    assert documents.by_hash(first) is not None


def test_a_new_version_shows_at_once(books: Books) -> None:
    old = books.publish("plan", plan("1", "2025-01-01", "2026-01-01"))
    assert books.documents().plan("town", datetime(2026, 1, 1, tzinfo=UTC)) is None
    new = books.publish("plan", plan("2", "2026-01-01", None))
    found = books.documents()
    in_force = [found.plan("town", datetime(year, 1, 1, tzinfo=UTC)) for year in (2025, 2026)]
    assert [one.hash if one else "" for one in in_force] == [old, new]


@pytest.mark.parametrize(
    "document",
    [
        plan("1", "2025-01-01", "2026-01-01", payer="other"),
        plan("2", "2025-01-01", None),
        plan("2", "2024-01-01", "2025-01-02"),
        plan("2", "2025-03-01", "2025-04-01"),
    ],
    ids=["same version", "begins the same day", "overlaps the start", "lies inside"],
)
def test_a_version_that_does_not_fit_is_a_conflict(books: Books, document: dict[str, Any]) -> None:
    first = books.publish("plan", plan("1", "2025-01-01", "2026-01-01"))
    with pytest.raises(Conflict):
        books.publish("plan", document)
    found = books.documents().plan("town", datetime(2025, 3, 15, tzinfo=UTC))
    assert found is not None
    assert found.hash == first


def test_a_later_version_takes_over_from_an_open_one(books: Books) -> None:
    old = books.publish("plan", plan("1", "2025-01-01", None))
    books.publish("price_book", price_book())
    new = books.publish("plan", plan("2", "2026-01-01", None))
    books.publish("price_book", price_book("2", effective={"from": "2026-01-01"}))
    # A version between the two, published last, ends where the next one begins.
    with pytest.raises(Conflict, match="holds from then on"):
        books.publish("plan", plan("1b", "2025-07-01", None))
    between = books.publish("plan", plan("1b", "2025-07-01", "2026-01-01"))
    days = [datetime(2025, 6, 30, 23, 59, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)]
    days += [datetime(2025, 12, 31, 23, 59, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]

    def picked(version: int | None = None) -> list[str]:
        found = [books.documents(version).plan("town", day) for day in days]
        return [one.hash if one else "" for one in found]

    assert picked() == [old, between, between, new]
    # What was decided before is decided again with what was there then.
    assert picked(2) == [old] * 4
    assert picked(3) == [old, old, old, new]


def test_plans_and_price_books_do_not_stand_in_each_others_way(books: Books) -> None:
    books.publish("plan", plan("1", "2025-01-01", None))
    books.publish("price_book", price_book())
    with pytest.raises(Conflict):
        books.publish("price_book", price_book("2"))
    books.publish("plan", plan("1", "2025-01-01", None, id="other"))


def test_what_is_no_document_is_refused(books: Books) -> None:
    for kind, document in [
        ("plan", {"id": "town"}),
        ("plan", plan("1", "2025-01-01", None, rate=0.2)),
        ("recipe", plan("1", "2025-01-01", None)),
        ("price_book", price_book(includes=["town"])),
    ]:
        with pytest.raises(InvalidMessage):
            books.publish(kind, document)
    assert books.documents().plan("town", datetime(2025, 1, 1, tzinfo=UTC)) is None


def test_what_one_process_publishes_another_sees(any_database: str, open_tenant: Any) -> None:
    first, second = open_tenant(any_database), open_tenant(any_database)
    assert second.documents().plan("town", datetime(2025, 1, 1, tzinfo=UTC)) is None
    published = first.publish("plan", plan("1", "2025-01-01", None))
    assert second.documents().by_hash(published) is not None
    assert second.publish("plan", plan("1", "2025-01-01", None)) == published


def test_of_two_overlapping_versions_published_at_once_one_is_a_conflict(
    any_database: str, open_tenant: Any, race: Any
) -> None:
    desks = [open_tenant(any_database) for _ in range(4)]

    def publish(number: int) -> Callable[[], str]:
        return lambda: str(desks[number].publish("plan", plan(f"{number}", "2025-01-01", None)))

    answers = race([publish(number) for number in range(4)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Conflict", "Conflict", "str"]
