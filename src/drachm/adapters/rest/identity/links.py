"""How does a link open one receipt for a while, and nothing else?

    v1.<key id>.<base64url of tenant, receipt, version, end>.<base64url of HMAC-SHA256>

The HMAC is over the purpose as well, so that a link for one purpose is no link for another. A receipt has a version of
its own for links: raising it withdraws all links made before. Whoever holds the link sees clinic initials, date and
amounts; the names of services need a second factor (`second_factor.py`), whose success is again such a signed word.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from drachm.adapters.rest.identity.errors import Unauthenticated
from drachm.adapters.rest.identity.model import Environment, Kind, Principal
from drachm.domain.errors import InvalidMessage

LIFETIME_MAX = timedelta(days=90)
OPENED_FOR = timedelta(minutes=15)
SECRET_BYTES_MIN = 32
LINK_LENGTH_MAX = 1024
SHAPE = re.compile(r"v1\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{1,800})\.([A-Za-z0-9_-]{43})", re.ASCII)
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)


class Purpose(StrEnum):
    """What a signed word is good for."""

    RECEIPT = "receipt"
    """Open the page of one receipt: goes into a link."""
    SERVICES = "services"
    """See its services too: goes into a cookie of that page after the second factor."""


class LinkVersions(Protocol):
    """The version that links to a receipt must have."""

    def current(self, tenant: str, receipt: str) -> int:
        """0 for a receipt whose links were never withdrawn. Read at every use of a link."""
        ...

    def raise_to(self, tenant: str, receipt: str, version: int) -> None:
        """Withdraw every link with a lower version; never lowers."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says, proved."""

    tenant: str
    receipt: str
    version: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """The secrets that links are signed with; older ones stay until the links made with them have ended."""

    current: str
    secrets: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        for name, secret in self.secrets.items():
            weak = len(secret) < SECRET_BYTES_MIN or len(set(secret)) < SECRET_BYTES_MIN // 4
            if weak or KEY_ID.fullmatch(name) is None:
                raise InvalidMessage(
                    f"a link key needs a short name and at least {SECRET_BYTES_MIN} random bytes",
                    where=f"link key {name}",
                    next_step="Set 64 hexadecimal digits from a random source, for example `openssl rand -hex 32`.",
                )
        if self.current not in self.secrets:
            raise InvalidMessage("the current link key is not among the link keys", where=self.current or "link key")


class Links:
    """Makes and checks links for one service."""

    def __init__(self, keys: LinkKeys, versions: LinkVersions, environment: Environment) -> None:
        self._keys = keys
        self._versions = versions
        self._environment = environment

    def create(self, tenant: str, receipt: str, lasts: timedelta, at: datetime) -> tuple[str, Link]:
        """A link to one receipt. Raises InvalidMessage for a life that is not between nothing and `LIFETIME_MAX`."""
        if not timedelta(0) < lasts <= LIFETIME_MAX:
            raise InvalidMessage(f"a link ends within {LIFETIME_MAX.days} days", where="expires_in")
        ends = (at + lasts).replace(microsecond=0)
        link = Link(tenant, receipt, self._versions.current(tenant, receipt), ends)
        return self._signed(Purpose.RECEIPT, link), link

    def withdraw(self, tenant: str, receipt: str) -> None:
        """Every link to this receipt, and every opened page, ends now."""
        self._versions.raise_to(tenant, receipt, self._versions.current(tenant, receipt) + 1)

    def version(self, tenant: str, receipt: str) -> int:
        """The version that links to this receipt must have now."""
        return self._versions.current(tenant, receipt)

    def open(self, text: str, at: datetime, opened: str = "") -> Principal:
        """Whoever holds this link, as a caller who may see one receipt.

        `opened` is what `opened_services` gave, if the page has it; anything else there is as if it were not. Raises
        Unauthenticated with the reason.
        """
        link = self._read(Purpose.RECEIPT, text, at)
        fingerprint = hashlib.sha256(text.encode("ascii")).hexdigest()[:16]
        return Principal(
            tenant=link.tenant,
            kind=Kind.LINK,
            subject=f"link:{fingerprint}",
            credential=f"link:{fingerprint}",
            environment=self._environment,
            receipt=link.receipt,
            second_factor=self._is_opened(link, opened, at),
        )

    def read(self, text: str, at: datetime) -> Link:
        """What a link says. Raises Unauthenticated with the reason."""
        return self._read(Purpose.RECEIPT, text, at)

    def opened_services(self, link: Link, at: datetime) -> str:
        """The signed word for somebody who gave the second factor; good for a quarter of an hour."""
        ends = min(at + OPENED_FOR, link.expires_at).replace(microsecond=0)
        return self._signed(Purpose.SERVICES, Link(link.tenant, link.receipt, link.version, ends))

    def _is_opened(self, link: Link, opened: str, at: datetime) -> bool:
        try:
            found = self._read(Purpose.SERVICES, opened, at)
        except Unauthenticated:
            return False
        return (found.tenant, found.receipt) == (link.tenant, link.receipt)

    def _signed(self, purpose: Purpose, link: Link) -> str:
        words = (link.tenant, link.receipt, str(link.version), str(int(link.expires_at.timestamp())))
        body = _encode("\0".join(words).encode("utf-8"))
        head = f"v1.{self._keys.current}.{body}"
        return f"{head}.{_encode(self._mac(purpose, head, self._keys.secrets[self._keys.current]))}"

    def _mac(self, purpose: Purpose, head: str, secret: bytes) -> bytes:
        # The environment too: a sandbox that was set up with the live secrets still makes no live links.
        place = f"drachm link\0{self._environment.value}\0{purpose.value}\0{head}"
        return hmac.digest(secret, place.encode("ascii"), hashlib.sha256)

    def _read(self, purpose: Purpose, text: str, at: datetime) -> Link:
        found = SHAPE.fullmatch(text) if len(text) <= LINK_LENGTH_MAX else None
        if found is None:
            raise Unauthenticated("link_invalid")
        known = found[1] in self._keys.secrets
        secret = self._keys.secrets[found[1] if known else self._keys.current]
        mac = _encode(self._mac(purpose, text.rpartition(".")[0], secret))
        # The texts are compared, not the bytes: of one MAC only one spelling is taken.
        if not hmac.compare_digest(mac, found[3]) or not known:
            raise Unauthenticated("link_invalid")
        link = _words(found[2])
        if at >= link.expires_at:
            raise Unauthenticated("link_expired")
        if link.version < self._versions.current(link.tenant, link.receipt):
            raise Unauthenticated("link_revoked")
        return link


def _words(body: str) -> Link:
    try:
        tenant, receipt, version, ends = _decode(body).decode("utf-8").split("\0")
        return Link(tenant, receipt, int(version), datetime.fromtimestamp(int(ends), UTC))
    except (ValueError, binascii.Error, OverflowError) as error:
        raise Unauthenticated("link_invalid") from error


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
