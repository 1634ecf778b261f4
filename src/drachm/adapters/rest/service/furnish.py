"""How do stores, secrets and tenants become the house that calls are answered in?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import OKPKey

from drachm.adapters.rest.identity.authenticate import Authenticator
from drachm.adapters.rest.identity.clients import Assertions, ClientStore, UsedStatements
from drachm.adapters.rest.identity.issuer import SigningKeys, TokenEndpoint
from drachm.adapters.rest.identity.jwks import KeySet
from drachm.adapters.rest.identity.keyring import Keyring, KeyStore
from drachm.adapters.rest.identity.keys import Peppers
from drachm.adapters.rest.identity.links import LinkKeys, Links, LinkVersions
from drachm.adapters.rest.identity.memory import (
    AnswersInMemory,
    ClientsInMemory,
    DirectoryInMemory,
    KeysInMemory,
    LinkVersionsInMemory,
    StatementsInMemory,
    TriesInMemory,
)
from drachm.adapters.rest.identity.model import Directory, Environment
from drachm.adapters.rest.identity.second_factor import Answers, KnownAnswer, Tries
from drachm.adapters.rest.identity.sign_in import SignIn
from drachm.adapters.rest.identity.tokens import Provider, Tokens
from drachm.adapters.rest.service.house import House, Market
from drachm.adapters.rest.transport.cursors import Cursors
from drachm.adapters.rest.transport.identifiers import Identifiers
from drachm.domain.money import MICROS

TOKEN_PATH = "/v1/token"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only this service knows, 32 bytes each. Of several the first signs, the others are still believed."""

    peppers: Sequence[bytes] = field(repr=False)
    """API keys are kept hashed under these."""
    links: Sequence[bytes] = field(repr=False)
    cursors: Sequence[bytes] = field(repr=False)
    tokens: Sequence[bytes] = field(repr=False)
    """Ed25519 seeds of the key pairs that sign our access tokens."""
    answers: bytes = field(repr=False)
    """Answers to second questions are kept hashed under this."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where identity keeps what it knows; the defaults forget at the end of the process."""

    keys: KeyStore = field(default_factory=KeysInMemory)
    clients: ClientStore = field(default_factory=ClientsInMemory)
    statements: UsedStatements = field(default_factory=StatementsInMemory)
    directory: Directory = field(default_factory=DirectoryInMemory)
    link_versions: LinkVersions = field(default_factory=LinkVersionsInMemory)
    answers: Answers = field(default_factory=AnswersInMemory)
    tries: Tries = field(default_factory=TriesInMemory)


def furnish(
    *,
    environment: Environment,
    base_url: str,
    secrets: Secrets,
    markets: Callable[[str], Market],
    random_bytes: Callable[[int], bytes],
    stores: Stores | None = None,
    providers: Mapping[str, tuple[Provider, KeySet]] | None = None,
    sign_ins: Sequence[SignIn] = (),
    help_phone: str = "",
    step_up_micros: int = 100 * MICROS,
    write_off_micros: int = 20 * MICROS,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> House:
    """The house with everything in its place. Raises InvalidMessage for secrets that are none."""
    kept = stores or Stores()
    keyring = Keyring(kept.keys, peppers_of(secrets), environment, random_bytes)
    endpoint = base_url + TOKEN_PATH
    assertions = Assertions(kept.clients, kept.statements, frozenset({endpoint, base_url}), environment)
    machines = TokenEndpoint(base_url, base_url, signing_keys(secrets), kept.clients, assertions, random_bytes)
    tokens = Tokens(providers or {}, kept.directory, environment)
    return House(
        environment=environment,
        base_url=base_url,
        markets=markets,
        authenticator=Authenticator(environment, keyring, machines, tokens),
        keyring=keyring,
        clients=kept.clients,
        links=Links(LinkKeys(*_named(secrets.links)), kept.link_versions, environment),
        second_factor=KnownAnswer(secrets.answers, kept.answers, kept.tries),
        cursors=Cursors(secrets.cursors, lambda: now().timestamp()),
        identifiers=Identifiers(lambda: time.time_ns() // 1_000_000, random_bytes),
        sign_ins=tuple(sign_ins),
        help_phone=help_phone,
        step_up_micros=step_up_micros,
        write_off_micros=write_off_micros,
    )


def _named(secrets: Sequence[bytes]) -> tuple[str, dict[str, bytes]]:
    """Secrets by a name that follows from each, so that the order of settings may change; the first is current."""
    named = {hashlib.sha256(b"drachm secret name\0" + secret).hexdigest()[:8]: secret for secret in secrets}
    return next(iter(named), ""), named


def peppers_of(secrets: Secrets) -> Peppers:
    """What API keys are kept hashed under."""
    return Peppers(*_named(secrets.peppers))


def signing_keys(secrets: Secrets) -> SigningKeys:
    """The key pairs that sign our access tokens."""
    current, named = _named(secrets.tokens)
    return SigningKeys(current, {name: _pair(seed) for name, seed in named.items()})


def _pair(seed: bytes) -> OKPKey:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return OKPKey.import_key(pem)
