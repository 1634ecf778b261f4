"""Canonical bytes of a leaf, against bytes written out by hand from the documented layout."""

import hashlib
from typing import Any

from drachm.domain.transparency.leaf import NO_KEY, commitment, event_key, leaf_bytes, leaf_hash

LEAF: dict[str, Any] = {
    "tenant": 1,
    "key": bytes(range(16)),
    "revision": 2,
    "kind": 1,
    "outcome": 0,
    "posted_at": 1_767_225_600_000_000,
    "superseded_key": NO_KEY,
    "superseded_revision": 0,
    "currency": "USD",
    "entries": [-2, 5_000_000, 2, 7, -5_000_000, 2],
    "commitment": b"\xaa" * 32,
}
BY_HAND = (
    b"drachm-leaf-1\n"
    + bytes.fromhex("00000001")
    + bytes(range(16))
    + bytes.fromhex("00020100")
    + (1_767_225_600_000_000).to_bytes(8, "big")
    + bytes(16)
    + bytes.fromhex("0000")
    + b"USD"
    + b"\x02"
    + bytes.fromhex("fffffffffffffffe00000000004c4b4002")
    + bytes.fromhex("0000000000000007ffffffffffb3b4c002")
    + b"\xaa" * 32
)


def test_bytes_follow_the_documented_layout() -> None:
    assert leaf_bytes(**LEAF) == BY_HAND


def test_the_hash_is_domain_separated_as_rfc_9162_says() -> None:
    assert leaf_hash(leaf_bytes(**LEAF)) == hashlib.sha256(b"\x00" + BY_HAND).digest()


def test_every_field_changes_the_bytes() -> None:
    changed = [
        {**LEAF, "tenant": 2},
        {**LEAF, "key": b"k" * 16},
        {**LEAF, "revision": 3},
        {**LEAF, "kind": 2},
        {**LEAF, "outcome": 1},
        {**LEAF, "posted_at": 1},
        {**LEAF, "superseded_key": b"s" * 16},
        {**LEAF, "superseded_revision": 1},
        {**LEAF, "currency": "EUR"},
        {**LEAF, "entries": [-2, 4_000_000, 2, 7, -4_000_000, 2]},
        {**LEAF, "commitment": b"\xab" * 32},
    ]
    assert len({leaf_bytes(**leaf) for leaf in [LEAF, *changed]}) == len(changed) + 1


def test_the_commitment_needs_the_salt() -> None:
    assert commitment(b"a" * 16, b"content") != commitment(b"b" * 16, b"content")
    assert commitment(b"a" * 16, b"content") == hashlib.sha256(b"a" * 16 + b"content").digest()


def test_keys_are_scoped_to_tenant_and_source() -> None:
    keys = {event_key(1, "ehr", "1"), event_key(2, "ehr", "1"), event_key(1, "lab", "1"), event_key(1, "ehr", "2")}
    assert len(keys) == 4
    assert all(len(key) == 16 for key in keys)
