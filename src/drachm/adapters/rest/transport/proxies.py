"""From which address does a caller come, when proxies of the operator stand in between?

Anybody can write `X-Forwarded-For` or `Forwarded` (RFC 7239). What they say is believed only as far as the operator
said how many proxies there are, each of which adds the address that it was called from: so many entries from the end
stands the caller, and whatever lies before was written by the caller. Not told of any proxy, the connection counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from drachm.adapters.rest.transport.exchange import Scope

FIELDS: Final = ("x-forwarded-for", "forwarded")
_NETWORK_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all that begin alike (RFC 6177)."""
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR: Final = rf'({_TOKEN})=({_TOKEN}|"(?:[^"\\]|\\.)*")'
_ELEMENT: Final = re.compile(rf"{_PAIR}(?:\s*;\s*{_PAIR})*;?")
"""One element of `Forwarded`, whole: half of one, cut off by a comma that its host name held, is none."""
_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]+)\](?::\d+)?|(?P<four>[0-9.]+)(?::\d+)?")


@dataclass(frozen=True, slots=True)
class Proxies:
    """The operator's own proxies."""

    number: int = 0
    """How many each call passes."""
    field: str = FIELDS[0]
    """In which of `FIELDS` each adds the address that it was called from."""

    def address(self, scope: Scope) -> str:
        """Whose calls are counted together: an IPv4 address, or an IPv6 network of 64 bits.

        The connection's own address where there are fewer entries than proxies, or the one that counts names nobody.
        """
        client = scope.get("client")
        connected = _counted(str(client[0])) if client else ""
        if not self.number:
            return connected
        entries = self._entries(scope)
        if len(entries) < self.number:
            return connected
        return _counted(entries[-self.number]) or connected

    def _entries(self, scope: Scope) -> list[str]:
        name = self.field.encode()
        # Each proxy may add to the line or write one of its own; the order is the same.
        lines = [value.decode("latin-1") for given, value in scope.get("headers", ()) if given == name]
        entries = [entry.strip() for line in lines for entry in line.split(",")]
        if self.field == "x-forwarded-for":
            return entries
        return [_named(entry) for entry in entries]


def _named(element: str) -> str:
    """What `for` says in one element of `Forwarded`; empty where it says nothing."""
    if not _ELEMENT.fullmatch(element):
        return ""
    named = [value.strip('"') for name, value in re.findall(_PAIR, element) if name.lower() == "for"]
    return named[0] if len(named) == 1 else ""


def _counted(text: str) -> str:
    """The address without its port, as calls are counted by; empty for what is no address."""
    found = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address((found["six"] or found["four"]) if found else text.partition("%")[0])
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _NETWORK_BITS), strict=False))
