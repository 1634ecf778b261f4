"""Who can read what a row says?

Each patient has a data key; it encrypts the bodies of that patient's rows and is itself wrapped by the master key.
Delete the patient's `data_key` row and every body under it is erased, in all copies, while the books stay whole.

    wrapped  key id (8) | nonce (12) | AES-256-GCM(master key, data key), bound to key id, tenant and patient
    cipher   key id (8) | nonce (12) | AES-256-GCM(data key, zstd(plain)), bound to tenant, position, key and revision

The key id tells a body of an erased key from one that cannot be opened: a patient who comes back gets a new key.
NIST SP 800-38D 8.3: random 96-bit nonces serve up to 2^32 bodies under one key; one patient has far fewer.
"""

from __future__ import annotations

import struct
import threading
from functools import lru_cache
from typing import Final, NamedTuple

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drachm.application.ports import Ids
from drachm.domain.errors import IntegrityError, InvalidMessage

KEY_BYTES: Final = 32
OPENED_KEYS_MAX: Final = 20_000
"""Data keys kept ready in memory."""

_ID: Final = 8
_NONCE: Final = 12
_HEAD: Final = _ID + _NONCE
_WRAP: Final = struct.Struct(">8siq")
_PLACE: Final = struct.Struct(">iq16sH")
_COMPRESSION: Final = 1
"""Bodies are short JSON: level 3 takes a quarter longer for 1 % less; zlib takes three times as long for the same."""


class Place(NamedTuple):
    """Where a body belongs; moved to any other row it does not open."""

    position: int
    key: bytes
    revision: int


class _Press(threading.local):
    """Compressors are costly to make and serve one thread at a time."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_COMPRESSION).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


class Vault:
    """Seals and opens bodies of one tenant."""

    def __init__(self, master_key: bytes, tenant: int, ids: Ids) -> None:
        if len(master_key) != KEY_BYTES:
            raise InvalidMessage(
                f"the master key has {len(master_key)} bytes, not {KEY_BYTES}",
                where="DRACHM_MASTER_KEY",
                next_step="Give 64 hexadecimal digits.",
            )
        self._master = AESGCM(master_key)
        self._tenant = tenant
        self._ids = ids
        self._press = _Press()
        # Known by what is stored, never by patient alone: an erased key is not used again because it is remembered.
        self._opened = lru_cache(maxsize=OPENED_KEYS_MAX)(self._unwrap)

    def new_key(self, patient: int) -> bytes:
        """A new data key for a patient, wrapped."""
        key_id = self._ids.random_bytes(_ID)
        nonce = self._ids.random_bytes(_NONCE)
        data_key = self._ids.random_bytes(KEY_BYTES)
        return key_id + nonce + self._master.encrypt(nonce, data_key, _WRAP.pack(key_id, self._tenant, patient))

    def check(self, patient: int, wrapped: bytes) -> None:
        """Raises IntegrityError when the master key does not open this data key."""
        self._opened(patient, wrapped)

    def seal(self, patient: int, wrapped: bytes, place: Place, plain: bytes) -> bytes:
        """The cipher of a body under the patient's data key."""
        nonce = self._ids.random_bytes(_NONCE)
        sealed = self._opened(patient, wrapped).encrypt(nonce, self._press.compress(plain), self._aad(place))
        return wrapped[:_ID] + nonce + sealed

    def open(self, patient: int, wrapped: bytes | None, place: Place, cipher: bytes | None) -> bytes:
        """The body again; empty when its key was erased.

        Raises IntegrityError when the body is missing, was changed or moved, or when the master key is another one.
        """
        where = f"position {place.position}"
        if cipher is None:
            raise IntegrityError("the row has lost its body", where=where)
        if wrapped is None or wrapped[:_ID] != cipher[:_ID]:
            return b""
        data_key = self._opened(patient, wrapped)
        try:
            return self._press.decompress(data_key.decrypt(cipher[_ID:_HEAD], cipher[_HEAD:], self._aad(place)))
        except (InvalidTag, ValueError, zstandard.ZstdError):
            raise IntegrityError("the body was changed, or belongs to another row", where=where) from None

    def _aad(self, place: Place) -> bytes:
        return _PLACE.pack(self._tenant, *place)

    def _unwrap(self, patient: int, wrapped: bytes) -> AESGCM:
        try:
            aad = _WRAP.pack(wrapped[:_ID], self._tenant, patient)
            return AESGCM(self._master.decrypt(wrapped[_ID:_HEAD], wrapped[_HEAD:], aad))
        except (InvalidTag, ValueError):
            raise IntegrityError(
                "the master key does not open this data key: it is another master key, or the row was changed",
                where=f"data_key of patient {patient}",
                next_step="Set DRACHM_MASTER_KEY to the key this database was made with; it cannot be recovered.",
            ) from None
