"""Do the printed parts of a case that cannot be derived at least add up?

The checks at the end of names.md. A check runs where the case prints its figures; a part that is not printed is 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from drachm.adapters.vectors.compare import Difference, expected_of
from drachm.adapters.vectors.read import Case
from drachm.domain.money import plain

_PARTS = ("copay", "coinsurance", "limits")


def unreconciled(case: Case) -> tuple[Difference, ...]:
    """The sums that do not hold; a case that prints nothing to add up is told as one."""
    checks = list(_checks(case))
    broken = [
        Difference(words, plain(left, case.currency), plain(right, case.currency))
        for words, left, right in checks
        if abs(left - right) > case.tolerance
    ]
    if not checks:
        broken.append(Difference("parts", "figures that add up", "nothing"))
    return tuple(broken)


def _checks(case: Case) -> Iterator[tuple[str, int, int]]:
    """Words of the check, what is printed, what it has to be."""
    printed = {name: value for name, value in expected_of(case).items() if isinstance(value, int)}
    allowed = sum(line.get("allowed", 0) for line in case.lines)
    billed = sum(line.get("billed", 0) for line in case.lines)

    def of(*names: str) -> int:
        return sum(printed.get(name, 0) for name in names)

    def has(*names: str) -> bool:
        return all(name in printed for name in names)

    first = "deductible" if has("deductible") else "deductible_derived"
    if has("patient_total") and any(name in printed for name in (first, *_PARTS)):
        yield "patient_total = its parts", of("patient_total"), of(first, *_PARTS)
    if has("patient_total", "plan_pays", "total_example_cost"):
        yield "total_example_cost = patient and plan", of("total_example_cost"), of("patient_total", "plan_pays")
    if has("total_example_cost"):
        yield "total_example_cost = sum of allowed", of("total_example_cost"), allowed
    if has("discount"):
        yield "billed = discount, benefit, liability", billed, of("discount", "benefit", "member_liability")
    if has("eligible"):
        yield "eligible = allowed", of("eligible"), allowed
    if has("eligible", "benefit"):
        yield "eligible = copay, deductible, benefit", of("eligible"), of("copay", "deductible", "benefit")
    if has("payment_adjustment"):
        yield (
            "billed with adjustment = benefit, patient",
            billed + of("payment_adjustment"),
            of("benefit", "patient_pay"),
        )
    if has("paid_to_provider", "benefit"):
        yield "paid_to_provider = benefit", of("paid_to_provider"), of("benefit")
    if has("member_liability"):
        eligible = of("eligible") if has("eligible") else allowed
        yield "member_liability at most eligible", max(of("member_liability"), eligible), eligible
    if has("primary_paid", "primary_deductible"):
        yield "billed = primary_paid, primary_deductible", billed, of("primary_paid", "primary_deductible")
    if has("patient_responsibility_to_secondary", "primary_deductible"):
        asked = of("patient_responsibility_to_secondary")
        yield "patient_responsibility_to_secondary = primary_deductible", asked, of("primary_deductible")
