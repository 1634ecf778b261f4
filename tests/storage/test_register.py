"""The register has versions: everybody is read as of one of them, and earlier ones can be read again."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from drachm.application.ports import Books
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.errors import Conflict, IntegrityError, InvalidMessage
from drachm.domain.funding.model import Pot
from drachm.domain.periods import Period
from drachm.storage.registry import Register
from drachm.storage.remembered import Remembered, Roll
from drachm.storage.sheets import PersonSheet, pack
from drachm.storage.vault import Vault

Connection = psycopg.Connection[Any]

ALWAYS = Period(date(1900, 1, 1))
NEVER_YET = datetime(2025, 6, 1, tzinfo=UTC)
PLAN = {
    "id": "town",
    "version": "1",
    "payer": "insurer",
    "currency": "USD",
    "zone": "UTC",
    "effective": {"from": "2025-01-01", "until": "2026-01-01"},
    "steps": [{"id": "all", "kind": "pay", "clause": "1"}],
}


def said(registry: Any) -> Any:
    """What a registry says, comparable."""
    people = {
        name: (person.member, person.number, person.coverages, person.pots) for name, person in registry.people.items()
    }
    parties = {name: (record.party, record.number, record.contracts) for name, record in registry.parties.items()}
    return registry.version, people, parties


@pytest.fixture
def now(visit: Any) -> Callable[..., Any]:
    """Who is registered now, of ana, ben and the clinic."""

    def read(books: Books) -> Any:
        with books.work() as work:
            return work.registry([visit(), visit(member="ben"), visit(member="nobody", billing_party="nowhere")])

    return read


def test_every_change_is_one_version(books: Books, now: Any) -> None:
    assert now(books).version == 0
    books.enrol(members=[Member("ana"), Member("ben")], parties=[Party("clinic", ("provider",))])
    assert now(books).version == 1
    books.publish("plan", PLAN)
    books.publish("plan", PLAN)
    assert now(books).version == 2
    books.erase("ana")
    assert now(books).version == 3
    with pytest.raises(Conflict):
        books.publish("plan", {**PLAN, "payer": "another"})
    books.enrol(pots=[Pot("cash", "ana", "USD", 0)])
    with pytest.raises(Conflict):
        books.enrol(pots=[Pot("cash", "ana", "EUR", 0)])
    assert now(books).version == 4
    books.enrol()
    assert now(books).version == 5


def test_earlier_versions_are_read_again(books: Books, now: Any) -> None:
    """Read when they were new, and once more from the last."""
    changes: list[dict[str, Any]] = [
        {"members": [Member("ana", date(1990, 1, 1), facts={"vip": True, "income": 2**62})]},
        {"coverages": [Coverage("c1", "ana", "town", ALWAYS, 1, "p", {"tier": "gold"})]},
        {"members": [Member("ben")], "parties": [Party("clinic", ("provider",), "Old", "Europe/Madrid", {"level": 3})]},
        {"coverages": [Coverage("c1", "ben", "town", ALWAYS)], "contracts": [Contract("clinic", "x", "b", ALWAYS)]},
        {"pots": [Pot("cash", "ana", "USD", 7, 2), Pot("gift", "ana", "USD", 0, 1)]},
        {"pots": [Pot("gift", "ben", "USD", 0)], "parties": [Party("clinic", ("provider",), "New")]},
        {"members": [Member("ana", sex="female")], "contracts": [Contract("clinic", "", "b", ALWAYS, "out")]},
    ]
    seen = [said(now(books))]
    for change in changes:
        books.enrol(**change)
        seen.append(said(now(books)))
    assert [version for version, _, _ in seen] == list(range(8))
    for version in [*range(8), *random.Random(1).choices(range(8), k=20)]:
        assert said(books.registry_at(version, ["ana", "ben", "nobody"], ["clinic", "nowhere"])) == seen[version]
    assert books.registry_at(7, [], []).people == {}
    _, people, parties = seen[5]
    assert [pot.id for pot in people["ana"][3]] == ["gift", "cash"]
    assert people["ben"][2] == (Coverage("c1", "ben", "town", ALWAYS),)
    assert parties["clinic"][0].name == "Old"


def test_documents_of_an_earlier_version(books: Books) -> None:
    assert books.documents(0).plan("town", NEVER_YET) is None
    first = books.publish("plan", PLAN)
    books.enrol(members=[Member("ana")])
    later = {**PLAN, "version": "2", "effective": {"from": "2026-01-01"}}
    second = books.publish("plan", later)
    for version, wanted in [(0, []), (1, [first]), (2, [first]), (3, [first, second])]:
        documents = books.documents(version)
        assert [one for one in (first, second) if documents.by_hash(one)] == wanted
        assert books.documents(version) is documents
    assert books.documents(1) is books.documents(2)
    assert books.documents() is books.documents(3)
    # A version that is not here yet shows what is.
    assert books.documents(99) is books.documents()


def test_what_did_not_change_is_not_read_again(postgres: Any, now: Any) -> None:
    postgres.enrol(members=[Member("ana"), Member("ben")], parties=[Party("clinic", ()), Party("other", ())])
    first = now(postgres)
    assert now(postgres).people["ana"] is first.people["ana"]
    postgres.enrol(members=[Member("ana", sex="male")], parties=[Party("other", (), "x")])
    second = now(postgres)
    assert second.people["ana"].member.sex == "male"
    assert second.people["ben"] is first.people["ben"]
    assert second.parties["clinic"] is first.parties["clinic"]
    # What an earlier batch holds in its hands does not change.
    assert first.people["ana"].member.sex == ""


def test_what_one_process_enrols_another_sees_at_once(any_database: str, open_tenant: Any, now: Any) -> None:
    here, there = open_tenant(any_database), open_tenant(any_database)
    for number in range(3):
        here.enrol(members=[Member("ana", family=str(number))], parties=[Party("clinic", (), str(number))])
        for books in (there, here):
            found = now(books)
            assert (found.people["ana"].member.family, found.parties["clinic"].party.name) == (str(number), str(number))
    there.erase("ana")
    assert said(now(here)) == said(now(there))


def test_readers_beside_changes_see_one_version_each(any_database: str, open_tenant: Any, now: Any, race: Any) -> None:
    """Whatever they read while others enrol, it is exactly what the version says that they name."""
    desks = [open_tenant(any_database) for _ in range(2)]

    def change(desk: int) -> Callable[[], None]:
        def run() -> None:
            for number in range(25):
                name = f"{desk}-{number}"
                desks[desk].enrol(
                    members=[Member("ana", family=name), Member("ben", family=name)],
                    parties=[Party("clinic", (), name)],
                )

        return run

    def read(desk: int) -> Callable[[], list[Any]]:
        return lambda: [said(now(desks[desk])) for _ in range(60)]

    answers = race([change(0), change(1), read(0), read(0), read(1), read(1)])
    looks = [look for answer in answers if answer is not None for look in answer]
    assert len(looks) == 240
    assert len({version for version, _, _ in looks}) > 3
    for version, people, parties in looks:
        names = {person[0].family for person in people.values()} | {record[0].name for record in parties.values()}
        assert len(names) == (1 if version else 0)
        assert (version, people, parties) == said(desks[0].registry_at(version, ["ana", "ben"], ["clinic"]))
    for desk in desks:
        times = [version for version, _, _ in answers[2 + 2 * desks.index(desk)]]
        assert times == sorted(times)
        assert now(desk).version == 50


def test_thousands_are_enrolled_at_once(books: Books, visit: Any) -> None:
    names = [f"m{number}" for number in range(2300)]
    books.enrol(
        members=[Member(name) for name in names],
        coverages=[Coverage(f"c {name}", name, "town", ALWAYS) for name in names],
        pots=[Pot(f"p {name}", name, "USD", 0) for name in names],
        parties=[Party(name, ()) for name in names],
        contracts=[Contract(name, "", "b", ALWAYS) for name in names],
    )
    with books.work() as work:
        found = work.registry([visit(member=name, billing_party=name) for name in names])
    assert found.people.keys() == found.parties.keys() == set(names)
    assert {len(person.coverages) + len(person.pots) for person in found.people.values()} == {2}
    assert all(len(record.contracts) == 1 for record in found.parties.values())
    assert {person.pots[0].member for person in found.people.values()} == set(names)


@pytest.mark.parametrize(
    "bad",
    [Member("eva", facts={"income": 2**70}), Member("eva\ud800"), Member("eva", family="\ud800"), Member("e\x00va")],
    ids=["a large fact", "half a character in an id", "half a character", "a zero byte"],
)
def test_what_no_sheet_can_hold_is_refused_whole(postgres: Any, now: Any, bad: Member) -> None:
    with pytest.raises(InvalidMessage, match="cannot be stored"):
        postgres.enrol(members=[Member("ana"), bad])
    assert said(now(postgres)) == (0, {}, {})


def test_who_is_erased_has_no_past(books: Books, now: Any) -> None:
    books.enrol(members=[Member("ana"), Member("ben")], coverages=[Coverage("c", "ana", "town", ALWAYS)])
    books.enrol(members=[Member("ana", family="f"), Member("ben", family="f")])
    assert books.registry_at(1, ["ana"], []).people.keys() == {"ana"}
    before = said(now(books))
    books.erase("ana")
    after = said(now(books))
    assert (after[0], after[1:]) == (3, before[1:])
    for version, wanted in [(1, {"ben"}), (2, {"ben"}), (3, {"ana", "ben"})]:
        assert books.registry_at(version, ["ana", "ben"], []).people.keys() == wanted


def test_a_sheet_that_was_changed_is_noticed(postgres: Any, owner: Connection, now: Any) -> None:
    postgres.enrol(members=[Member("ana"), Member("ben")])
    ana, ben = (patient_number(1, one) for one in ("ana", "ben"))
    owner.execute("UPDATE sheet SET packed = (SELECT packed FROM sheet WHERE id = %s) WHERE id = %s", [ben, ana])
    with pytest.raises(IntegrityError, match="another person's number"):
        now(postgres)
    owner.execute("UPDATE sheet SET packed = 'x' WHERE id = %s", [ana])
    with pytest.raises(IntegrityError, match="cannot be read"):
        now(postgres)
    with pytest.raises(IntegrityError, match="cannot be read"):
        postgres.registry_at(1, ["ana"], [])


# What is remembered


class Changing:
    """A register in which ana is registered anew at each version; something may happen in the middle of a question."""

    def __init__(self, vault: Vault) -> None:
        self.register = Register(1, vault)
        self.version = 1
        self.meanwhile: dict[str, Callable[[], Any]] = {}

    def read(self) -> Any:
        found = self.register.read(["ana"], [], self.ask)
        return found.version, int(found.people["ana"].member.family)

    def moved_on(self) -> None:
        self.version += 1
        assert self.read() == (self.version, self.version)

    def ask(self, query: str, **values: Any) -> list[Any]:
        number = patient_number(1, "ana")
        answers: dict[str, list[Any]] = {
            "version": [(self.version,)],
            "changed": [(1, number)],
            "people": [(number, pack(PersonSheet(Member("ana", family=str(values.get("version"))), (), ())), None)],
        }
        self.meanwhile.pop(query, lambda: None)()
        return answers[query]


@pytest.fixture
def changing(new_ids: Any) -> Changing:
    return Changing(Vault(bytes(32), 1, new_ids()))


@pytest.mark.parametrize("warm", [True, False])
def test_a_batch_that_is_overtaken_takes_the_newer_version(changing: Changing, warm: bool) -> None:
    if warm:
        assert changing.read() == (1, 1)
    changing.meanwhile["version"] = changing.moved_on
    assert changing.read() == (2, 2)
    changing.version += 1
    changing.meanwhile["changed"] = changing.moved_on
    assert changing.read() == (4, 4)


def test_what_was_read_at_an_older_version_is_not_remembered_for_the_newer(changing: Changing) -> None:
    changing.meanwhile["people"] = changing.moved_on
    assert changing.read() == (1, 1)
    assert changing.read() == (2, 2)


def test_what_is_asked_for_stays_and_the_rest_is_bounded() -> None:
    remembered: Remembered[int, int] = Remembered(10)
    for number in range(1000):
        remembered.put(number, -number)
        assert remembered.get(0) == 0
        assert remembered.get(number) == -number
        assert len(remembered) <= 10
    assert remembered.get(500) is None
    remembered.drop([0, 999, 12345])
    assert (remembered.get(0), remembered.get(999), remembered.get(998)) == (None, None, -998)
    remembered.clear()
    assert len(remembered) == 0


def test_a_roll_is_bounded_and_forgets_by_number() -> None:
    roll: Roll[int] = Roll(8)
    for number in range(100):
        roll.enter(number, f"n{number}", number)
        if roll.get("n0") is None:
            roll.enter(0, "n0", 0)
    assert len(roll) <= 8
    assert len(roll._names) <= 2 * 8
    found, missing = roll.look(["n0", "n99", "n1", "n0"])
    assert (found, missing) == ({"n0": 0, "n99": 99}, ["n1"])
    roll.drop_numbers([99, 1, 1_000])
    assert roll.look(["n0", "n99"]) == ({"n0": 0}, ["n99"])
