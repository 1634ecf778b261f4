"""What does this published case say, strictly?

Reads one case of the format. Names and words outside the closed vocabulary (`codes`) are collected with their path;
a case that has one is `Unsupported` and tells them all. Money becomes micros, rates become ppm, `null` is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from drachm.adapters.vectors import codes
from drachm.domain.errors import InvalidMessage
from drachm.domain.money import MICROS, micros, minor_unit

_REQUIRED: Final = ("id", "family", "country", "currency", "check", "plan", "lines", "expected")


class Unsupported(Exception):
    """The case uses something outside the closed vocabulary; `names` are the paths."""

    def __init__(self, *names: str) -> None:
        self.names = names
        super().__init__(", ".join(names))


@dataclass(frozen=True, slots=True)
class Label:
    """Who is this case? Readable even where the rest is not."""

    id: str
    family: str
    country: str


@dataclass(frozen=True, slots=True)
class Case:
    """One published case. What it expects is kept as printed and read only to compare."""

    label: Label
    currency: str
    check: str
    kind: str
    plan: Mapping[str, Any]
    state: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]
    """In order of `seq`."""
    expected: Mapping[str, Any]
    """As printed: decimal strings, lists, objects."""
    tolerance: int
    """Largest allowed difference of an amount, in micros."""


def label_of(raw: Any, position: int) -> Label:
    """The identifying names of a case, or its position in the file where it has none."""
    fields = raw if isinstance(raw, Mapping) else {}
    texts = [value if isinstance(value := fields.get(name), str) else "" for name in ("id", "family", "country")]
    return Label(texts[0] or f"cases[{position}]", texts[1] or "?", texts[2] or "?")


def read_case(raw: Any, position: int) -> Case:
    """One case of the file; raises `Unsupported` with every name that is not in the vocabulary."""
    label = label_of(raw, position)
    if not isinstance(raw, Mapping):
        raise Unsupported("case (not an object)")
    problems: list[str] = []
    head = _record(codes.CASE, raw, "", problems)
    problems += [f"{name} (missing)" for name in _REQUIRED if name not in head]
    plan = _record(codes.PLAN, _object(raw, "plan", problems), "plan.", problems)
    state = _record(codes.STATE, _object(raw, "state_before", problems), "state_before.", problems)
    lines = _lines(raw.get("lines"), problems)
    if "kind" not in plan and not any(problem.startswith("plan.kind") for problem in problems):
        problems.append("plan.kind (missing)")
    if isinstance(head.get("currency"), str):
        try:
            minor_unit(head["currency"])
        except InvalidMessage:
            problems.append(f"currency = {head['currency']}")
    expected = _object(raw, "expected", problems)
    if problems:
        raise Unsupported(*problems)
    return Case(
        label=label,
        currency=head["currency"],
        check=head["check"],
        kind=plan["kind"],
        plan=plan,
        state=state,
        lines=lines,
        expected=expected,
        tolerance=head.get("tolerance", 0),
    )


def convert(shape: codes.Shape, value: Any, path: str, problems: list[str]) -> Any:
    """The value in our units; what does not fit its shape is added to `problems` with its path."""
    match shape:
        case "any":
            return value
        case "money" | "rate":
            return _decimal(shape, value, path, problems)
        case "count" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "flag" if isinstance(value, bool):
            return value
        case "text" if isinstance(value, str):
            return value
        case codes.Word(words) if isinstance(value, str):
            if value not in words:
                problems.append(f"{path} = {value[:60]}")
            return value
        case codes.Listing(of) if isinstance(value, list):
            return tuple(convert(of, item, f"{path}[{index}]", problems) for index, item in enumerate(value))
        case codes.Record(fields) if isinstance(value, Mapping):
            return _record(fields, value, f"{path}.", problems)
        case codes.Labelled(of) if isinstance(value, Mapping):
            return {key: convert(of, item, f"{path}.{key}", problems) for key, item in value.items()}
    problems.append(f"{path} (not of the form that names.md gives)")
    return None


def _record(
    fields: Mapping[str, codes.Shape], raw: Mapping[str, Any], path: str, problems: list[str]
) -> dict[str, Any]:
    read = {}
    for name, value in raw.items():
        if name not in fields:
            problems.append(f"{path}{name[:60]}")
        elif value is not None:
            read[name] = convert(fields[name], value, f"{path}{name}", problems)
    return read


def _object(raw: Mapping[str, Any], name: str, problems: list[str]) -> Mapping[str, Any]:
    value = raw.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        problems.append(f"{name} (not an object)")
        return {}
    return value


def _lines(raw: Any, problems: list[str]) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(raw, list) or not raw:
        problems.append("lines (no list of lines)")
        return ()
    lines = []
    for index, item in enumerate(raw):
        path = f"lines[{index}]"
        if not isinstance(item, Mapping):
            problems.append(f"{path} (not an object)")
            continue
        line = _record(codes.LINE, item, f"{path}.", problems)
        _check_adjustments(line.get("adjustments"), path, problems)
        if not isinstance(line.get("seq"), int):
            problems.append(f"{path}.seq (missing)")
        lines.append(line)
    if problems:
        return ()
    return tuple(sorted(lines, key=lambda line: int(line["seq"])))


def _check_adjustments(entries: Any, path: str, problems: list[str]) -> None:
    """X12 835: lists of group, reason and amount; only the groups are enumerated."""
    if entries is None:
        return
    for index, entry in enumerate(entries if isinstance(entries, list) else [None]):
        if not isinstance(entry, list) or len(entry) != 3:
            problems.append(f"{path}.adjustments[{index}] (not group, reason and amount)")
        elif not isinstance(entry[0], str) or entry[0] not in codes.ADJUSTMENT_GROUPS:
            problems.append(f"{path}.adjustments[{index}] = {entry[0]}")


def _decimal(shape: str, value: Any, path: str, problems: list[str]) -> int | None:
    if isinstance(value, str):
        try:
            read = micros(value, where=path)
        except InvalidMessage as refusal:
            problems.append(f"{path} ({refusal.message})")
            return None
        if read < 0 and path.startswith(("plan.", "state_before.")):
            problems.append(f"{path} = {value[:60]} (negative)")
            return None
        if shape == "money" or 0 <= read <= MICROS:
            return read
        problems.append(f"{path} = {value[:60]} (not between 0 and 1)")
        return None
    problems.append(f"{path} (not a decimal string)")
    return None
