"""A body opens in its own row, with its patient's key, under the right master key; and never after erasure."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from drachm.application.ports import Posting
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.clearing.world import Needs
from drachm.domain.coverage.model import Member
from drachm.domain.errors import IntegrityError, InvalidMessage
from drachm.domain.transparency.leaf import event_key
from drachm.storage.vault import PLAIN_BYTES_MAX, Place, Vault

Connection = psycopg.Connection[Any]

MASTER_KEY = bytes(range(32))
NOTHING = Needs((), ())
PLACE = Place(7, bytes(16), 0)
PLAIN = b'{"display": "Chest pain, chest pain, chest pain"}' * 10
HEAD = 4 + 12
"""Bytes of the key id and the nonce."""


@pytest.fixture
def vault(new_ids: Any) -> Vault:
    return Vault(MASTER_KEY, 1, new_ids())


def new_key(vault: Vault, patient: int = 5) -> bytes:
    (wrapped,) = vault.new_keys([patient])
    return wrapped


def seal(vault: Vault, wrapped: bytes, plain: bytes, place: Place = PLACE, patient: int = 5) -> bytes:
    (sealed,) = vault.seal([(vault.unwrap(patient, wrapped), *place, plain)])
    return sealed


def altered(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# By itself


def test_a_body_opens_again(vault: Vault) -> None:
    wrapped = new_key(vault)
    edges = [bytes(length) for length in (1, PLAIN_BYTES_MAX, PLAIN_BYTES_MAX + 1)]
    for plain in (PLAIN, b"", *edges, bytes(range(256)) * 1000):
        cipher = seal(vault, wrapped, plain)
        assert vault.open(5, wrapped, PLACE, cipher) == plain


def test_a_body_is_compressed_and_nothing_of_it_shows(vault: Vault) -> None:
    wrapped = new_key(vault)
    cipher = seal(vault, wrapped, PLAIN)
    assert len(cipher) < len(PLAIN) / 2
    assert b"pain" not in cipher
    assert cipher != seal(vault, wrapped, PLAIN), "a nonce was used twice"


def test_a_short_body_grows_by_its_envelope_only(vault: Vault) -> None:
    sealed = seal(vault, new_key(vault), b"x" * 200)
    assert len(sealed) == HEAD + 1 + 200 + 16


def test_a_batch_is_sealed_with_a_nonce_for_each_body_in_one_request(new_ids: Any) -> None:
    asked: list[int] = []
    ids = new_ids()

    class Counting:
        def random_bytes(self, count: int) -> bytes:
            asked.append(count)
            return bytes(ids.random_bytes(count))

    vault = Vault(MASTER_KEY, 1, Counting())
    keys = [vault.unwrap(patient, wrapped) for patient, wrapped in enumerate(vault.new_keys(range(5)))]
    assert len({key.id for key in keys}) == len({key.secret for key in keys}) == 5
    sealed = vault.seal([(keys[n % 5], n, bytes(16), 0, b"same") for n in range(100)])
    assert asked == [5 * (HEAD + 32), 100 * 12]
    assert len({one[4:HEAD] for one in sealed}) == 100


@pytest.mark.parametrize(
    "place",
    [Place(8, bytes(16), 0), Place(7, b"x" * 16, 0), Place(7, bytes(16), 1)],
    ids=["position", "key", "revision"],
)
def test_a_body_does_not_open_in_another_row(vault: Vault, place: Place) -> None:
    wrapped = new_key(vault)
    cipher = seal(vault, wrapped, PLAIN)
    with pytest.raises(IntegrityError, match="belongs to another row") as caught:
        vault.open(5, wrapped, place, cipher)
    assert caught.value.where == f"position {place.position}"


def test_a_body_does_not_open_in_another_tenant(vault: Vault, new_ids: Any) -> None:
    cipher = seal(vault, new_key(vault), PLAIN)
    other = Vault(MASTER_KEY, 2, new_ids())
    # The same bytes of randomness: the same data key, wrapped for another tenant.
    wrapped = new_key(other)
    assert wrapped[:4] == cipher[:4]
    with pytest.raises(IntegrityError):
        other.open(5, wrapped, PLACE, cipher)


def test_every_changed_byte_is_noticed(vault: Vault) -> None:
    wrapped = new_key(vault)
    cipher = seal(vault, wrapped, PLAIN)
    for at in range(4, len(cipher)):
        with pytest.raises(IntegrityError):
            vault.open(5, wrapped, PLACE, altered(cipher, at))
    for at in range(4, len(wrapped)):
        with pytest.raises(IntegrityError):
            vault.open(5, altered(wrapped, at), PLACE, cipher)
    for short in (cipher[:4], cipher[:8], cipher[:20], cipher[:-1]):
        with pytest.raises(IntegrityError):
            vault.open(5, wrapped, PLACE, short)


def test_a_data_key_belongs_to_one_patient_and_tenant(vault: Vault, new_ids: Any) -> None:
    wrapped = new_key(vault)
    with pytest.raises(IntegrityError):
        vault.unwrap(6, wrapped)
    for broken in (b"", wrapped[:3], wrapped[:20]):
        with pytest.raises(IntegrityError):
            vault.unwrap(5, broken)
    with pytest.raises(IntegrityError):
        Vault(MASTER_KEY, 2, new_ids()).unwrap(5, wrapped)


def test_another_master_key_says_so(vault: Vault, new_ids: Any) -> None:
    wrapped = new_key(vault)
    cipher = seal(vault, wrapped, PLAIN)
    with pytest.raises(IntegrityError, match="another master key") as caught:
        Vault(bytes(32), 1, new_ids()).open(5, wrapped, PLACE, cipher)
    assert "DRACHM_MASTER_KEY" in caught.value.next_step


def test_without_its_data_key_a_body_is_empty(vault: Vault) -> None:
    cipher = seal(vault, new_key(vault), PLAIN)
    assert vault.open(5, None, PLACE, cipher) == b""
    assert vault.open(5, new_key(vault), PLACE, cipher) == b""


def test_a_lost_body_is_no_erased_one(vault: Vault) -> None:
    with pytest.raises(IntegrityError, match="lost its body"):
        vault.open(5, new_key(vault), PLACE, b"")


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_master_key_has_32_bytes(new_ids: Any, length: int) -> None:
    with pytest.raises(InvalidMessage, match="not 32"):
        Vault(bytes(length), 1, new_ids())


# In the books


def test_bodies_words_and_names_are_nowhere_in_the_clear(
    any_database: str, open_tenant: Any, owner: Connection, draft: Any, post: Any
) -> None:
    books = open_tenant(any_database)
    post(
        books,
        draft("one", member="canary-member", reason="canary-reason", body=b"canary-body"),
    )
    stored, _ = next(books.rows())
    assert stored.body == b"canary-body"
    for table in ("journal", "data_key", "outbox", "state", "total", "account"):
        text = owner.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t").fetchone()
        assert text is not None
        assert "canary" not in text[0]
        assert b"canary".hex() not in text[0]


def test_one_data_key_for_each_patient(postgres: Any, owner: Connection, draft: Any, post: Any) -> None:
    members = ("ana", "ben", "", "ana ")
    postgres.enrol(members=[Member("ana"), Member("eva")])
    for batch in range(3):
        post(postgres, *[draft(f"{batch} {member}", member=member) for member in members])
    patients = owner.execute("SELECT patient FROM data_key ORDER BY 1").fetchall()
    assert [patient for (patient,) in patients] == sorted(patient_number(1, one) for one in (*members, "eva"))
    assert all(stored.body for stored, _ in postgres.rows())


def test_enrolling_makes_each_key_once(postgres: Any, owner: Connection) -> None:
    postgres.enrol(members=[Member(f"m{n}") for n in range(2500)])
    before = dict(owner.execute("SELECT patient, wrapped FROM data_key").fetchall())
    assert len(before) == 2501
    assert len({wrapped[:4] for wrapped in before.values()}) > 2490
    postgres.enrol(members=[Member(f"m{n}", sex="female") for n in range(2000, 2600)])
    after = dict(owner.execute("SELECT patient, wrapped FROM data_key").fetchall())
    assert len(after) == 2601
    assert before.items() <= after.items()


def listening(ask: Any, told: list[str]) -> Any:
    """The same question, noted by name."""

    def asked(query: str, **values: Any) -> Any:
        told.append(query)
        return ask(query, **values)

    return asked


def test_a_posting_of_known_people_asks_for_no_keys(
    postgres: Any, draft: Any, visit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.enrol(members=[Member("ana"), Member("ben")])
    told: list[str] = []
    for batch in range(3):
        with postgres.work() as work:
            told.clear()
            monkeypatch.setattr(work, "_ask", listening(work._ask, told))
            work.registry([visit(member="ana"), visit(member="ben")])
            first = work.lock(NOTHING, 3).first_position
            rows = [draft(f"{batch} {n}", member=one).row(1, first + n) for n, one in enumerate(("ana", "ben", ""))]
            work.post(Posting(rows, {}, {}, {}))
            work.commit()
        assert "data_keys" not in told
        assert ("people" in told) == (batch == 0)
    assert all(stored.body for stored, _ in postgres.rows())


def test_two_writers_of_a_new_patient_share_one_key(
    any_database: str, open_tenant: Any, draft: Any, post: Any, race: Any
) -> None:
    writers = [open_tenant(any_database) for _ in range(4)]

    def write(number: int) -> Any:
        return lambda: [
            post(writers[number], *[draft(f"{number} {one} {n}", member=f"m{one}") for n in range(3)])
            for one in range(8)
        ]

    answers = race([write(number) for number in range(4)])
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert len(list(writers[0].rows())) == 4 * 8 * 3
    assert all(stored.body for stored, _ in writers[0].rows())


def test_after_erasure_everything_but_the_words_still_reads(
    books: Any, draft: Any, post: Any, fill: Any, everything: Any
) -> None:
    fill(books, cash=10)
    (gone,) = post(books, draft("gone", member="ben", reason="why", avail=(("cash", 10),)))
    (kept,) = post(books, draft("kept", member="ana"))
    rows, *others = everything(books)
    books.erase("ben")
    after, *others_after = everything(books)
    assert others_after == others
    assert after == [(one._replace(body=b"") if one.position == gone else one, said) for one, said in rows]
    assert [stored.body for stored, _ in after if stored.position == kept] == [draft("kept").row(1, kept).body]
    stored = books.row(gone)
    assert stored.body == b""
    with books.work() as work:
        key = event_key(books.tenant, "test", "gone")
        assert work.newest([key]) == {key: stored}


def test_a_patient_who_comes_back_after_erasure_gets_a_new_key(
    any_database: str, open_tenant: Any, owner: Connection, draft: Any, visit: Any
) -> None:
    """Two processes remember the old key; neither must use it again."""
    here, there = open_tenant(any_database), open_tenant(any_database)
    here.enrol(members=[Member("ana")])

    def write(books: Any, name: str) -> int:
        with books.work() as work:
            assert work.registry([visit()]).people.keys() == {"ana"}
            first: int = work.lock(NOTHING, 1).first_position
            work.post(Posting([draft(name).row(1, first)], {}, {}, {}))
            work.commit()
            return first

    old = [write(books, name) for books, name in ((here, "a"), (there, "b"))]
    number = patient_number(1, "ana")
    (before,) = owner.execute("SELECT wrapped FROM data_key WHERE patient = %s", [number]).fetchone() or (b"",)
    here.erase("ana")
    assert owner.execute("SELECT 1 FROM data_key WHERE patient = %s", [number]).fetchone() is None
    new = [write(books, name) for books, name in ((there, "c"), (here, "d"), (there, "e"), (here, "f"))]
    (after,) = owner.execute("SELECT wrapped FROM data_key WHERE patient = %s", [number]).fetchone() or (b"",)
    assert before[:4] != after[:4]
    assert [here.row(position).body for position in old] == [b"", b""]
    assert all(there.row(position).body for position in new)
    here.erase("ana")
    assert all(there.row(position).body == b"" for position in old + new)


def test_after_erasure_a_batch_without_the_register_asks_for_the_key_anew(
    any_database: str, open_tenant: Any, draft: Any, post: Any
) -> None:
    here, there = open_tenant(any_database), open_tenant(any_database)
    (old,) = post(here, draft("a"))
    there.erase("ana")
    (new,) = post(here, draft("b"))
    assert (here.row(old).body, here.row(new).body) == (b"", draft("b").row(1, new).body)


def test_what_is_kept_of_unknown_members_cannot_be_erased_by_no_name(books: Any, draft: Any, post: Any) -> None:
    (position,) = post(books, draft("a", member=""))
    with pytest.raises(InvalidMessage, match="nobody is named"):
        books.erase("")
    assert books.row(position).body
    books.erase("a stranger")
    assert books.row(position).body


def test_a_moved_changed_or_lost_body_is_named(postgres: Any, owner: Connection, draft: Any, post: Any) -> None:
    first, second = post(postgres, draft("one"), draft("two"))
    ciphers = dict(owner.execute("SELECT position, body FROM journal").fetchall())
    put = "UPDATE journal SET body = %s WHERE position = %s"
    for position, cipher in [(first, ciphers[second]), (second, altered(ciphers[second], 40))]:
        owner.execute(put, [cipher, position])
        with pytest.raises(IntegrityError) as caught:
            postgres.row(position)
        assert caught.value.where == f"position {position}"
        owner.execute(put, [ciphers[position], position])
        assert postgres.row(position).body
    owner.execute(put, [b"", second])
    with pytest.raises(IntegrityError, match="lost its body"):
        list(postgres.rows())


def test_a_wrong_master_key_is_noticed_before_anything_is_written(
    any_database: str, open_tenant: Any, owner: Connection, draft: Any, post: Any
) -> None:
    open_tenant(any_database)
    with pytest.raises(IntegrityError, match="another master key"):
        open_tenant(any_database, master_key=bytes(32))
    assert owner.execute("SELECT count(*) FROM data_key").fetchone() == (1,)
