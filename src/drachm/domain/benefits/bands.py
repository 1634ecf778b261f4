"""What is the share when the rate changes along a running total?

Walks the bands of a coinsurance from the position that the measuring accumulator has reached, so that one line may
cross several bands (docs/reference/plan-model.md, section 4, "Bands").
"""

from __future__ import annotations

from collections.abc import Callable

from drachm.domain.benefits.amounts import compile_amount, compile_rate
from drachm.domain.benefits.registers import Bound, Registers
from drachm.domain.benefits.rules import Coinsurance
from drachm.domain.benefits.totals import Terms
from drachm.domain.money import MICROS, round_ratio


def compile_banded(rule: Coinsurance, terms: Terms) -> Callable[[Registers, int], tuple[int, Bound]]:
    """The patient's part of a base, rounded once, and the position with the first bound it had before it."""
    total = terms.totals[rule.measure]
    bands = [(compile_amount(band.below, terms), compile_rate(band.ppm, terms)) for band in rule.bands]
    speed = _speed(total.measure)

    def banded(registers: Registers, base: int) -> tuple[int, Bound]:
        used = total.used(registers)
        position = used + total.contribution(registers, registers.sums)
        rest, parts, first_bound = base, 0, 0
        for below_of, rate_of in bands[:-1]:
            if rest <= 0:
                break
            below = below_of(registers)
            if below is None or below <= position:
                continue
            first_bound = first_bound or below
            rate = rate_of(registers) or 0
            part = _part(rest, below - position, speed(rate))
            if part < rest:
                position = below
            parts += part * rate
            rest -= part
        if rest > 0:
            parts += rest * (bands[-1][1](registers) or 0)
        return round_ratio(parts, MICROS, terms.unit, terms.mode), (0, total.id, used, first_bound)

    return banded


def _part(rest: int, distance: int, speed: int) -> int:
    """How much of the base fits before the measure has gone `distance` further; all of it when it stands still."""
    if speed <= 0:
        return rest
    return min(rest, -(-distance * MICROS // speed))


def _speed(measure: str) -> Callable[[int], int]:
    """How much the measure grows with a million of base, given the band's rate."""
    if measure in ("covered", "coinsured"):
        return lambda rate: MICROS
    if measure == "paid":
        return lambda rate: MICROS - rate
    return lambda rate: rate
