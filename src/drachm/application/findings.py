"""What does a look at the installation find? Each finding says how things stand, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `drachm doctor`."""

    name: str
    """Stable word, for machines."""
    state: Literal["ok", "warn", "fail"]
    said: str
    next_step: str = ""


def found(name: str, said: str, *, fail: str = "", warn: str = "") -> Finding:
    """A finding: `fail` or `warn` is the next step where something is wrong; without either all is well."""
    if fail:
        return Finding(name, "fail", said, fail)
    return Finding(name, "warn", said, warn) if warn else Finding(name, "ok", said)
