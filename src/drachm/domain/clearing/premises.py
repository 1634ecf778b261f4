"""What do a provider and the place of its service say to prices and plans?"""

from __future__ import annotations

from datetime import date

from drachm.domain.catalog import AS_SUBMITTED, PriceContext
from drachm.domain.coverage.model import Contract, Party
from drachm.domain.events.model import Fact


class Premises:
    """A provider at one of its sites; `site` is None where the event names none that is known."""

    __slots__ = ("_facility", "_facility_level", "_last", "_locality", "_rural", "_state", "facts", "site")

    def __init__(self, provider: Party, site: Party | None) -> None:
        facts = {**provider.facts, **(site.facts if site is not None else {})}
        self.site = site
        self.facts: dict[str, Fact] = facts
        """The site's override the provider's. Copied, never changed."""
        self._locality = str(facts.get("locality", ""))
        self._state = str(facts.get("state", ""))
        self._facility_level = str(facts.get("facility_level", ""))
        self._facility = bool(facts.get("facility", False))
        self._rural = bool(facts.get("rural", False))
        self._last: tuple[Contract | None, date, bool, PriceContext] | None = None

    def context(self, contract: Contract | None, day: date, *, self_pay: bool) -> PriceContext:
        """What a price is looked up with. The last one is kept: lines of one day follow one another."""
        last = self._last
        if last is not None and last[0] is contract and last[1] == day and last[2] == self_pay:
            return last[3]
        made = PriceContext(
            contract.price_book if contract is not None else AS_SUBMITTED,
            day,
            self._locality,
            self._state,
            self._facility_level,
            self._facility,
            contract.network if contract is not None else "out",
            self._rural,
            self_pay,
        )
        self._last = contract, day, self_pay, made
        return made
