"""What stands behind the calls? Handed in once, when the service is put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from drachm.adapters.rest.identity.authenticate import Authenticator
from drachm.adapters.rest.identity.clients import ClientStore
from drachm.adapters.rest.identity.keyring import Keyring
from drachm.adapters.rest.identity.links import Links
from drachm.adapters.rest.identity.model import Environment
from drachm.adapters.rest.identity.second_factor import KnownAnswer
from drachm.adapters.rest.identity.sign_in import SignIn
from drachm.adapters.rest.transport.cursors import Cursors
from drachm.adapters.rest.transport.identifiers import Identifiers
from drachm.application.collection import Policy
from drachm.application.desk import Desk
from drachm.application.figures import Figures
from drachm.application.first_answers import Outcome
from drachm.application.journal_index import JournalIndex
from drachm.application.money_reading import MoneyReading
from drachm.application.operations_log import OperationsLog
from drachm.application.rails import Rail
from drachm.application.records import Records
from drachm.application.register import Register
from drachm.domain.payments.tariff import Tariff


@dataclass(frozen=True, slots=True)
class Market:
    """One tenant, open for business."""

    desk: Desk
    """Books, clock and randomness: what use cases take."""
    records: Records
    index: JournalIndex
    register: Register
    money: MoneyReading
    operations: OperationsLog
    figures: Figures
    hand_on: Callable[[Sequence[Outcome]], None] = lambda _: None
    """To whoever follows the journal, what was just written; a hint that may be lost. Returns at once."""
    rails: Mapping[str, Rail] = field(default_factory=dict)
    """By which outside money comes in; none are connected unless the operator says so."""
    tariffs: Mapping[str, Tariff] = field(default_factory=dict)
    """What each rail costs, where it is known."""
    collecting: Mapping[str, Policy] = field(default_factory=dict)
    """By currency, when what patients owe is collected over a rail; in others it is not."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody of a sandbox in whose name anyone may look around."""

    name: str
    """Who it is, in a few words."""
    token: str
    staff: bool = False
    """They come to the desk; else to the pages of patients."""


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
    sign_ins: Sequence[SignIn] = ()
    """Where people can sign in to the desk, and to their own pages."""
    help_phone: str = ""
    """Whom patients call, as it stands on their pages; empty: they ask their clinic."""
    step_up_micros: int = 100_000_000
    """From which amount on a payment on a page asks again who is there."""
    write_off_micros: int = 20_000_000
    """What one person may give up of a patient's dues within a year without a second one; in any currency."""

    visitors: list[Visitor] = field(default_factory=list)
    """Whom a sandbox's sign-in offers to be, without a word; the demo fills it, nobody else does."""

    def market(self, tenant: str) -> Market:
        """Everything of one tenant."""
        return self.markets(tenant)
