"""Does what we computed agree with what the source prints?

The only reader of `expected`. Amounts may differ by the case's tolerance, everything else has to be equal; nested names
are told with dots (`secondary.tuberculosis.patient_after`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from drachm.adapters.vectors import codes
from drachm.adapters.vectors.document import Names
from drachm.adapters.vectors.read import Case, Unsupported, convert
from drachm.domain.money import plain


@dataclass(frozen=True, slots=True)
class Difference:
    """One name whose value is not the printed one; both as text."""

    name: str
    expected: str
    computed: str


def differences(case: Case, names: Names) -> tuple[Difference, ...]:
    """What disagrees; empty when the case passes.

    Raises `Unsupported` for an expected name that is not in the vocabulary or does not follow from the kind of plan.
    """
    printed = expected_of(case)
    absent = [f"expected.{name} (does not follow from kind {case.kind})" for name in printed if name not in names]
    if absent:
        raise Unsupported(*absent)
    found: list[Difference] = []
    for name, value in printed.items():
        found += _disagreements(name, codes.EXPECTED[name], value, names[name], case)
    return tuple(found)


def expected_of(case: Case) -> Mapping[str, Any]:
    """The printed results in our units; `Unsupported` names what the vocabulary does not hold."""
    problems: list[str] = []
    read = convert(codes.Record(codes.EXPECTED), case.expected, "expected", problems)
    if problems:
        raise Unsupported(*problems)
    return dict(read)


def _disagreements(name: str, shape: codes.Shape, printed: Any, computed: Any, case: Case) -> Iterator[Difference]:
    match shape:
        case codes.Record(fields) if isinstance(computed, Mapping):
            for key, value in printed.items():
                yield from _disagreements(f"{name}.{key}", fields[key], value, computed.get(key), case)
        case codes.Labelled(of) if isinstance(computed, Mapping):
            for key, value in printed.items():
                yield from _disagreements(f"{name}.{key}", of, value, computed.get(key), case)
        case codes.Listing(of) if isinstance(computed, list) and len(computed) == len(printed):
            for index, (value, mine) in enumerate(zip(printed, computed, strict=True)):
                yield from _disagreements(f"{name}[{index}]", of, value, mine, case)
        case "money" if isinstance(computed, int) and abs(printed - computed) <= case.tolerance:
            return
        case _ if computed is not None and shape != "money" and printed == computed:
            return
        case _:
            yield Difference(name, _text(shape, printed, case), _text(shape, computed, case))


def _text(shape: codes.Shape, value: Any, case: Case) -> str:
    if value is None:
        return "nothing"
    if shape == "money" and isinstance(value, int):
        return plain(value, case.currency)
    if isinstance(value, list | tuple):
        inner = shape.of if isinstance(shape, codes.Listing) else "any"
        return ", ".join(_text(inner, item, case) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
