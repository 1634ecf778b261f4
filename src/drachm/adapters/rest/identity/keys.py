"""What does an API key look like, and what of it is kept?

    drk_live_3mXk9PqT2aBc_<43 characters of secret><6 check characters>

The first words say whether real money is behind it. The next twelve characters are the id, which may be logged. The
secret has 256 bits, so a fast keyed hash is enough: a slow one guards words that people choose, and would cost every
call. The check characters are a CRC-32 of all before them; a typo is told without asking the database.

Kept is HMAC-SHA256 of the whole key under the pepper of the server: neither the database alone nor the settings alone
are enough to make or check a key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.model import Environment, Kind, Principal, Role, Scope
from drachm.domain.errors import InvalidMessage

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH, SECRET_LENGTH, CHECK_LENGTH = 12, 43, 6
SECRET_BYTES, ID_BYTES = 32, 8
PEPPER_BYTES_MIN = 32
KEY_LENGTH_MAX = 100
SHAPE = re.compile(r"drk_(sandbox|live)_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key: everything but the key."""

    id: str
    tenant: str
    environment: Environment
    name: str
    """What the operator calls it."""
    digest: bytes = field(repr=False)
    pepper: str
    """Id of the pepper the digest was made with."""
    roles: frozenset[Role]
    parties: frozenset[str]
    scopes: frozenset[Scope]
    created_at: datetime
    created_by: str
    """Subject of whoever made it."""
    expires_at: datetime
    revoked_at: datetime | None = None
    replaces: str = ""
    """Id of the key whose rotation made this one."""
    last_used_hour: datetime | None = None
    """Whole hour of the last use; finer would be a record of somebody's working day."""

    @property
    def principal(self) -> Principal:
        """The machine that this key stands for."""
        return Principal(
            tenant=self.tenant,
            kind=Kind.MACHINE,
            subject=f"key:{self.id}",
            credential=self.id,
            environment=self.environment,
            roles=self.roles,
            parties=self.parties,
            scopes=self.scopes,
        )


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key: the one moment at which its text exists."""

    text: str = field(repr=False)
    id: str = ""


@dataclass(frozen=True, slots=True)
class Peppers:
    """The server's secrets for hashing keys; old ones stay until the keys made with them have ended."""

    current: str
    """Id of the one that new keys are hashed with."""
    secrets: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.current not in self.secrets:
            raise InvalidMessage("the current pepper is not among the peppers", where=self.current or "pepper")
        for name, secret in self.secrets.items():
            if not name or len(secret) < PEPPER_BYTES_MIN or len(set(secret)) < PEPPER_BYTES_MIN // 4:
                raise InvalidMessage(
                    f"a pepper needs a name and at least {PEPPER_BYTES_MIN} random bytes",
                    where=f"pepper {name}",
                    next_step="Set 64 hexadecimal digits from a random source, for example `openssl rand -hex 32`.",
                )

    def digest(self, text: str, pepper: str) -> bytes:
        """What is kept of a key under one of the peppers."""
        return hmac.digest(self.secrets[pepper], b"drachm api key\0" + text.encode("ascii"), hashlib.sha256)


def mint(environment: Environment, random_bytes: Callable[[int], bytes]) -> Minted:
    """A new key from a source of randomness."""
    identifier = _base62(random_bytes(ID_BYTES), ID_LENGTH)
    body = f"drk_{environment.value}_{identifier}_{_base62(random_bytes(SECRET_BYTES), SECRET_LENGTH)}"
    return Minted(body + _check(body), identifier)


def read_key(text: str) -> tuple[Environment, str]:
    """Environment and id of a key that is whole. Raises Unauthenticated `api_key_malformed` for anything mistyped."""
    found = SHAPE.fullmatch(text) if len(text) <= KEY_LENGTH_MAX else None
    if found is None or _check(text[:-CHECK_LENGTH]) != found[4]:
        raise Unauthenticated("api_key_malformed")
    return Environment(found[1]), found[2]


def looks_like_key(text: str) -> bool:
    """True for what was meant as an API key, whole or not."""
    return text.startswith("drk_")


def _check(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")).to_bytes(4, "big"), CHECK_LENGTH)


def _base62(data: bytes, length: int) -> str:
    number = int.from_bytes(data, "big")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
