"""Which keys does an OIDC provider sign with at the moment?

Keys are kept for a while and asked for again when they have grown old or when a token names one that is not known; at
most once in an interval, whatever is sent to us, so that forged tokens cannot make us call anybody. While the provider
does not answer, known keys serve on for a day.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from drachm.adapters.rest.identity.jose import PublicKey, public_keys
from drachm.domain.errors import InvalidMessage, Unavailable

DOCUMENT_BYTES_MAX = 262_144
FETCH_SECONDS = 3.0
FRESH_SECONDS = 300.0
INTERVAL_SECONDS = 30.0
STALE_SECONDS = 86_400.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Fetch = Callable[[], object]
"""Brings the JWK Set of one provider. Raises Unavailable."""


class KeySet:
    """The keys of one provider; safe between threads."""

    def __init__(
        self,
        fetch: Fetch,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        fresh: float = FRESH_SECONDS,
        interval: float = INTERVAL_SECONDS,
        stale: float = STALE_SECONDS,
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._fresh, self._interval, self._stale = fresh, interval, stale
        self._keys: dict[str, PublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = Lock()

    def find(self, key_id: str, algorithm: str) -> PublicKey | None:
        """The key for a token, asking the provider when that may help. A token without a key id fits a lone key only.

        Raises Unavailable when there are no keys because the provider has not answered for too long.
        """
        now = self._monotonic()
        found = self._known(key_id, algorithm)
        if (found is None or now - self._fetched_at >= self._fresh) and now - self._tried_at >= self._interval:
            # Whoever has a key does not wait while another call asks for newer ones.
            self.refresh(wait=found is None)
            found = self._known(key_id, algorithm)
        if self._monotonic() - self._fetched_at >= self._stale:
            raise Unavailable("the identity provider does not answer", where="identity provider")
        return found

    def refresh(self, *, wait: bool = True) -> bool:
        """Ask the provider unless somebody just did; True when the keys are new. Keys stay as they are on failure."""
        if not self._lock.acquire(blocking=wait):
            return False
        try:
            due = self._monotonic() - self._tried_at >= self._interval
            return due and self._ask()
        finally:
            self._lock.release()

    def _ask(self) -> bool:
        try:
            keys = public_keys(self._fetch())
        except Unavailable:
            keys = {}
        # Counted from the end of the try: a provider that answers slowly is not asked without a pause.
        self._tried_at = self._monotonic()
        if keys:
            self._keys, self._fetched_at = keys, self._tried_at
        return bool(keys)

    def _known(self, key_id: str, algorithm: str) -> PublicKey | None:
        if key_id:
            key = self._keys.get(key_id)
            return key if key is not None and key.fits(algorithm) else None
        fitting = [key for key in self._keys.values() if key.fits(algorithm)]
        return fitting[0] if len(fitting) == 1 else None


def discovered(issuer: str) -> Fetch:
    """How to bring the keys of a provider that publishes where they are (OpenID Connect Discovery 1.0 section 4).

    Where they are is asked once, and again after a failure. Raises InvalidMessage for an issuer that is not https
    (or on this machine).
    """
    safe_address(issuer, "issuer")
    place: list[str] = []

    def fetch() -> object:
        if not place:
            described = fetch_json(issuer.rstrip("/") + "/.well-known/openid-configuration")
            found = described.get("jwks_uri") if isinstance(described, dict) else None
            if not isinstance(found, str) or not isinstance(described, dict) or described.get("issuer") != issuer:
                raise Unavailable("the identity provider describes another issuer", where=issuer)
            place.append(found)
        try:
            return fetch_json(place[0])
        except Unavailable:
            place.clear()
            raise

    return fetch


def fetch_json(address: str) -> object:
    """A small JSON document of a provider. No redirects: who we trust sends us nowhere else. Raises Unavailable."""
    try:
        safe_address(address, "address")
        with _OPENER.open(address, timeout=FETCH_SECONDS) as answer:
            data: bytes = answer.read(DOCUMENT_BYTES_MAX + 1)
        if len(data) > DOCUMENT_BYTES_MAX:
            raise ValueError("the document is too large")
        return json.loads(data)
    except (OSError, ValueError, RecursionError, InvalidMessage) as error:
        raise Unavailable("the identity provider gave no usable answer", where=address) from error


def safe_address(address: str, where: str) -> None:
    """Refuse an address that is neither https nor on this machine, and one with a user or a fragment in it."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    plain_but_near = parts.scheme == "http" and host in LOOPBACK
    if not host or parts.username or parts.fragment or not (parts.scheme == "https" or plain_but_near):
        raise InvalidMessage("not an https address", where=where, next_step="Give the provider's https address.")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Do not follow: the answer then counts as an error."""


_OPENER = urllib.request.build_opener(_Stay)
