"""What does a line add to a running total?

One small function per measure of section 3. Each reads one document's registers, with the patient's amount of each
component handed in as `sums`: as they stand, or lowered by somebody else's help, or with some left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from drachm.domain.benefits.registers import Registers

Sums: TypeAlias = Mapping[str, int]
Measure: TypeAlias = Callable[[Registers, Sums], int]


def compile_measure(of: str, payer: str) -> Measure:
    """The callable of a money measure; `units`, `lines` and `visits` are counted by the total itself."""
    if of == "cost_share":
        return _cost_share
    if of == "patient":
        return lambda registers, sums: sum(sums.values())
    if of == "covered":
        # Nothing is open any more when the final amounts are read.
        return lambda registers, sums: registers.start - registers.excess - registers.open
    if of == "coinsured":
        return lambda registers, sums: registers.bases
    if of == "paid":
        return _paid(payer, payer)
    if of.startswith("paid:"):
        return _paid(of.removeprefix("paid:"), payer)
    return lambda registers, sums: sums.get(of, 0)


def _cost_share(registers: Registers, sums: Sums) -> int:
    return sums.get("deductible", 0) + sums.get("copay", 0) + sums.get("coinsurance", 0)


def _paid(party: str, payer: str) -> Measure:
    if party != payer:
        return lambda registers, sums: registers.paid.get(party, 0)
    return lambda registers, sums: registers.paid.get(payer, 0) + registers.credited


def lowered_by_help(registers: Registers, help_given: int) -> Sums:
    """The sums after somebody else's help lowered the share components, first taken first."""
    sums = dict(registers.sums)
    for entry in registers.entries:
        if not entry.excess:
            lowered = min(help_given, entry.amount)
            sums[entry.component] -= lowered
            help_given -= lowered
    return sums
