"""Tokens made by hand for the tests, good ones and bad ones, without the library that checks them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, length: int = 0) -> str:
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Pair:
    """A key pair of somebody who signs tokens."""

    def __init__(self, kid: str, alg: str = "ES256", bits: int = 2048) -> None:
        self.kid, self.alg = kid, alg
        if alg[:2] in ("RS", "PS"):
            self.private: Any = rsa.generate_private_key(65537, bits)
        elif alg[:2] == "ES":
            self.private = ec.generate_private_key(CURVES[{"256": "P-256", "384": "P-384", "512": "P-521"}[alg[2:]]])
        else:
            self.private = ed25519.Ed25519PrivateKey.generate()

    def jwk(self, **more: Any) -> dict[str, Any]:
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            members = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        elif isinstance(public, ec.EllipticCurvePublicKey):
            point, length = public.public_numbers(), (public.key_size + 7) // 8
            crv = {256: "P-256", 384: "P-384", 521: "P-521"}[public.key_size]
            members = {"kty": "EC", "crv": crv, "x": number(point.x, length), "y": number(point.y, length)}
        else:
            members = {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw())}
        return {**members, "kid": self.kid, **more}

    def sign(self, data: bytes) -> bytes:
        algorithm = HASHES.get(self.alg[2:])
        if self.alg.startswith("RS"):
            return bytes(self.private.sign(data, padding.PKCS1v15(), algorithm))
        if self.alg.startswith("PS"):
            assert algorithm is not None
            pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
            return bytes(self.private.sign(data, pss, algorithm))
        if self.alg.startswith("ES"):
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(algorithm)))
            length = (self.private.key_size + 7) // 8
            return r.to_bytes(length, "big") + s.to_bytes(length, "big")
        return bytes(self.private.sign(data))

    def token(self, claims: object, **header: Any) -> str:
        """A token signed by this pair; a header member given as None is left out."""
        full = {"alg": self.alg, "kid": self.kid, "typ": "at+jwt", **header}
        return compact(full, claims, self.sign)


def compact(header: dict[str, Any], claims: object, sign: Any) -> str:
    head = b64(json.dumps({name: value for name, value in header.items() if value is not None}).encode())
    body = b64(claims if isinstance(claims, bytes) else json.dumps(claims).encode())
    return f"{head}.{body}.{b64(sign(f'{head}.{body}'.encode()))}"


def hmac_signer(secret: bytes) -> Any:
    return lambda data: hmac.digest(secret, data, hashlib.sha256)
