"""Who can read what a row says?

Each patient has a data key; it seals the bodies of that patient's rows and is itself wrapped by the master key. Delete
the patient's `data_key` row and every body under it is erased, in all copies, while the books stay whole.

    wrapped  key id (4) | nonce (12) | AES-256-GCM(master key, data key), bound to key id, tenant and patient
    sealed   key id (4) | nonce (12) | AES-256-GCM(data key, form (1) + text), bound to tenant, position, key, revision
    words    nonce (12) | AES-256-GCM(master key, words of a codebook), bound to tenant and number

The form says what the text is: the body as it is (0); compressed (1); the number of a codebook (2) and the body
compressed with it (2, no longer written); the same, but the first 29 bytes of the body as they are and the rest
compressed (3); from 128 on the same as 3, by the codebook whose number is the rest. The shortest is written. The key
id tells a body of an erased key from one that cannot be opened: a patient who comes back gets a new key.
NIST SP 800-38D 8.3: random 96-bit nonces serve up to 2^32 bodies under one key; one patient has far fewer.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, NoReturn

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drachm.application.ports import Ids
from drachm.domain.errors import IntegrityError, InvalidMessage
from drachm.storage.codebook import CHANCE, Codebook, Press

KEY_BYTES: Final = 32
OPENED_KEYS_MAX: Final = 20_000
"""Data keys kept ready in memory for reading."""
PLAIN_BYTES_MAX: Final = 400
"""A longer body is compressed where there is no codebook; a shorter one would only grow."""

_ID: Final = 4
_NONCE: Final = 12
_HEAD: Final = _ID + _NONCE
_NEW: Final = _HEAD + KEY_BYTES
_WRAP: Final = struct.Struct(">4siq")
_PLACE: Final = struct.Struct(">iq16sH")
_AS_IT_IS: Final = b"\x00"
_COMPRESSED: Final = b"\x01"
_WHOLE_BY_CODEBOOK: Final = b"\x02"
_BY_CODEBOOK: Final = b"\x03"
_NUMBERED: Final = b"\x80"
_NUMBER: Final = struct.Struct(">H")
_WORDS: Final = struct.Struct(">8siH")


class Place(NamedTuple):
    """Where a body belongs; moved to any other row it does not open."""

    position: int
    key: bytes
    revision: int


class DataKey(NamedTuple):
    """A patient's data key, opened. The cipher made of it is 40 times as large and cheap to make: it is not kept."""

    id: bytes
    secret: bytes


def no_codebook(number: int) -> NoReturn:
    """What is found where there are none."""
    raise IntegrityError(f"codebook {number} is missing", where=f"codebook {number}")


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
        self._press = Press()
        self.find_codebook: Callable[[int], Codebook] = no_codebook
        # Known by what is stored, never by patient alone: an erased key is not used again because it is remembered.
        self._opened = lru_cache(maxsize=OPENED_KEYS_MAX)(self.unwrap)

    def new_keys(self, patients: Sequence[int]) -> list[bytes]:
        """A new data key for each patient, wrapped."""
        random = self._ids.random_bytes(_NEW * len(patients))
        wrapped = []
        for at, patient in zip(range(0, len(random), _NEW), patients, strict=True):
            head, secret = random[at : at + _HEAD], random[at + _HEAD : at + _NEW]
            aad = _WRAP.pack(head[:_ID], self._tenant, patient)
            wrapped.append(head + self._master.encrypt(head[_ID:], secret, aad))
        return wrapped

    def unwrap(self, patient: int, wrapped: bytes) -> DataKey:
        """A patient's data key. Raises IntegrityError when the master key does not open it."""
        try:
            aad = _WRAP.pack(wrapped[:_ID], self._tenant, patient)
            return DataKey(wrapped[:_ID], self._master.decrypt(wrapped[_ID:_HEAD], wrapped[_HEAD:], aad))
        except (InvalidTag, ValueError, struct.error):
            raise IntegrityError(
                "the master key does not open this data key: it is another master key, or the row was changed",
                where=f"data_key of patient {patient}",
                next_step="Set DRACHM_MASTER_KEY to the key this database was made with; it cannot be recovered.",
            ) from None

    def seal(
        self, bodies: Sequence[tuple[DataKey, int, bytes, int, bytes]], book: Codebook | None = None
    ) -> list[bytes]:
        """Bodies sealed: each is given with its data key and its place, (key, position, event key, revision, body)."""
        tenant, aad = self._tenant, _PLACE.pack
        compress, head, kept, longest = self._press.compress, _COMPRESSED, 0, PLAIN_BYTES_MAX
        if book is not None:
            compress, head, kept, longest = book.press.compress, _form_of(book.number), CHANCE, CHANCE
        # First all are compressed, then all are enciphered: taken in turn, each pushes the other's tables out of the
        # processor's nearest memory.
        texts = []
        for _, _, _, _, plain in bodies:
            text = b""
            if len(plain) > longest:
                text = head + plain[:kept] + compress(plain[kept:])
            texts.append(text if text and len(text) <= len(plain) else _AS_IT_IS + plain)
        nonces = self._ids.random_bytes(_NONCE * len(bodies))
        at = 0
        sealed = []
        for ((key_id, secret), position, event_key, revision, _), text in zip(bodies, texts, strict=True):
            nonce = nonces[at : at + _NONCE]
            at += _NONCE
            place = aad(tenant, position, event_key, revision)
            sealed.append(key_id + nonce + AESGCM(secret).encrypt(nonce, text, place))
        return sealed

    def open(self, patient: int, wrapped: bytes | None, place: Place, sealed: bytes) -> bytes:
        """The body again; empty when its key was erased.

        Raises IntegrityError when the body is missing, was changed or moved, when its codebook is missing, or when the
        master key is another one.
        """
        where = f"position {place.position}"
        if not sealed:
            raise IntegrityError("the row has lost its body", where=where)
        if wrapped is None or wrapped[:_ID] != sealed[:_ID]:
            return b""
        secret = self._opened(patient, wrapped).secret
        try:
            text = AESGCM(secret).decrypt(sealed[_ID:_HEAD], sealed[_HEAD:], _PLACE.pack(self._tenant, *place))
            return self._plain(text)
        except (InvalidTag, ValueError, zstandard.ZstdError):
            raise IntegrityError("the body was changed, or belongs to another row", where=where) from None

    def _plain(self, text: bytes) -> bytes:
        form = text[:1]
        if form == _AS_IT_IS:
            return text[1:]
        if form == _COMPRESSED:
            return self._press.decompress(text[1:])
        if form >= _NUMBERED:
            number, at, kept = text[0] - _NUMBERED[0], 1, CHANCE
        elif form in (_BY_CODEBOOK, _WHOLE_BY_CODEBOOK) and len(text) > 3:
            (number,), at, kept = _NUMBER.unpack_from(text, 1), 3, CHANCE if form == _BY_CODEBOOK else 0
        else:
            raise ValueError("unknown form")
        rest = at + kept
        return text[at:rest] + self.find_codebook(number).press.decompress(text[rest:])

    def seal_words(self, number: int, words: bytes) -> bytes:
        """The words of a codebook, sealed: they are nobody's, and nobody's business either."""
        nonce = self._ids.random_bytes(_NONCE)
        return nonce + self._master.encrypt(nonce, words, _WORDS.pack(b"codebook", self._tenant, number))

    def open_words(self, number: int, sealed: bytes) -> bytes:
        """The words again. Raises IntegrityError when they were changed or belong to another codebook."""
        try:
            aad = _WORDS.pack(b"codebook", self._tenant, number)
            return self._master.decrypt(sealed[:_NONCE], sealed[_NONCE:], aad)
        except (InvalidTag, ValueError):
            raise IntegrityError("the codebook was changed", where=f"codebook {number}") from None


def _form_of(codebook: int) -> bytes:
    number = _NUMBERED[0] + codebook
    return bytes([number]) if number < 256 else _BY_CODEBOOK + _NUMBER.pack(codebook)
