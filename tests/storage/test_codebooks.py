"""Bodies become shorter by words that many patients share; nothing of anybody comes into them, and they always open."""

from __future__ import annotations

import random
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drachm.domain.errors import IntegrityError
from drachm.storage import library
from drachm.storage.codebook import CHANCE, Codebook, train, tried
from drachm.storage.library import Library
from drachm.storage.scrub import GRAM, SHARED_BY, Bodies, Sample
from drachm.storage.vault import Place, Vault

Connection = psycopg.Connection[Any]

SYSTEMS = ("http://example.org/fhir/procedures", "local", "HCPCS")
WORDS = ("wound care", "follow-up visit", "emergency", "primary_care", "ambulatory", "each", "minute")
NAMES = {
    "latin": "abcdefghijklmnopqrstuvwxyz",
    "han": "".join(chr(0x4E00 + one) for one in range(0, 20_000, 7)),
    "cyrillic": "".join(chr(0x430 + one) for one in range(32)),
}
DAY = datetime(2025, 3, 10, tzinfo=UTC)
AT = Place(7, bytes(16), 0)
ENVELOPE = 4 + 12 + 16
"""Bytes of the key id, the nonce and the tag."""


def body(chance: random.Random, patient: int) -> bytes:
    """One that looks like those of `application/body.py`: ids and a name of the patient's own, words of the trade."""
    own = random.Random(patient)
    member = f"person-{own.getrandbits(64):016x}"
    given = ["".join(own.choices(letters, k=own.randrange(5, 12))) for letters in NAMES.values()]
    provider = f"usd-provider-{chance.randrange(900)}"
    return msgspec.msgpack.encode(
        (
            DAY + timedelta(microseconds=chance.randrange(10**12)),
            chance.randbytes(16),
            127,
            ["bench", f"{chance.getrandbits(128):032x}", "charge", member, chance.choice(SYSTEMS), "99213", "USD"],
            [DAY + timedelta(seconds=chance.randrange(10**6)), None, chance.randrange(10**12), provider, "", True],
            [f"{member}-3-10-{provider}", [chance.choice(WORDS) for _ in range(3)], given, " ".join(given)],
            {
                "category": chance.choice(WORDS),
                "phone": own.randrange(10**15),
                "rate": 0.5,
                "ssn": f"{own.random():.17f}",
            },
            [chance.randrange(10**10) for _ in range(4)],
        )
    )


def samples_of(patients: int, count: int = 2_000) -> list[Sample]:
    chance = random.Random(patients)
    return [Sample(n % patients, body(chance, n % patients)) for n in range(count)]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, dict):
        yield from texts([*value, *value.values()])


def holders_of_grams(samples: list[Sample]) -> dict[bytes, set[int]]:
    """Every few characters in a row of any text -> whose bodies have them."""
    found: dict[bytes, set[int]] = defaultdict(set)
    for patient, data in samples:
        for text in texts(msgspec.msgpack.decode(data)):
            coded = text.encode()
            for at in range(len(coded) - GRAM + 1):
                found[coded[at : at + GRAM]].add(patient)
    return found


def trained_once(samples: list[Sample], random_bytes: Any) -> bytes:
    found = train(samples, random_bytes, None)
    assert found is not None
    return found.words


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return samples_of(500)


@pytest.fixture
def chance(new_ids: Any) -> Any:
    return new_ids().random_bytes


@pytest.fixture
def trained(samples: list[Sample], chance: Any) -> Any:
    return train(samples, chance, None)


# How bodies are written with them


@pytest.mark.parametrize("number", [1, 127, 128, 32_767])
def test_a_body_opens_whatever_number_its_codebook_has(samples: list[Sample], new_ids: Any, number: int) -> None:
    ids = new_ids()
    vault = Vault(bytes(32), 1, ids)
    book = Codebook(number, trained_once(samples, ids.random_bytes))
    vault.find_codebook = {number: book}.__getitem__
    (wrapped,) = vault.new_keys([5])
    own = samples[0].body
    for plain in (b"", own[:CHANCE], own[: CHANCE + 1], own, own * 20):
        (sealed,) = vault.seal([(vault.unwrap(5, wrapped), *AT, plain)], book)
        assert vault.open(5, wrapped, AT, sealed) == plain
        assert len(sealed) <= len(plain) + ENVELOPE + 1


def test_what_is_chance_is_left_as_it_is(samples: list[Sample], new_ids: Any) -> None:
    """Its time and its salt: among the words of the rest they made each body some bytes longer."""
    book = Codebook(1, trained_once(samples, new_ids().random_bytes))
    whole = sum(len(book.press.compress(body)) for _, body in samples)
    assert book.size([body for _, body in samples]) < whole - 2 * len(samples)


def test_bodies_that_were_compressed_whole_still_open(samples: list[Sample], new_ids: Any) -> None:
    ids = new_ids()
    vault = Vault(bytes(32), 1, ids)
    book = Codebook(258, trained_once(samples, ids.random_bytes))
    vault.find_codebook = {258: book}.__getitem__
    (wrapped,) = vault.new_keys([5])
    key, plain, nonce = vault.unwrap(5, wrapped), samples[0].body, bytes(12)
    text = b"\x02\x01\x02" + book.press.compress(plain)
    place = struct.pack(">iq16sH", 1, *AT)
    assert vault.open(5, wrapped, AT, key.id + nonce + AESGCM(key.secret).encrypt(nonce, text, place)) == plain


@pytest.mark.parametrize("text", [b"", b"\x02\x01", b"\x03\x00\x01", b"\x04abcdef", b"\x81abcdef"])
def test_a_form_that_nobody_writes_is_told_as_a_changed_body(samples: list[Sample], new_ids: Any, text: bytes) -> None:
    ids = new_ids()
    vault = Vault(bytes(32), 1, ids)
    vault.find_codebook = {1: Codebook(1, trained_once(samples, ids.random_bytes))}.__getitem__
    (wrapped,) = vault.new_keys([5])
    key, nonce, place = vault.unwrap(5, wrapped), bytes(12), struct.pack(">iq16sH", 1, *AT)
    with pytest.raises(IntegrityError, match="the body was changed"):
        vault.open(5, wrapped, AT, key.id + nonce + AESGCM(key.secret).encrypt(nonce, text, place))


# What may be known to everybody


def test_no_text_of_fewer_than_twenty_patients_stands_in_a_codebook(samples: list[Sample], trained: Any) -> None:
    holders = holders_of_grams(samples)
    private = {gram for gram, patients in holders.items() if len(patients) < SHARED_BY}
    assert len(private) > 50_000
    grams = {trained.words[at : at + GRAM] for at in range(len(trained.words) - GRAM + 1)}
    assert private & grams == set()
    shared = {word for word in (*WORDS, *SYSTEMS) if word.encode() in trained.words}
    assert len(shared) > 7, "it should know the words of the trade"


def test_without_scrubbing_the_same_look_finds_people(samples: list[Sample]) -> None:
    """The control: a dictionary of the bodies themselves is full of them."""
    import zstandard

    words = zstandard.train_dictionary(16_384, [one.body for one in samples], k=400, d=8).as_bytes()
    holders = holders_of_grams(samples)
    found = [gram for gram, patients in holders.items() if len(patients) < SHARED_BY and gram in words]
    assert len(found) > 1_000


def test_no_number_salt_or_instant_of_anybody_is_left_in_a_scrubbed_body(samples: list[Sample], chance: Any) -> None:
    scrubbed = Bodies(samples).scrubbed(chance)
    assert len(scrubbed) == len(samples)
    for (_, before), after in zip(samples, scrubbed, strict=True):
        old, new = msgspec.msgpack.decode(before), msgspec.msgpack.decode(after)
        assert old[0] != new[0]
        assert old[1] != new[1]
        assert old[4][0] != new[4][0]
        assert (old[2], old[3][0], old[3][6], old[4][1], old[4][5]) == (
            new[2],
            new[3][0],
            new[3][6],
            new[4][1],
            new[4][5],
        )
        assert not set(old[7]) & set(new[7])
        assert old[6]["phone"] not in new[6].values()
        assert len(before) - 8 < len(after) < len(before) + 8
        assert new[3][3].startswith("person-")
        assert new[3][3] != old[3][3]
        # The same within one body stays the same: the visit names the member.
        assert new[5][0].startswith(new[3][3])


def test_what_nineteen_share_is_private_and_what_twenty_share_is_not(chance: Any) -> None:
    for patients in (SHARED_BY - 1, SHARED_BY):
        common = [Sample(one, msgspec.msgpack.encode(["Saint Elsewhere", 123_456_789])) for one in range(patients)]
        # One patient's many bodies count once.
        common += [Sample(0, common[0].body)] * 50
        kept = [msgspec.msgpack.decode(one) for one in Bodies(common).scrubbed(chance)]
        assert all((one == ["Saint Elsewhere", 123_456_789]) == (patients == SHARED_BY) for one in kept)
        words = b"at Saint Elsewhere again"
        assert (Bodies(common).swept(words) == words) == (patients == SHARED_BY)


@pytest.mark.parametrize(
    "value", [-(2**63), 2**64 - 1, -1, 0, 1, 127, "", "\x00\x01", "ÄÖ漢😀x1", "******", b"", b"\x01" * 300]
)
def test_any_value_can_be_scrubbed(chance: Any, value: Any) -> None:
    data = msgspec.msgpack.encode(
        [value, {"x": value}, datetime(1931, 5, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)]
    )
    (scrubbed,) = Bodies([Sample(1, data), Sample(2, b"\xc1 no message"), Sample(3, b"")]).scrubbed(chance)
    after = msgspec.msgpack.decode(scrubbed)[0]
    assert type(after) is type(value)
    if isinstance(value, str):
        assert len(after.encode()) == len(value.encode())


# Training


def test_a_codebook_halves_bodies_it_has_not_seen(trained: Any) -> None:
    book, others = Codebook(1, trained.words), [one.body for one in samples_of(333, 500)]
    plain, short = sum(map(len, others)), book.size(others)
    assert short < 0.75 * plain
    assert all(book.press.decompress(book.press.compress(one)) == one for one in others)


def test_a_codebook_that_brings_little_is_not_made(samples: list[Sample], trained: Any, chance: Any) -> None:
    assert train(samples, chance, Codebook(1, trained.words, ppm=trained.ppm)) is None
    noise = random.Random(1)
    assert train([Sample(n, noise.randbytes(300)) for n in range(500)], chance, None) is None
    assert train([], chance, None) is None
    assert train(samples[:5], chance, None) is None


def test_words_that_are_no_dictionary_are_refused() -> None:
    for words in (b"", b"no dictionary", bytes(100)):
        with pytest.raises(IntegrityError) as caught:
            Codebook(7, words)
        assert caught.value.where == "codebook 7"


# Sealed


def test_a_body_opens_by_the_codebook_it_names(new_ids: Any, samples: list[Sample], trained: Any) -> None:
    vault = Vault(bytes(32), 1, new_ids())
    books = {number: Codebook(number, trained.words) for number in (1, 32_767)}
    vault.find_codebook = books.__getitem__
    (wrapped,) = vault.new_keys([5])
    place = Place(7, bytes(16), 0)
    for book in (None, *books.values()):
        for plain in [
            *tried(samples)[:20],
            b"",
            b"x",
            bytes(range(256)),
            random.Random(1).randbytes(500),
            bytes(10_000),
        ]:
            (sealed,) = vault.seal([(vault.unwrap(5, wrapped), *place, plain)], book)
            assert vault.open(5, wrapped, place, sealed) == plain
            assert len(sealed) <= 33 + len(plain), "compression made it longer"


def test_a_missing_codebook_is_named(new_ids: Any, samples: list[Sample], trained: Any) -> None:
    vault = Vault(bytes(32), 1, new_ids())
    (wrapped,) = vault.new_keys([5])
    place = Place(7, bytes(16), 0)
    (sealed,) = vault.seal([(vault.unwrap(5, wrapped), *place, samples[0].body)], Codebook(3, trained.words))
    with pytest.raises(IntegrityError, match="codebook 3 is missing") as caught:
        vault.open(5, wrapped, place, sealed)
    assert caught.value.where == "codebook 3"


# In the books


def write(books: Any, draft: Any, post: Any, name: str, bodies: list[Sample]) -> list[int]:
    drafts = [draft(f"{name} {n}", member=f"m{patient}", body=data) for n, (patient, data) in enumerate(bodies)]
    positions: list[int] = post(books, *drafts)
    return positions


def numbers(owner: Connection) -> list[int]:
    return [number for (number,) in owner.execute("SELECT id FROM codebook ORDER BY id").fetchall()]


def mean_body(owner: Connection, positions: list[int]) -> float:
    row = owner.execute(
        "SELECT avg(length(body))::float FROM journal WHERE position = ANY (%s)", [positions]
    ).fetchone()
    assert row is not None
    mean: float = row[0]
    return mean


def test_a_process_trains_after_enough_bodies_and_others_take_it_up(
    any_database: str, open_tenant: Any, owner: Connection, draft: Any, post: Any, samples: list[Sample]
) -> None:
    here, elsewhere = open_tenant(any_database), open_tenant(any_database)
    before = write(here, draft, post, "a", samples[:1000])
    assert numbers(owner) == []
    before += write(here, draft, post, "b", samples[1000:])
    assert numbers(owner) == [1]
    after = write(here, draft, post, "c", samples[:200])
    assert mean_body(owner, after) < 0.8 * mean_body(owner, before[:200])
    late = open_tenant(any_database)
    other = write(late, draft, post, "d", samples[:200])
    assert mean_body(owner, other) < 0.8 * mean_body(owner, before[:200])
    for books in (here, elsewhere, late):
        for position, (_, data) in zip(
            (*before, *after, *other), [*samples, *samples[:200], *samples[:200]], strict=True
        ):
            if position % 97 == 0 or position in (*after, *other):
                assert books.row(position).body == data


def test_two_that_train_at_once_agree_on_one(
    any_database: str, open_tenant: Any, owner: Connection, draft: Any, post: Any, race: Any, samples: list[Sample]
) -> None:
    writers = [open_tenant(any_database) for _ in range(3)]
    gate = threading.Barrier(3)

    def run(number: int) -> Any:
        def write_all() -> list[int]:
            gate.wait(30)
            return write(writers[number], draft, post, f"{number}", samples)

        return write_all

    answers = race([run(number) for number in range(3)])
    assert all(isinstance(answer, list) for answer in answers), answers
    assert numbers(owner) == [1]
    assert {writer._known.library.current.number for writer in writers} == {1}


def test_other_traffic_gets_a_codebook_of_its_own_and_neither_replaces_the_other(
    any_database: str, open_tenant: Any, owner: Connection, draft: Any, post: Any, samples: list[Sample]
) -> None:
    first = open_tenant(any_database)
    write(first, draft, post, "a", samples)
    chance = random.Random(5)
    top_ups = [
        Sample(
            n % 300,
            msgspec.msgpack.encode([chance.randbytes(16), ["a bank transfer for savings", "rail of the town", n % 7]]),
        )
        for n in range(2_000)
    ]
    second = open_tenant(any_database)
    write(second, draft, post, "b", top_ups)
    assert numbers(owner) == [1, 2]
    third = open_tenant(any_database)
    assert third._known.library.current.number == 2
    write(third, draft, post, "c", samples)
    assert third._known.library.current.number == 1
    assert numbers(owner) == [1, 2]


def test_an_old_codebook_is_replaced_only_by_a_better_one(
    any_database: str, open_tenant: Any, owner: Connection, draft: Any, post: Any, samples: list[Sample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write(open_tenant(any_database), draft, post, "a", samples)
    monkeypatch.setattr(library, "AGE_MAX", 10)
    asked: list[int] = []
    monkeypatch.setattr(library, "train", lambda found, *rest: asked.append(len(found)) or train(found, *rest))
    write(open_tenant(any_database), draft, post, "b", samples)
    assert asked == [2_000]
    assert numbers(owner) == [1]


def test_a_failed_training_fails_no_posting(
    postgres: Any, owner: Connection, draft: Any, post: Any, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(library, "train", fail)
    positions = write(postgres, draft, post, "a", samples)
    assert postgres.row(positions[-1]).body == samples[-1].body
    monkeypatch.undo()
    write(postgres, draft, post, "b", samples)
    assert numbers(owner) == [], "the next look comes after twice as many"
    write(postgres, draft, post, "c", samples)
    assert numbers(owner) == [1]


def test_bodies_that_are_no_messages_need_no_codebook(postgres: Any, owner: Connection, draft: Any, post: Any) -> None:
    post(postgres, *[draft(f"{n}") for n in range(2_001)])
    assert numbers(owner) == []


def test_a_lost_or_changed_codebook_is_named(
    any_database: str, open_tenant: Any, owner: Connection, draft: Any, post: Any, samples: list[Sample]
) -> None:
    books = open_tenant(any_database)
    write(books, draft, post, "a", samples)
    (position,) = write(books, draft, post, "b", samples[:1])
    other = open_tenant(any_database, tenant=2)
    row = owner.execute("SELECT words FROM codebook").fetchone()
    assert row is not None
    assert b"wound care" not in row[0], "the words are sealed"

    def open_anew() -> Any:
        reader = open_tenant(any_database)
        reader._known.library._known.clear()
        return reader

    late = open_anew()
    owner.execute("UPDATE codebook SET words = set_byte(words, 99, get_byte(words, 99) # 1)")
    with pytest.raises(IntegrityError, match="codebook was changed"):
        late.row(position)
    owner.execute("UPDATE codebook SET words = %s, tenant = 2", [row[0]])
    with pytest.raises(IntegrityError, match="codebook 1 is missing"):
        late.row(position)
    with pytest.raises(IntegrityError, match="codebook was changed"):
        other._known.library.find(1)
    owner.execute("UPDATE codebook SET tenant = 1")
    assert late.row(position).body == samples[0].body


def test_codebooks_are_a_tenants_own(
    any_database: str, open_tenant: Any, draft: Any, post: Any, samples: list[Sample]
) -> None:
    write(open_tenant(any_database), draft, post, "a", samples)
    other = open_tenant(any_database, tenant=2)
    shelf: Library = other._known.library
    assert shelf.current is None
    with pytest.raises(IntegrityError, match="missing"):
        shelf.find(1)
