"""How is a signed token read without believing it, and how is its signature checked?

The one file that touches the JOSE library. The algorithm is chosen by the key and by a list, never by the token: a key
fits exactly the algorithms of its type, shared secrets are no keys here, and `none` is no algorithm.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from drachm.domain.errors import InvalidMessage

TOKEN_LENGTH_MAX = 8192
HEADER_LENGTH_MAX = 2048
RSA_BITS_MIN, RSA_BITS_MAX = 2048, 8192
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
YEAR_5138 = 100_000_000_000
REFUSED_HEADERS = frozenset({"crit", "jku", "x5u", "jwk", "b64"})
"""A token that says where its key is, or changes how it is read, is not read."""

# What a key must be for an algorithm (RFC 7518 section 3.1, RFC 8037, RFC 9864): type and curve.
ALGORITHMS: Mapping[str, tuple[str, str]] = {
    "RS256": ("RSA", ""),
    "RS384": ("RSA", ""),
    "RS512": ("RSA", ""),
    "PS256": ("RSA", ""),
    "PS384": ("RSA", ""),
    "PS512": ("RSA", ""),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
KEY_TYPES: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


class Unreadable(ValueError):
    """Not a token in compact form, or not signed by the key it was held against."""


class _Registry(jws.JWSRegistry):
    """Takes exactly one algorithm; the library warns of EdDSA at every call because RFC 9864 renamed it."""

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()) or name not in ALGORITHMS:
            raise Unreadable("this algorithm is not allowed")
        return self.algorithms[name]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that can check signatures and nothing else."""

    id: str
    type: str
    curve: str
    algorithm: str
    """The one algorithm it says it is for; empty: any that fits its type."""
    key: RSAKey | ECKey | OKPKey = field(repr=False)

    def fits(self, algorithm: str) -> bool:
        """True when the key is of the type, and on the curve, that the algorithm needs."""
        return ALGORITHMS.get(algorithm) == (self.type, self.curve) and self.algorithm in ("", algorithm)


@dataclass(frozen=True, slots=True)
class Unverified:
    """A token taken apart; nothing in it has been proved."""

    text: str = field(repr=False)
    algorithm: str
    key_id: str
    type: str
    """The `typ` header in lower case, without `application/`."""
    claims: Mapping[str, Any] = field(repr=False)


def allowed_algorithms(names: Iterable[str]) -> frozenset[str]:
    """A list of algorithms from the settings. Raises InvalidMessage for `none`, shared secrets and unknown names."""
    chosen = frozenset(names)
    unknown = sorted(chosen - ALGORITHMS.keys())
    if unknown or not chosen:
        raise InvalidMessage(
            f"not an algorithm with a public key: {', '.join(unknown) or 'none given'}",
            where="algorithms",
            next_step=f"Choose from {', '.join(ALGORITHMS)}.",
        )
    return chosen


def take_apart(text: str) -> Unverified:
    """Read a token without believing it. Raises Unreadable."""
    if len(text) > TOKEN_LENGTH_MAX or COMPACT.fullmatch(text) is None:
        raise Unreadable("not three parts of base64url")
    head, body, _ = text.split(".")
    if len(head) > HEADER_LENGTH_MAX:
        raise Unreadable("the header is too long")
    header = _json_object(head)
    words = [header.get("alg"), header.get("kid", ""), header.get("typ", "")]
    if REFUSED_HEADERS & header.keys() or not all(isinstance(word, str) for word in words):
        raise Unreadable("the header asks for what is not done here")
    algorithm, key_id, kind = words
    return Unverified(text, algorithm, key_id, kind.lower().removeprefix("application/"), _json_object(body))


def check_signature(token: Unverified, key: PublicKey, allowed: frozenset[str]) -> Mapping[str, Any]:
    """The claims, now that this key has signed them. Raises Unreadable."""
    if token.algorithm not in allowed or not key.fits(token.algorithm):
        raise Unreadable("this algorithm is not allowed for this key")
    registry = _Registry(algorithms=[token.algorithm], strict_check_header=False)
    try:
        jws.deserialize_compact(token.text, key.key, registry=registry)
    except (JoseError, ValueError, TypeError) as error:
        raise Unreadable("the signature does not fit") from error
    return token.claims


def public_keys(document: object) -> dict[str, PublicKey]:
    """The usable keys of a JWK Set (RFC 7517 section 5) by their ids.

    Keys for encryption, shared secrets, weak RSA keys and keys that cannot be read are left out, as section 5 advises.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    keys = [_public_key(entry) for entry in entries] if isinstance(entries, list) else []
    return {key.id: key for key in keys if key is not None}


def _public_key(entry: object) -> PublicKey | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    kind, operations = entry.get("kty"), entry.get("key_ops", ["verify"])
    if not isinstance(kind, str) or kind not in KEY_TYPES:
        return None
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        # Only the public members are read: a private key that was published by mistake is used as a public one.
        members: dict[str, Any] = {
            name: str(entry[name]) for name in ("kty", "crv", "x", "y", "n", "e") if name in entry
        }
        if kind == "RSA" and not RSA_BITS_MIN <= _bits(members["n"]) <= RSA_BITS_MAX:
            return None
        key = KEY_TYPES[kind].import_key(members)
        key.get_op_key("verify")  # Reads it now, so that a point off its curve is no surprise later.
        identifier = entry.get("kid") or key.thumbprint()
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    curve = members["crv"] if kind != "RSA" else ""
    algorithm = entry.get("alg", "")
    if not isinstance(identifier, str) or not isinstance(algorithm, str):
        return None
    return PublicKey(identifier, kind, curve, algorithm, key)


def _bits(modulus: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)), "big").bit_length()


def moment(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519 section 2) in seconds, None when it is not there. Raises Unreadable for anything else."""
    value = claims.get(name)
    if value is None:
        return None
    # A bool is an int in Python, and JSON writes numbers that no calendar has.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < YEAR_5138:
        raise Unreadable(f"{name} is not a time")
    return float(value)


def words_of(value: object) -> tuple[str, ...]:
    """A claim that holds words: one string with spaces between them, or a list of strings; anything else holds none."""
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(value)
    return ()


def texts_of(value: object) -> tuple[str, ...]:
    """A claim that holds one string or a list of them, as `aud` does (RFC 7519 section 4.1.3)."""
    return (value,) if isinstance(value, str) else words_of(value)


def seconds(at: datetime) -> float:
    """A moment as a NumericDate."""
    return at.timestamp()


def _json_object(part: str) -> dict[str, Any]:
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Unreadable("a part of the token is not JSON") from error
    if not isinstance(value, dict):
        raise Unreadable("a part of the token is not an object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a number")
