"""How does Alipay sign? RSA2: RSASSA-PKCS1-v1_5 with SHA-256, in Base64.

Source: Alipay Open Platform, "Signing" and "Asynchronous notification": what is signed are the parameters that are not
empty, sorted by name and joined as ``name=value`` with ``&``; of an answer, the bytes of its one response object.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from drachm.domain.errors import InvalidMessage

BITS_MIN = 2_048


def private_key(pem: str) -> RSAPrivateKey:
    """Our key. Raises `InvalidMessage` for one that Alipay's RSA2 does not take; its text is never repeated."""
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        raise _unusable("our key") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < BITS_MIN:
        raise _unusable("our key")
    return key


def public_key(pem: str) -> RSAPublicKey:
    """Alipay's key. Raises `InvalidMessage`."""
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        raise _unusable("Alipay's key") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < BITS_MIN:
        raise _unusable("Alipay's key")
    return key


def content_of(parameters: Mapping[str, str], *, without: frozenset[str] = frozenset({"sign"})) -> bytes:
    """What is signed of some parameters."""
    named = sorted((name, value) for name, value in parameters.items() if value and name not in without)
    return "&".join([f"{name}={value}" for name, value in named]).encode()


def signed(content: bytes, key: RSAPrivateKey) -> str:
    """The signature as it is sent."""
    return base64.b64encode(key.sign(content, PKCS1v15(), SHA256())).decode()


def is_signed(content: bytes, signature: str, key: RSAPublicKey) -> bool:
    """Whether the owner of `key` signed exactly this."""
    try:
        key.verify(base64.b64decode(signature, validate=True), content, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _unusable(whose: str) -> InvalidMessage:
    return InvalidMessage(
        f"{whose} is not an RSA key of at least {BITS_MIN} bits in PEM form",
        where="alipay",
        next_step="Make an RSA2 key pair and exchange its public half with Alipay.",
        code="rail_refused",
    )
