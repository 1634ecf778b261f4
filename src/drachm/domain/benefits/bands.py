"""What is the share when the rate changes along a running total?

Walks the bands of a coinsurance from the position that the measuring accumulator has reached, so that one line may
cross several bands (docs/reference/plan-model.md, section 4, "Bands").
"""

from __future__ import annotations

from drachm.domain.benefits.amounts import amount_of, rate_of, rounded
from drachm.domain.benefits.rules import Coinsurance, RateBand
from drachm.domain.benefits.totals import contribution, total, used
from drachm.domain.benefits.turn import Turn
from drachm.domain.money import MICROS


def banded(turn: Turn, rule: Coinsurance, base: str) -> tuple[str, str]:
    """The patient's part of a base, rounded once, and the position with the first bound it had before it."""
    script = turn.script
    measure = total(turn, rule.measure).feeds[0].of
    held = used(turn, rule.measure)
    plus, minus = contribution(turn, rule.measure)
    position = script.let("position", " - ".join([" + ".join([held, *plus]), *minus]))
    rest, parts, bound = script.let("rest", base), script.let("parts", "0"), script.let("bound", "0")
    for band in rule.bands[:-1]:
        with script.block(f"if {rest} > 0:"):
            _one_band(turn, band, measure, position, rest, parts, bound)
    with script.block(f"if {rest} > 0:"):
        rate = rate_of(turn, rule.bands[-1].ppm)
        if rate is not None:
            script.write(f"{parts} += {rest} * {f'({rate.text} or 0)' if rate.optional else rate.text}")
    return script.let("asked", rounded(turn, parts, MICROS)), f"({rule.measure!r}, {held}, {bound})"


def _one_band(turn: Turn, band: RateBand, measure: str, position: str, rest: str, parts: str, bound: str) -> None:
    """Let the part of the rest that fits before the band's end have its rate; a band that lies behind is skipped."""
    script = turn.script
    below = amount_of(turn, band.below)
    if below is None:
        return
    there = f"{below.text} is not None and " if below.optional else ""
    with script.block(f"if {there}{below.text} > {position}:"):
        script.write(f"{bound} = {bound} or {below.text}")
        given = rate_of(turn, band.ppm)
        rate = "0" if given is None else script.let("rate", f"{given.text} or 0" if given.optional else given.text)
        if measure in ("covered", "coinsured"):
            part = script.let("part", f"min({rest}, {below.text} - {position})")
        else:
            # How much the measure grows with a million of base; where it stands still, all of the base fits.
            speed = script.let("speed", f"{MICROS} - {rate}" if measure == "paid" else rate)
            ends = f"-(({position} - {below.text}) * {MICROS} // {speed})"
            part = script.let("part", f"min({rest}, {ends}) if {speed} > 0 else {rest}")
        with script.block(f"if {part} < {rest}:"):
            script.write(f"{position} = {below.text}")
        script.write(f"{parts} += {part} * {rate}")
        script.write(f"{rest} -= {part}")
