"""What stands behind the calls? Handed in once, when the service is put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drachm.adapters.rest.identity.authenticate import Authenticator
from drachm.adapters.rest.identity.clients import ClientStore
from drachm.adapters.rest.identity.keyring import Keyring
from drachm.adapters.rest.identity.links import Links
from drachm.adapters.rest.identity.model import Environment
from drachm.adapters.rest.identity.second_factor import KnownAnswer
from drachm.adapters.rest.transport.cursors import Cursors
from drachm.adapters.rest.transport.identifiers import Identifiers
from drachm.application.desk import Desk
from drachm.application.journal_index import JournalIndex
from drachm.application.records import Records


@dataclass(frozen=True, slots=True)
class Market:
    """One tenant, open for business."""

    desk: Desk
    """Books, clock and randomness: what use cases take."""
    records: Records
    index: JournalIndex


@dataclass(frozen=True, slots=True)
class House:
    """Everything that calls share."""

    environment: Environment
    base_url: str
    """How callers reach this service, without a slash at the end."""
    markets: Callable[[str], Market]
    """The tenant by its name in credentials (its number as text); opened at its first call."""
    authenticator: Authenticator
    keyring: Keyring
    clients: ClientStore
    links: Links
    second_factor: KnownAnswer
    cursors: Cursors
    identifiers: Identifiers

    def market(self, tenant: str) -> Market:
        """Everything of one tenant."""
        return self.markets(tenant)
