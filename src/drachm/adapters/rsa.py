"""How do Alipay and WeChat Pay sign? RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2), in Base64."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from drachm.domain.errors import InvalidMessage

BITS_MIN = 2_048


def private_key(pem: str) -> RSAPrivateKey:
    """Our key. Raises `InvalidMessage` for one that the rails do not take; its text is never repeated."""
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        raise _unusable("our key") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < BITS_MIN:
        raise _unusable("our key")
    return key


def public_key(pem: str) -> RSAPublicKey:
    """A rail's key. Raises `InvalidMessage`."""
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        raise _unusable("the rail's key") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < BITS_MIN:
        raise _unusable("the rail's key")
    return key


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
        where="rail",
        next_step="Make a key pair of 2,048 bits and exchange its public half with the rail.",
        code="rail_refused",
    )
