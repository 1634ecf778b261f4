"""What does a document say about this line: its facts, its conditions, its rounding, its days?

Sections 1 and 2 of `docs/reference/plan-model.md`, for the naive adjudicator. `run` is the dictionary of one line's
adjudication; `run["words"]` collects what was looked at, for counting only.
"""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from math import ceil, floor
from zoneinfo import ZoneInfo

MILLION = 1_000_000
DECIMALS = {"JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "BHD": 3, "TND": 3, "CLF": 4}


class Pend(Exception):
    def __init__(self, reason, fact):
        super().__init__(reason, fact)
        self.reason, self.fact = reason, fact


def given_facts(run, document):
    return run["line"]["facts"] | run["line"]["document_facts"].get(document["id"], {})


def type_of(declared):
    return declared["type"] if isinstance(declared, dict) else declared


def refuse_wrong_facts(run, document):
    given = given_facts(run, document)
    for name in sorted(document.get("facts", {})):
        if name in given and not fits(given[name], type_of(document["facts"][name])):
            raise Pend("fact_invalid", name)


def fits(value, wanted):
    if isinstance(wanted, list):
        return isinstance(value, str) and value in wanted
    if wanted == "flag":
        return isinstance(value, bool)
    if wanted in ("number", "money"):
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    return wanted == "text" or is_day(value)


def is_day(text):
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def fact(run, document, name):
    """The value that a rule reads; None when the fact is absent with a null default."""
    line, given = run["line"], given_facts(run, document)
    if name in ("member", "visit", "quantity"):
        return line[name]
    if name == "date":
        return str(local_date(run, document))
    if name == "payer_set":
        return run["payer_set"]
    if name == "third_party_help":
        return given.get(name, 0)
    for band in document.get("bands", []):
        if band["fact"] == name:
            value = fact(run, document, band["of"])
            if value is None:
                return None
            run["words"].append("fact of a band")
            return next(entry["is"] for entry in band["to"] if "below" not in entry or value < entry["below"])
    declared = document["facts"][name]
    if name in given:
        if name in line["document_facts"].get(document["id"], {}):
            run["words"].append("fact of a document")
        return given[name]
    if isinstance(declared, dict):
        run["words"].append("fact by default")
        return declared["default"]
    if declared == "flag":
        return False
    raise Pend("fact_missing", name)


def holds(run, document, condition):
    return all(key_holds(run, document, key, condition[key]) for key in sorted(condition))


def key_holds(run, document, key, wanted):
    if key == "not":
        run["words"].append("condition not")
        return not holds(run, document, wanted)
    if key == "any":
        run["words"].append("condition any")
        return any(holds(run, document, each) for each in wanted)
    value = fact(run, document, key)
    if value is None:
        run["words"].append("condition absent fact")
        return False
    if isinstance(wanted, dict) and "in_group" in wanted:
        run["words"].append("condition in_group")
        return value in document["groups"][wanted["in_group"]]
    if isinstance(wanted, dict):
        run["words"].append("condition range")
        return in_range(value, wanted)
    run["words"].append("condition one of" if isinstance(wanted, list) else "condition equal")
    return any(same(value, each) for each in (wanted if isinstance(wanted, list) else [wanted]))


def same(value, word):
    return value == word and isinstance(value, bool) == isinstance(word, bool)


def in_range(value, bounds):
    if "at_least" in bounds and value < bounds["at_least"]:
        return False
    return "below" not in bounds or value < bounds["below"]


def rounding_unit(document):
    return document.get("rounding", {}).get("unit", 10 ** (6 - DECIMALS.get(document["currency"], 2)))


def rounded(run, document, exact):
    """To a multiple of the rounding unit; halves away from zero, to even, or never asked for."""
    unit, mode = rounding_unit(document), document.get("rounding", {}).get("mode", "half_up")
    units = Fraction(exact) / unit
    sign, size = (-1 if units < 0 else 1), abs(units)
    whole = {
        "half_up": floor(size + Fraction(1, 2)),
        "half_down": ceil(size - Fraction(1, 2)),
        "half_even": round(size),
        "up": ceil(size),
        "down": floor(size),
    }[mode]
    if whole != size:
        run["fired"].append(f"rounding {mode}")
    return sign * whole * unit


def times_quantity(run, document, amount):
    """Amount x quantity; only a fractional quantity is rounded."""
    exact = Fraction(amount * run["line"]["quantity"], MILLION)
    return int(exact) if run["line"]["quantity"] % MILLION == 0 else rounded(run, document, exact)


def local_date(run, document):
    return run["line"]["at"].astimezone(ZoneInfo(document["zone"])).date()


def day_or_last_of_month(year, month, day):
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


def months_after(day, months):
    index = day.year * 12 + day.month - 1 + months
    return day_or_last_of_month(index // 12, index % 12 + 1, day.day)


def year_start(day, month, first):
    """The last `month`/`first` on or before the day; 29 February starts on the 28th in common years."""
    start = day_or_last_of_month(day.year, month, first)
    return start if start <= day else day_or_last_of_month(day.year - 1, month, first)
