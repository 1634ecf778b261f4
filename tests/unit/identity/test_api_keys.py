"""An API key is told from a typo, checked fast, rotated with an overlap, and gone the moment it is revoked."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Thread

import pytest

from drachm.adapters.rest.identity import Environment, Kind, Principal, Role, Scope, Unauthenticated
from drachm.adapters.rest.identity.keyring import LIFETIME_MAX, Keyring, may_issue
from drachm.adapters.rest.identity.keys import ALPHABET, ApiKey, Minted, Peppers, mint, read_key
from drachm.adapters.rest.identity.memory import KeysInMemory
from drachm.domain.errors import Conflict, InvalidMessage

DAY = timedelta(days=1)
CLERK = frozenset({Role.CLERK})
EVENTS = frozenset({Scope.EVENTS_WRITE})


class CountingKeys(KeysInMemory):
    """The store, counting how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.touched: list[tuple[str, datetime]] = []

    def find(self, key_id: str) -> ApiKey | None:
        self.asked += 1
        return super().find(key_id)

    def touch(self, key_id: str, hour: datetime) -> None:
        self.touched.append((key_id, hour))
        super().touch(key_id, hour)


@pytest.fixture
def store() -> CountingKeys:
    return CountingKeys()


@pytest.fixture
def keyring(store: CountingKeys, peppers: Peppers, random_bytes: Callable[[int], bytes]) -> Keyring:
    return Keyring(store, peppers, Environment.LIVE, random_bytes)


def issue(keyring: Keyring, by: Principal, at: datetime, days: int = 90) -> tuple[Minted, ApiKey]:
    return keyring.issue(by, "desk", CLERK, frozenset({"north"}), EVENTS, at + days * DAY, at)


def refused(keyring: Keyring, text: str, at: datetime) -> str:
    with pytest.raises(Unauthenticated) as told:
        keyring.verify(text, at)
    assert text not in str(told.value), "the message does not repeat the key"
    return told.value.code


def test_a_key_says_where_it_belongs_and_opens_what_it_was_given(
    keyring: Keyring, operator: Principal, now: datetime
) -> None:
    minted, kept = issue(keyring, operator, now)
    assert minted.text.startswith(f"drk_live_{minted.id}_")
    caller = keyring.verify(minted.text, now)
    assert (caller.tenant, caller.kind, caller.credential) == ("alder", Kind.MACHINE, kept.id)
    assert (caller.roles, caller.parties, caller.scopes) == (CLERK, frozenset({"north"}), EVENTS)


def test_what_is_kept_or_shown_does_not_hold_the_key(keyring: Keyring, operator: Principal, now: datetime) -> None:
    minted, kept = issue(keyring, operator, now)
    secret = minted.text.rpartition("_")[2]
    assert secret not in repr(kept)
    assert secret not in repr(minted)
    assert kept.digest.hex() not in repr(kept)
    assert secret.encode() not in kept.digest


def test_every_single_mistyped_character_is_a_typo_and_asks_no_store(
    keyring: Keyring, store: CountingKeys, operator: Principal, now: datetime
) -> None:
    minted, _ = issue(keyring, operator, now)
    for place, letter in enumerate(minted.text):
        for other in random.Random(place).sample(ALPHABET + "_ é", 8):
            if other != letter:
                assert (
                    refused(keyring, minted.text[:place] + other + minted.text[place + 1 :], now) == "api_key_malformed"
                )
    assert store.asked == 0


@pytest.mark.parametrize(
    "text", ["drk_", "drk_live_", "drk_live_" + "0" * 12, "drk_live_" + "a" * 100_000, "drk_live_\0"]
)
def test_what_is_no_key_at_all_is_malformed(keyring: Keyring, now: datetime, text: str) -> None:
    assert refused(keyring, text, now) == "api_key_malformed"


def test_swapped_neighbours_and_a_lost_end_are_typos(keyring: Keyring, operator: Principal, now: datetime) -> None:
    minted, _ = issue(keyring, operator, now)
    text = minted.text
    for place in range(9, len(text) - 1):
        swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        if swapped != text:
            assert refused(keyring, swapped, now) == "api_key_malformed"
    assert refused(keyring, text[:-1], now) == "api_key_malformed"
    assert refused(keyring, text + "0", now) == "api_key_malformed"


def test_whole_keys_that_are_not_ours_are_unknown(
    keyring: Keyring, now: datetime, random_bytes: Callable[[int], bytes]
) -> None:
    stranger = mint(Environment.LIVE, random_bytes)
    assert refused(keyring, stranger.text, now) == "api_key_unknown"


def test_a_forged_secret_for_a_known_id_is_unknown(
    store: CountingKeys, keyring: Keyring, operator: Principal, now: datetime, random_bytes: Callable[[int], bytes]
) -> None:
    """The id of a key that is there, with another secret, is told the same as an id that is not."""
    minted, kept = issue(keyring, operator, now)
    other = mint(Environment.LIVE, random_bytes)
    store.add(replace(kept, id=other.id))
    assert refused(keyring, other.text, now) == "api_key_unknown"
    assert read_key(minted.text) == (Environment.LIVE, kept.id)


def test_a_sandbox_key_is_refused_by_the_live_service_before_anything_is_looked_up(
    store: CountingKeys, keyring: Keyring, now: datetime, random_bytes: Callable[[int], bytes]
) -> None:
    assert refused(keyring, mint(Environment.SANDBOX, random_bytes).text, now) == "wrong_environment"
    assert store.asked == 0


def test_a_key_expires(keyring: Keyring, operator: Principal, now: datetime) -> None:
    minted, kept = issue(keyring, operator, now, days=2)
    assert keyring.verify(minted.text, kept.expires_at - timedelta(microseconds=1))
    assert refused(keyring, minted.text, kept.expires_at) == "api_key_expired"


def test_a_revoked_key_is_refused_at_the_very_next_call_in_every_process(
    store: CountingKeys, peppers: Peppers, keyring: Keyring, operator: Principal, now: datetime
) -> None:
    minted, kept = issue(keyring, operator, now)
    elsewhere = Keyring(store, peppers, Environment.LIVE, random.Random(2).randbytes)
    assert keyring.verify(minted.text, now)
    assert elsewhere.verify(minted.text, now)
    keyring.revoke(kept, now)
    assert refused(keyring, minted.text, now) == "api_key_revoked"
    assert refused(elsewhere, minted.text, now) == "api_key_revoked"
    assert store.version() == 1
    ended = store.find(kept.id)
    assert ended is not None
    assert keyring.revoke(ended, now + DAY).revoked_at == now, "the first time stays"


def test_two_keys_never_share_an_id(store: CountingKeys, peppers: Peppers, operator: Principal, now: datetime) -> None:
    keyring = Keyring(store, peppers, Environment.LIVE, lambda count: bytes(count))
    issue(keyring, operator, now)
    with pytest.raises(Conflict, match="taken"):
        issue(keyring, operator, now)


def test_a_key_in_use_costs_one_look_up_in_ten_minutes(
    store: CountingKeys, keyring: Keyring, operator: Principal, now: datetime
) -> None:
    minted, _ = issue(keyring, operator, now)
    for second in range(599):
        keyring.verify(minted.text, now + timedelta(seconds=second))
    assert store.asked == 1
    keyring.verify(minted.text, now + timedelta(seconds=601))
    assert store.asked == 2


def test_the_memory_of_checked_keys_is_bounded(
    store: CountingKeys, peppers: Peppers, operator: Principal, now: datetime, random_bytes: Callable[[int], bytes]
) -> None:
    keyring = Keyring(store, peppers, Environment.LIVE, random_bytes, remembered=3)
    texts = [issue(keyring, operator, now)[0].text for _ in range(5)]
    for text in texts:
        keyring.verify(text, now)
    assert len(keyring._proved) == 3
    store.asked = 0
    keyring.verify(texts[-1], now)
    assert store.asked == 0
    keyring.verify(texts[0], now)
    assert store.asked == 1


def test_the_last_use_is_written_once_an_hour_and_only_as_an_hour(
    store: CountingKeys, keyring: Keyring, operator: Principal, now: datetime
) -> None:
    minted, kept = issue(keyring, operator, now)
    for minute in range(0, 90, 5):
        keyring.verify(minted.text, now + timedelta(minutes=minute))
    assert [hour.isoformat() for _, hour in store.touched] == ["2025-03-14T09:00:00+00:00", "2025-03-14T10:00:00+00:00"]
    assert store.last_used(kept.id) == datetime.fromisoformat("2025-03-14T10:00:00+00:00")


def test_rotation_leaves_both_keys_good_for_the_overlap(keyring: Keyring, operator: Principal, now: datetime) -> None:
    old_text, old = issue(keyring, operator, now)
    new_text, new = keyring.rotate(operator, old, timedelta(hours=6), now)
    assert (new.replaces, new.roles, new.parties, new.scopes) == (old.id, old.roles, old.parties, old.scopes)
    assert new.expires_at - now == old.expires_at - old.created_at
    almost = now + timedelta(hours=6) - timedelta(seconds=1)
    assert keyring.verify(old_text.text, almost)
    assert keyring.verify(new_text.text, almost)
    assert refused(keyring, old_text.text, now + timedelta(hours=6)) == "api_key_expired"
    assert keyring.verify(new_text.text, now + DAY)


def test_a_key_is_rotated_once_even_by_two_at_a_time(keyring: Keyring, operator: Principal, now: datetime) -> None:
    _, old = issue(keyring, operator, now)
    outcomes: list[str] = []

    def rotate() -> None:
        try:
            keyring.rotate(operator, old, DAY, now)
            outcomes.append("made")
        except Conflict:
            outcomes.append("conflict")

    threads = [Thread(target=rotate) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 7 + ["made"]


def test_rotation_never_gives_somebody_more_than_they_have(
    keyring: Keyring, operator: Principal, now: datetime
) -> None:
    """Whoever rotates sees the new key: a key that may only rotate keys must not get the rights of another that way."""
    _, strong = issue(keyring, operator, now)
    weak_text, weak = keyring.issue(
        operator, "keys", CLERK, frozenset({"north"}), frozenset({Scope.KEYS_WRITE}), now + DAY, now
    )
    caller = keyring.verify(weak_text.text, now)
    with pytest.raises(InvalidMessage, match="more than you can"):
        keyring.rotate(caller, strong, DAY, now)
    assert keyring.rotate(caller, weak, DAY, now)


def test_ended_keys_and_long_overlaps_are_not_rotated(keyring: Keyring, operator: Principal, now: datetime) -> None:
    _, key = issue(keyring, operator, now, days=2)
    with pytest.raises(InvalidMessage, match="overlap"):
        keyring.rotate(operator, key, 8 * DAY, now)
    with pytest.raises(InvalidMessage, match="overlap"):
        keyring.rotate(operator, key, -DAY, now)
    with pytest.raises(Conflict, match="ended"):
        keyring.rotate(operator, key, DAY, key.expires_at)
    with pytest.raises(Conflict, match="ended"):
        keyring.rotate(operator, keyring.revoke(key, now), DAY, now)


@pytest.mark.parametrize("life", [timedelta(0), -DAY, LIFETIME_MAX + DAY])
def test_a_key_has_an_end_that_is_neither_past_nor_far(
    keyring: Keyring, operator: Principal, now: datetime, life: timedelta
) -> None:
    with pytest.raises(InvalidMessage, match="ends within"):
        keyring.issue(operator, "desk", CLERK, frozenset(), EVENTS, now + life, now)


def test_nobody_hands_out_more_than_they_may(operator: Principal) -> None:
    clerk = replace(operator, roles=CLERK, parties=frozenset({"north"}), scopes=EVENTS)

    def said(by: Principal, roles: frozenset[Role], parties: frozenset[str], scopes: frozenset[Scope]) -> str:
        denial = may_issue(by, roles, parties, scopes)
        return denial.code if denial else "yes"

    assert said(operator, CLERK, frozenset({"anywhere"}), EVENTS) == "yes"
    assert said(operator, frozenset({Role.PATIENT}), frozenset(), EVENTS) == "role_missing"
    assert said(operator, frozenset({Role.CLERK, Role.RELATIVE}), frozenset(), EVENTS) == "role_missing"
    assert said(operator, frozenset(), frozenset(), EVENTS) == "role_missing"
    assert said(replace(operator, scopes=EVENTS), CLERK, frozenset(), frozenset(Scope)) == "scope_missing"
    assert said(clerk, CLERK, frozenset({"north"}), EVENTS) == "yes"
    assert said(clerk, CLERK, frozenset({"north", "south"}), EVENTS) == "not_related"
    assert said(clerk, frozenset({Role.OPERATOR}), frozenset({"north"}), EVENTS) == "role_missing"
    assert said(clerk, CLERK, frozenset({"north"}), frozenset({Scope.MONEY_READ})) == "scope_missing"


def test_a_key_that_may_not_be_made_is_not_kept(keyring: Keyring, operator: Principal, now: datetime) -> None:
    with pytest.raises(InvalidMessage) as told:
        keyring.issue(operator, "me", frozenset({Role.PATIENT}), frozenset(), EVENTS, now + DAY, now)
    assert told.value.code == "role_missing"
    assert keyring._store._keys == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize("secret", [b"", b"short", b"0" * 32, b"changeme" * 4, bytes(range(31))])
def test_short_and_default_peppers_are_refused(secret: bytes) -> None:
    with pytest.raises(InvalidMessage, match="random bytes") as told:
        Peppers("p1", {"p1": secret})
    assert str(secret) not in str(told.value) or secret == b""


def test_the_current_pepper_must_be_there() -> None:
    with pytest.raises(InvalidMessage, match="needs a name"):
        Peppers("", {"": random.Random(1).randbytes(32)})
    with pytest.raises(InvalidMessage, match="current pepper"):
        Peppers("p2", {"p1": random.Random(1).randbytes(32)})


def test_peppers_are_rotated_without_losing_keys(
    store: CountingKeys, peppers: Peppers, keyring: Keyring, operator: Principal, now: datetime
) -> None:
    minted, old = issue(keyring, operator, now)
    both = Peppers("p2", {**peppers.secrets, "p2": random.Random(2).randbytes(32)})
    later = Keyring(store, both, Environment.LIVE, random.Random(3).randbytes)
    assert later.verify(minted.text, now).credential == old.id
    _, new = issue(later, operator, now)
    assert (old.pepper, new.pepper) == ("p1", "p2")
    only_new = Keyring(store, Peppers("p2", {"p2": both.secrets["p2"]}), Environment.LIVE, random.Random(4).randbytes)
    assert refused(only_new, minted.text, now) == "api_key_unknown"


def test_ten_thousand_keys_are_all_different_and_all_whole() -> None:
    made = [mint(Environment.SANDBOX, random.Random(seed).randbytes) for seed in range(10_000)]
    assert len({key.text for key in made}) == len({key.id for key in made}) == 10_000
    assert all(read_key(key.text) == (Environment.SANDBOX, key.id) for key in made)
