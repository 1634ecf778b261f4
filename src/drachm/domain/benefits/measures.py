"""What does a line add to a running total?

One small function per measure of section 3. Each reads one document's registers, with the component amounts handed in
as `held` (one per entry): as they stand, or lowered by somebody else's help, or with some left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from drachm.domain.benefits.document import COST_SHARE
from drachm.domain.benefits.registers import Registers

Measure: TypeAlias = Callable[[Registers, list[int]], int]


def compile_measure(of: str, payer: str) -> Measure:
    """The callable of a money measure; `units`, `lines` and `visits` are counted by the total itself."""
    if of == "cost_share":
        return _components(COST_SHARE)
    if of == "patient":
        return _patient
    if of == "covered":
        return _covered
    if of == "coinsured":
        return lambda registers, held: registers.bases
    if of == "paid":
        return _paid(payer, payer)
    if of.startswith("paid:"):
        return _paid(of.removeprefix("paid:"), payer)
    return _components(frozenset({of}))


def _components(names: frozenset[str]) -> Measure:
    def measure(registers: Registers, held: list[int]) -> int:
        if not held:
            return 0
        total = 0
        for entry, amount in zip(registers.entries, held, strict=True):
            if entry.component in names and not entry.provider:
                total += amount
        return total

    return measure


def _patient(registers: Registers, held: list[int]) -> int:
    return sum(amount for entry, amount in zip(registers.entries, held, strict=True) if not entry.provider)


def _covered(registers: Registers, held: list[int]) -> int:
    # Nothing is open any more when the final amounts are read.
    excess = sum(entry.amount for entry in registers.entries if entry.excess)
    return registers.start - excess - registers.open


def _paid(party: str, payer: str) -> Measure:
    if party != payer:
        return lambda registers, held: registers.paid.get(party, 0)
    return lambda registers, held: registers.paid.get(payer, 0) + registers.credited


def lowered_by_help(registers: Registers, help_given: int) -> list[int]:
    """The amounts of the entries after somebody else's help lowered the share components, first taken first."""
    held = []
    for entry in registers.entries:
        lowered = 0 if entry.excess else max(0, min(help_given, entry.amount))
        help_given -= lowered
        held.append(entry.amount - lowered)
    return held
