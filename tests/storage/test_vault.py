"""A body opens in its own row, with its patient's key, under the right master key; and never after erasure."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from drachm.domain.errors import IntegrityError, InvalidMessage
from drachm.domain.transparency.leaf import event_key
from drachm.storage.rows import patient_number
from drachm.storage.vault import Place, Vault

Connection = psycopg.Connection[Any]

MASTER_KEY = bytes(range(32))
PLACE = Place(7, bytes(16), 0)
PLAIN = b'{"display": "Chest pain, chest pain, chest pain"}' * 10


@pytest.fixture
def vault(new_ids: Any) -> Vault:
    return Vault(MASTER_KEY, 1, new_ids())


def altered(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# By itself


def test_a_body_opens_again(vault: Vault) -> None:
    wrapped = vault.new_key(5)
    for plain in (PLAIN, b"", bytes(range(256)) * 1000):
        cipher = vault.seal(5, wrapped, PLACE, plain)
        assert vault.open(5, wrapped, PLACE, cipher) == plain


def test_a_body_is_compressed_and_nothing_of_it_shows(vault: Vault) -> None:
    wrapped = vault.new_key(5)
    cipher = vault.seal(5, wrapped, PLACE, PLAIN)
    assert len(cipher) < len(PLAIN) / 2
    assert b"pain" not in cipher
    assert cipher != vault.seal(5, wrapped, PLACE, PLAIN), "a nonce was used twice"


@pytest.mark.parametrize(
    "place",
    [Place(8, bytes(16), 0), Place(7, b"x" * 16, 0), Place(7, bytes(16), 1)],
    ids=["position", "key", "revision"],
)
def test_a_body_does_not_open_in_another_row(vault: Vault, place: Place) -> None:
    wrapped = vault.new_key(5)
    cipher = vault.seal(5, wrapped, PLACE, PLAIN)
    with pytest.raises(IntegrityError, match="belongs to another row") as caught:
        vault.open(5, wrapped, place, cipher)
    assert caught.value.where == f"position {place.position}"


def test_a_body_does_not_open_in_another_tenant(vault: Vault, new_ids: Any) -> None:
    cipher = vault.seal(5, vault.new_key(5), PLACE, PLAIN)
    other = Vault(MASTER_KEY, 2, new_ids())
    # The same bytes of randomness: the same data key, wrapped for another tenant.
    assert other.new_key(5)[:8] == cipher[:8]
    with pytest.raises(IntegrityError):
        other.open(5, Vault(MASTER_KEY, 2, new_ids()).new_key(5), PLACE, cipher)


def test_every_changed_byte_is_noticed(vault: Vault) -> None:
    wrapped = vault.new_key(5)
    cipher = vault.seal(5, wrapped, PLACE, PLAIN)
    for at in range(8, len(cipher)):
        with pytest.raises(IntegrityError):
            vault.open(5, wrapped, PLACE, altered(cipher, at))
    for at in range(8, len(wrapped)):
        with pytest.raises(IntegrityError):
            vault.open(5, altered(wrapped, at), PLACE, cipher)
    for short in (cipher[:8], cipher[:20], cipher[:-1]):
        with pytest.raises(IntegrityError):
            vault.open(5, wrapped, PLACE, short)


def test_a_data_key_belongs_to_one_patient_and_tenant(vault: Vault, new_ids: Any) -> None:
    wrapped = vault.new_key(5)
    with pytest.raises(IntegrityError):
        vault.check(6, wrapped)
    with pytest.raises(IntegrityError):
        Vault(MASTER_KEY, 2, new_ids()).check(5, wrapped)


def test_another_master_key_says_so(vault: Vault, new_ids: Any) -> None:
    wrapped = vault.new_key(5)
    cipher = vault.seal(5, wrapped, PLACE, PLAIN)
    with pytest.raises(IntegrityError, match="another master key") as caught:
        Vault(bytes(32), 1, new_ids()).open(5, wrapped, PLACE, cipher)
    assert "DRACHM_MASTER_KEY" in caught.value.next_step


def test_without_its_data_key_a_body_is_empty(vault: Vault) -> None:
    cipher = vault.seal(5, vault.new_key(5), PLACE, PLAIN)
    assert vault.open(5, None, PLACE, cipher) == b""
    assert vault.open(5, vault.new_key(5), PLACE, cipher) == b""


def test_a_lost_body_is_no_erased_one(vault: Vault) -> None:
    with pytest.raises(IntegrityError, match="lost its body"):
        vault.open(5, vault.new_key(5), PLACE, None)


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
        draft("one", member="canary-member", provider="canary-clinic", reason="canary-reason", body=b"canary-body"),
    )
    row, _ = next(books.rows())
    assert (row.member, row.provider, row.reason, row.body) == (
        "canary-member",
        "canary-clinic",
        "canary-reason",
        b"canary-body",
    )
    for table in ("journal", "body", "data_key", "outbox", "state", "account"):
        text = owner.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t").fetchone()
        assert text is not None
        assert "canary" not in text[0]
        assert b"canary".hex() not in text[0]


def test_one_data_key_for_each_patient(postgres: Any, owner: Connection, draft: Any, post: Any) -> None:
    for batch in range(3):
        post(postgres, *[draft(f"{batch} {member}", member=member) for member in ("ana", "ben", "", "ana ")])
    patients = owner.execute("SELECT patient FROM data_key ORDER BY 1").fetchall()
    assert [patient for (patient,) in patients] == sorted(patient_number(1, one) for one in ("ana", "ben", "", "ana "))
    assert {row.member for row, _ in postgres.rows()} == {"ana", "ben", "", "ana "}


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
    assert all(stored.body for _, stored in writers[0].rows())


def test_after_erasure_everything_but_the_words_still_reads(
    postgres: Any, owner: Connection, draft: Any, post: Any, fill: Any
) -> None:
    fill(postgres, cash=10)
    (gone,) = post(postgres, draft("gone", member="ben", reason="why", avail=(("cash", 10),)))
    (kept,) = post(postgres, draft("kept", member="ana"))
    balances = postgres.balances()
    owner.execute("DELETE FROM data_key WHERE tenant = 1 AND patient = %s", [patient_number(1, "ben")])

    rows = {row.position: (row, stored) for row, stored in postgres.rows()}
    row, stored = rows[gone]
    assert (row.body, stored.body, stored.member, row.reason, row.provider) == (b"", b"", "", "", "")
    written = draft("gone", member="ben", avail=(("cash", 10),)).row(1, gone)
    for name in (
        "key",
        "content",
        "kind",
        "status",
        "posted_at",
        "occurred_at",
        "entries",
        "avail",
        "leaf",
        "currency",
    ):
        assert getattr(row, name) == getattr(written, name)
    assert rows[kept][1].body == draft("kept").row(1, kept).body
    assert postgres.row(gone) == stored
    assert postgres.balances() == balances
    with postgres.work() as work:
        assert work.newest([event_key(1, "test", "gone")]) == {event_key(1, "test", "gone"): stored}


def test_a_patient_who_comes_back_after_erasure_gets_a_new_key(
    postgres: Any, owner: Connection, draft: Any, post: Any
) -> None:
    (old,) = post(postgres, draft("old"))
    (before,) = owner.execute("DELETE FROM data_key RETURNING wrapped").fetchone() or (None,)
    # The writer still remembers the old key; it must not use it again.
    (new,) = post(postgres, draft("new"))
    (after,) = owner.execute("SELECT wrapped FROM data_key").fetchone() or (None,)
    assert before[:8] != after[:8]
    assert postgres.row(old).body == b""
    assert postgres.row(new).body == draft("new").row(1, new).body


def test_a_moved_changed_or_lost_body_is_named(postgres: Any, owner: Connection, draft: Any, post: Any) -> None:
    first, second = post(postgres, draft("one"), draft("two"))
    ciphers = dict(owner.execute("SELECT position, cipher FROM body").fetchall())
    put = "UPDATE body SET cipher = %s WHERE position = %s"
    for position, cipher in [(first, ciphers[second]), (second, altered(ciphers[second], 40))]:
        owner.execute(put, [cipher, position])
        with pytest.raises(IntegrityError) as caught:
            postgres.row(position)
        assert caught.value.where == f"position {position}"
        owner.execute(put, [ciphers[position], position])
        assert postgres.row(position).body
    owner.execute("DELETE FROM body WHERE position = %s", [second])
    with pytest.raises(IntegrityError, match="lost its body"):
        list(postgres.rows())


def test_a_wrong_master_key_is_noticed_before_anything_is_written(
    any_database: str, open_tenant: Any, owner: Connection, draft: Any, post: Any
) -> None:
    post(open_tenant(any_database), draft("one"))
    with pytest.raises(IntegrityError, match="another master key"):
        open_tenant(any_database, master_key=bytes(32))
    assert owner.execute("SELECT count(*) FROM data_key").fetchone() == (1,)
