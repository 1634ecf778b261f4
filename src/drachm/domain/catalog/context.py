"""Where, when and under which agreement was the service delivered?

What a price depends on besides the event itself. The caller knows the contract, the site and the service date; the
catalogue only reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

AS_SUBMITTED: Final = "as-submitted"
"""The book id that needs no book: what was asked is agreed."""


@dataclass(slots=True, init=False)
class PriceContext:
    """The facts of site and agreement that choose and shape a price."""

    book: str = ""
    """Price book id of the contract, or `AS_SUBMITTED`; empty: there is no contract."""
    service_date: date | None = None
    """Local service date. None: the event's start in the zone of the named book."""
    locality: str = ""
    """Where the site lies, as the book's localities spell it or one of their other names."""
    state: str = ""
    """State or province of the site (or, for equipment, of the patient's home)."""
    facility_level: str = ""
    """Level of the hospital: `1`, `2`, `3` ..."""
    facility: bool = False
    """True inside a facility; used where the event names no place of service."""
    network: str = ""
    """`in` or `out`."""
    rural: bool = False
    """True for a patient's home in an area the book treats as rural."""
    self_pay: bool = False
    """True when no payer stands behind the line: what the schedule does not hold is taken as asked, never refused."""

    # Written out because the one that is made takes four times as long.
    def __init__(
        self,
        book: str = "",
        service_date: date | None = None,
        locality: str = "",
        state: str = "",
        facility_level: str = "",
        facility: bool = False,
        network: str = "",
        rural: bool = False,
        self_pay: bool = False,
    ) -> None:
        self.book = book
        self.service_date = service_date
        self.locality = locality
        self.state = state
        self.facility_level = facility_level
        self.facility = facility
        self.network = network
        self.rural = rural
        self.self_pay = self_pay
