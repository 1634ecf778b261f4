"""Keys, machines, ties and tries are kept the same in memory and in the database; there also between processes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from drachm.adapters.rest.identity import Environment, Kind, Principal, Role, Scope, Unauthenticated
from drachm.adapters.rest.identity import memory as dictionaries
from drachm.adapters.rest.identity import stored as stores
from drachm.adapters.rest.identity.clients import Client, changed_keys, disabled
from drachm.adapters.rest.identity.keyring import Keyring
from drachm.adapters.rest.identity.keys import ApiKey, Minted, Peppers
from drachm.adapters.rest.identity.model import Relation
from drachm.adapters.rest.identity.second_factor import TRIES_IN_WINDOW, TRIES_OF_LINK_VERSION, WINDOW
from drachm.application.ties import Tie, allow, find_tie, revoke, ties_of, ties_to
from drachm.domain.errors import Conflict, InvalidMessage, Unavailable
from drachm.storage.credentials import PostgresCredentials
from drachm.storage.memory_records import MemoryRecords
from drachm.storage.watched import OLDEST_SECONDS, Watched

NOW = datetime(2025, 3, 14, 9, 26, 53, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CLERK, EVENTS = frozenset({Role.CLERK}), frozenset({Scope.EVENTS_WRITE})
LIVE = Environment.LIVE
JWK = {"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
OPERATOR = Principal(
    "1", Kind.PERSON, "https://id.example|olga", "https://id.example", LIVE, frozenset({Role.OPERATOR}),
    scopes=frozenset(Scope),
)  # fmt: skip


@dataclass
class Place:
    """Where identity keeps things; `elsewhere` is another process that looks at the same."""

    keys: Any
    clients: Any
    statements: Any
    links: Any
    tries: Any
    elsewhere: Callable[[], Place]


def in_memory() -> Place:
    place = Place(
        dictionaries.KeysInMemory(),
        dictionaries.ClientsInMemory(),
        dictionaries.StatementsInMemory(),
        dictionaries.LinkVersionsInMemory(),
        dictionaries.TriesInMemory(),
        lambda: place,
    )
    return place


def over(credentials: PostgresCredentials, elsewhere: Callable[[], Place]) -> Place:
    return Place(
        stores.StoredKeys(credentials),
        stores.StoredClients(credentials),
        stores.StoredStatements(credentials),
        stores.StoredLinkVersions(credentials),
        stores.StoredTries(credentials),
        elsewhere,
    )


@pytest.fixture
def new_process() -> Iterator[Callable[[str], PostgresCredentials]]:
    """Opens the credentials of a database as another process would; closed after the test."""
    opened: list[PostgresCredentials] = []

    def open_one(url: str) -> PostgresCredentials:
        opened.append(PostgresCredentials(url))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture(params=["memory", "pg18", "pg16"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        return in_memory()
    url = request.getfixturevalue("database" if request.param == "pg18" else "database16")
    new_process = request.getfixturevalue("new_process")  # closed before the database is dropped

    def another() -> Place:
        return over(new_process(url), another)

    return another()


@pytest.fixture
def peppers() -> Peppers:
    return Peppers("p1", {"p1": random.Random(1).randbytes(32)})


def ring(place: Place, peppers: Peppers, seed: int = 14) -> Keyring:
    return Keyring(place.keys, peppers, LIVE, random.Random(seed).randbytes)


def issue(keyring: Keyring, days: int = 90, **changes: Any) -> tuple[Minted, ApiKey]:
    by = replace(OPERATOR, **changes)
    return keyring.issue(by, "desk", CLERK, frozenset({"north"}), EVENTS, NOW + days * DAY, NOW)


def refused(keyring: Keyring, text: str) -> str:
    try:
        keyring.verify(text, NOW)
    except Unauthenticated as told:
        return told.code
    return "let in"


def until(seen: Callable[[], bool], seconds: float) -> float:
    """How long it took until something was seen."""
    began = time.monotonic()
    while not seen():
        assert time.monotonic() - began < seconds, "it was not seen in time"
        time.sleep(0.01)
    return time.monotonic() - began


def test_a_key_comes_back_as_it_was_made(place: Place, peppers: Peppers) -> None:
    minted, key = issue(ring(place, peppers))
    assert place.elsewhere().keys.find(key.id) == key
    assert ring(place.elsewhere(), peppers).verify(minted.text, NOW) == key.principal
    assert place.keys.find("0" * 12) is None
    assert place.keys.find("\0") is None


def test_a_taken_id_is_a_conflict(place: Place, peppers: Peppers) -> None:
    _, key = issue(ring(place, peppers))
    with pytest.raises(Conflict, match="taken"):
        place.keys.add(key)
    with pytest.raises(Conflict, match="taken"):
        place.keys.add(replace(key, tenant="2"))


def test_a_revoked_key_is_refused_within_a_second_in_every_process(place: Place, peppers: Peppers) -> None:
    here, there = ring(place, peppers), ring(place.elsewhere(), peppers)
    minted, key = issue(here)
    assert (refused(here, minted.text), refused(there, minted.text)) == ("let in", "let in")
    assert here.at_once(minted.text, NOW) == here.verify(minted.text, NOW)
    assert here.at_once(minted.text, key.expires_at) is None
    before = place.keys.version()
    here.revoke(key, NOW)
    assert here.at_once(minted.text, NOW) is None
    assert refused(here, minted.text) == "api_key_revoked"
    assert here.at_once(minted.text, NOW) is None
    assert place.keys.version() == before + 1
    # A little more than a second, because this machine is shared and slow at times.
    assert until(lambda: refused(there, minted.text) == "api_key_revoked", 3) < 1.5


def test_an_end_only_comes_nearer(place: Place, peppers: Peppers) -> None:
    keyring = ring(place, peppers)
    _, key = issue(keyring)
    keyring.revoke(key, NOW)
    if place.elsewhere() is not place:
        place.keys.replace(replace(key, expires_at=key.expires_at + DAY))
        place.keys.replace(replace(key, revoked_at=NOW + DAY))
    kept = place.keys.find(key.id)
    assert (kept.revoked_at, kept.expires_at) == (NOW, key.expires_at)


def test_a_key_is_rotated_once_even_by_many_processes(place: Place, peppers: Peppers, race: Any) -> None:
    _, old = issue(ring(place, peppers))
    rings = [ring(place.elsewhere(), peppers, seed) for seed in range(4)]
    told = race([lambda one=one: one.rotate(OPERATOR, old, DAY, NOW) for one in rings])
    assert sorted(type(one) is Conflict for one in told) == [False, True, True, True]
    ((_, new),) = [one for one in told if type(one) is not Conflict]
    assert place.keys.find(old.id).expires_at == NOW + DAY
    assert place.keys.find(new.id) == new
    assert len(place.keys.page("1", LIVE, after="", limit=10, parties=None)) == 2


def test_a_key_that_was_revoked_meanwhile_has_no_successor(place: Place, peppers: Peppers) -> None:
    if place.elsewhere() is place:
        pytest.skip("between processes only")
    keyring = ring(place, peppers)
    _, old = issue(keyring)
    keyring.revoke(old, NOW)
    with pytest.raises(Conflict, match="ended"):
        keyring.rotate(OPERATOR, old, DAY, NOW)
    assert len(place.keys.page("1", LIVE, after="", limit=10, parties=None)) == 1


def test_pages_of_keys_are_of_one_tenant_and_environment(place: Place, peppers: Peppers) -> None:
    keyring = ring(place, peppers)
    made = sorted(issue(keyring)[1].id for _ in range(5))
    _, far = issue(keyring, tenant="2")
    page = place.keys.page("1", LIVE, after="", limit=3, parties=None)
    rest = place.keys.page("1", LIVE, after=page[-1].id, limit=3, parties=None)
    assert [key.id for key in [*page, *rest]] == made
    assert [key.id for key in place.keys.page("2", LIVE, after="", limit=3, parties={"north"})] == [far.id]
    assert place.keys.page("1", Environment.SANDBOX, after="", limit=3, parties=None) == []
    assert place.keys.page("1", LIVE, after="", limit=3, parties={"south"}) == []
    assert place.keys.page("1", LIVE, after="", limit=3, parties=set()) == []


def test_the_hour_of_the_last_use_is_seen_a_little_later(place: Place, peppers: Peppers) -> None:
    keyring = ring(place, peppers)
    minted, key = issue(keyring)
    version = place.keys.version()
    keyring.verify(minted.text, NOW)
    other = place.elsewhere().keys

    def hour() -> datetime | None:
        return other.page("1", LIVE, after="", limit=1, parties=None)[0].last_used_hour  # type: ignore[no-any-return]

    until(lambda: hour() == NOW.replace(minute=0, second=0), 5)
    place.keys.touch(key.id, NOW.replace(minute=0, second=0) - HOUR)
    assert place.keys.version() == version, "that it was used is no change of what it may do"


def machine(**changes: Any) -> Client:
    rights = (frozenset({Role.INTEGRATOR}), frozenset({"north"}), EVENTS)
    plain = Client("ehr-1", "1", LIVE, "the record system", *rights, {"keys": [JWK]}, NOW, "olga")
    return replace(plain, **changes)


def test_a_machine_comes_back_as_it_was_registered(place: Place) -> None:
    place.clients.add(machine())
    assert place.elsewhere().clients.find("ehr-1") == machine()
    assert place.clients.find("ehr-2") is None
    with pytest.raises(Conflict, match="taken"):
        place.clients.add(machine(tenant="2"))
    assert [one.id for one in place.clients.page("1", LIVE, after="", limit=5, parties={"north"})] == ["ehr-1"]
    assert place.clients.page("2", LIVE, after="", limit=5, parties=None) == []


def test_changes_of_a_machine_are_told_to_every_process(place: Place) -> None:
    place.clients.add(machine())
    other = place.elsewhere()
    before = other.clients.version()
    changed = changed_keys(place.clients, OPERATOR, machine(), {"keys": [{**JWK, "kid": "k2"}]})
    until(lambda: other.clients.version() == before + 1, 3)
    assert other.clients.find("ehr-1") == changed
    ended = disabled(place.clients, changed, NOW)
    assert other.clients.find("ehr-1") == ended


def test_of_many_changes_of_a_machine_one_counts_and_an_end_is_an_end(place: Place, race: Any) -> None:
    if place.elsewhere() is place:
        pytest.skip("between processes only")
    place.clients.add(machine())
    sets = [{"keys": [{**JWK, "kid": f"k{n}"}]} for n in range(4)]
    told = race([lambda keys=keys: changed_keys(place.clients, OPERATOR, machine(), keys) for keys in sets])
    assert sorted(type(one) is Conflict for one in told) == [False, True, True, True]
    disabled(place.clients, machine(), NOW)
    with pytest.raises(Conflict):
        changed_keys(place.clients, OPERATOR, machine(), sets[0])
    changed_keys(place.clients, OPERATOR, place.clients.find("ehr-1"), sets[0])
    assert place.clients.find("ehr-1").disabled_at == NOW


def test_a_statement_is_used_once_by_one(place: Place, race: Any) -> None:
    others = [place.elsewhere().statements for _ in range(4)]
    assert sorted(race([lambda one=one: one.first_use("ehr-1", "j1", NOW) for one in others])) == [False] * 3 + [True]
    assert not place.statements.first_use("ehr-1", "j1", NOW)
    assert place.statements.first_use("ehr-2", "j1", NOW)
    for odd in ("\0", "\ud800", "j" * 200):
        assert place.statements.first_use("ehr-1", odd, NOW)
        assert not place.statements.first_use("ehr-1", odd, NOW)


def test_versions_of_links_never_fall(place: Place) -> None:
    other = place.elsewhere().links
    assert other.current("1", "rct_1") == 0
    place.links.raise_to("1", "rct_1", 2)
    place.links.raise_to("1", "rct_1", 1)
    assert (other.current("1", "rct_1"), other.current("1", "rct_2"), other.current("2", "rct_1")) == (2, 0, 0)


def test_tries_at_the_same_moment_are_no_more_than_the_allowance(place: Place, race: Any) -> None:
    others = [place.elsewhere().tries for _ in range(2)]
    told = race([lambda n=n: others[n % 2].take("1", "rct_1", 0, NOW) for n in range(12)])
    assert told.count(True) == TRIES_IN_WINDOW
    assert place.tries.take("1", "rct_1", 1, NOW), "links of another version are others"
    assert place.tries.take("2", "rct_1", 0, NOW)


def test_tries_come_back_with_time_but_not_for_ever(place: Place) -> None:
    taken = [place.tries.take("1", "rct_1", 0, NOW + n * WINDOW) for n in range(TRIES_OF_LINK_VERSION + 5)]
    assert taken == [True] * TRIES_OF_LINK_VERSION + [False] * 5
    place.tries.succeeded("1", "rct_1", 0)
    assert place.tries.take("1", "rct_1", 0, NOW)


@pytest.fixture(params=["memory", "pg18", "pg16"])
def records(request: pytest.FixtureRequest, open_tenant: Any) -> tuple[Any, Callable[[str], None]]:
    if request.param == "memory":
        memory = MemoryRecords()
        return memory, memory.erase
    books = open_tenant(request.getfixturevalue("database" if request.param == "pg18" else "database16"))
    return books.records(), books.erase


def tie(id: str = "tie_1", **changes: Any) -> Tie:
    return replace(Tie(id, "idp|rita", "ana", "relative", NOW, NOW + DAY, "idp|ana"), **changes)


def test_ties_hold_from_the_call_after_they_were_made_to_the_call_after_they_were_taken_back(records: Any) -> None:
    kept, erase = records
    directory = stores.StoredDirectory({"1": kept}.__getitem__)
    assert directory.ties("1", "idp|rita") == ()
    first = allow(kept, tie())
    allow(kept, tie("tie_2", relation="self", member="rita", valid_until=None))
    allow(kept, tie("tie_3", subject="idp|rit"))
    found = {one.member: one for one in directory.ties("1", "idp|rita")}
    assert {(one.member, one.relation, one.holds(NOW)) for one in found.values()} == {
        ("ana", Relation.RELATIVE, True),
        ("rita", Relation.SELF, True),
    }
    assert not found["ana"].holds(NOW + DAY)
    ended = revoke(kept, first, "idp|ana", NOW + HOUR)
    assert find_tie(kept, "tie_1") == ended
    assert [one.holds(NOW + HOUR) for one in directory.ties("1", "idp|rita") if one.member == "ana"] == [False]
    assert revoke(kept, ended, "idp|ana", NOW + 2 * HOUR).revoked_at == NOW + HOUR
    assert [one.id for one in ties_to(kept, "ana")] == ["tie_1", "tie_3"]
    erase("ana")
    assert [one.member for one in directory.ties("1", "idp|rita")] == ["rita"]


def test_a_person_has_one_tie_to_a_member_and_taking_it_back_leaves_none(records: Any) -> None:
    kept, _ = records
    allow(kept, tie())
    allow(kept, tie("tie_2", valid_from=NOW + HOUR, valid_until=NOW + 9 * DAY))
    holding = [one.id for one in ties_of(kept, "idp|rita") if not one.has_ended(NOW + HOUR)]
    assert holding == ["tie_2"]
    # Two calls at the same moment may both have found none.
    kept.put([replace(kept.get("member_tie", "tie_2"), id="tie_3", version=0)])
    revoke(kept, tie("tie_2"), "idp|ana", NOW + 2 * HOUR)
    assert all(one.has_ended(NOW + 2 * HOUR) for one in ties_of(kept, "idp|rita"))
    assert find_tie(kept, "tie_1").revoked_at == NOW + HOUR


def test_an_answer_goes_with_its_member(records: Any) -> None:
    kept, erase = records
    answers = stores.StoredAnswers({"1": kept}.__getitem__)
    assert answers.digest("1", "rct_1") is None
    answers.put("1", "rct_1", bytes(32), "ana")
    answers.put("1", "rct_1", bytes(31) + b"\1", "ana")
    answers.put("1", "rct_2", bytes(32), "ben")
    assert answers.digest("1", "rct_1") == bytes(31) + b"\1"
    erase("ana")
    assert answers.digest("1", "rct_1") is None
    assert answers.digest("1", "rct_2") == bytes(32)
    answers.put("1", "rct_1", bytes(32), "ana")
    assert answers.digest("1", "rct_1") == bytes(32)


@pytest.mark.parametrize("tenant", ["", "alder", "0", "-1", "1.5", "２", str(2**31)])
def test_a_tenant_is_a_number(tenant: str) -> None:
    with pytest.raises(InvalidMessage, match="number"):
        stores.number(tenant)


# What is asked at every call


class Elsewhere:
    """A counter in another place, which may not answer."""

    def __init__(self) -> None:
        self.value, self.asked, self.answers = 1, 0, True

    def ask(self) -> dict[str, int]:
        self.asked += 1
        if not self.answers:
            raise Unavailable("no answer")
        return {"api_key": self.value}


def test_a_counter_is_asked_seldom_and_never_older_than_promised() -> None:
    far, now = Elsewhere(), [100.0]
    watched = Watched(far.ask, seconds=lambda: now[0], every=3600)
    try:
        assert [watched.get("api_key") for _ in range(1000)] == [1] * 1000
        assert far.asked == 1
        far.value = 2
        now[0] += OLDEST_SECONDS - 0.01
        assert watched.get("api_key") == 1
        now[0] += 0.01
        assert watched.get("api_key") == 2
        assert watched.get("client") == 0
        watched.learned("api_key", 5)
        assert watched.at_once("api_key") == 5
        now[0] += 1
        assert watched.at_once("api_key") is None, "what is old is not taken for new"
        assert watched.get("api_key") == 5, "an older answer does not undo what this process did"
        far.answers = False
        now[0] += 1
        with pytest.raises(Unavailable):
            watched.get("api_key")
    finally:
        watched.close()


def test_of_many_who_wait_for_no_answer_one_asks(race: Any) -> None:
    far = Elsewhere()

    def slow() -> dict[str, int]:
        far.asked += 1
        time.sleep(0.3)
        raise Unavailable("no answer")

    watched = Watched(slow, every=3600)
    try:
        told = race([lambda: watched.get("api_key") for _ in range(8)])
        assert {type(one) for one in told} == {Unavailable}
        assert far.asked < 4, "the others do not ask one after the other"
    finally:
        watched.close()


def test_the_thread_keeps_the_counter_fresh_through_a_pause() -> None:
    far = Elsewhere()
    watched = Watched(far.ask, every=0.01)
    try:
        assert watched.get("api_key") == 1
        far.answers = False
        asked = far.asked
        until(lambda: far.asked > asked + 2, 5)
        far.answers, far.value = True, 7
        until(lambda: watched._known["api_key"] == 7, 5)
    finally:
        watched.close()
    asked = far.asked
    time.sleep(0.05)
    assert far.asked == asked, "closed, it asks no more"
    assert not any(one.name == "drachm-watch" and one.is_alive() for one in threading.enumerate())


def test_what_is_kept_of_a_key_does_not_open_anything(
    any_database: str, new_process: Any, peppers: Peppers, owner: psycopg.Connection[Any]
) -> None:
    credentials = new_process(any_database)
    minted, _ = issue(ring(over(credentials, in_memory), peppers))
    (row,) = owner.execute("SELECT k::text FROM api_key AS k").fetchall()
    secret = minted.text.rpartition("_")[2]
    assert minted.id in row[0]
    assert secret not in row[0]
    assert secret.encode().hex() not in row[0]


def test_used_statements_are_swept_when_they_have_ended(
    any_database: str, new_process: Any, owner: psycopg.Connection[Any]
) -> None:
    credentials = new_process(any_database)
    now = datetime.now(UTC)
    assert credentials.first_use("ehr", "old", now - HOUR)
    assert credentials.first_use("ehr", "new", now + HOUR)
    credentials._chores()
    assert owner.execute("SELECT count(*) FROM used_statement").fetchone() == (1,)
    assert not credentials.first_use("ehr", "new", now)
