"""Every published Medicare price of 2025, to the cent.

The amounts are worked out here a second time, straight from the files with fractions, without the product's reader or
rules. Runs on the bundled excerpt, and on the whole files where the shared reference data is at hand.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from drachm.adapters.cms import MEDICARE, read_cms_2025
from drachm.domain.catalog import Books, PriceContext, load_price_book, price
from drachm.domain.errors import Pended
from drachm.domain.events.model import UNIT, Code, ServiceEvent

ROOT = Path(__file__).parents[2]
EXCERPT = ROOT / "samples" / "prices" / "cms-2025-excerpt"
WHOLE = Path(os.environ.get("DRACHM_SHARED") or ROOT.parent / "shared") / "data" / "prices"
DAY = date(2025, 3, 3)
OFFICE, HOSPITAL = "11", "22"
LOCALITIES = ("AL-00", "CA-18", "TX-18", "AK-01", "NY-01", "WY-21", "PR-20", "NATIONAL")


class World(NamedTuple):
    folder: Path
    books: Books


@pytest.fixture(scope="module", params=["excerpt", "whole"])
def world(request: pytest.FixtureRequest) -> World:
    folder = EXCERPT if request.param == "excerpt" else WHOLE
    if not folder.is_dir():
        pytest.skip("the shared reference data is not here; the bundled excerpt ran instead")
    return World(folder, Books([load_price_book(document) for document in read_cms_2025(folder)]))


def table(folder: Path, name: str, first: str) -> Iterator[dict[str, str]]:
    plain, packed = folder / name, folder / f"{name}.gz"
    with gzip.open(packed, "rt", newline="") if packed.exists() else plain.open(newline="") as stream:
        lines = list(csv.reader(stream))
    start = next(index for index, line in enumerate(lines) if line and line[0] == first)
    for line in lines[start + 1 :]:
        if line and line[0] and any(line[1:]):
            yield dict(zip(lines[start], line, strict=True))


def cents(amount: Fraction | Decimal) -> int:
    """Micros of an amount rounded half up to the cent."""
    exact = Fraction(amount) * 100
    return int(exact + Fraction(1, 2)) * 10_000


def line(code: str, *modifiers: str, quantity: int = 1, place: str = "") -> ServiceEvent:
    return ServiceEvent(
        source="test",
        event_id="1",
        kind="charge",
        member="ana",
        code=Code("HCPCS", code),
        currency="USD",
        started_at=datetime(2025, 3, 3, 15, tzinfo=UTC),
        modifiers=tuple(modifier for modifier in modifiers if modifier),
        quantity=quantity * UNIT,
        place_of_service=place,
    )


def allowed(world: World, event: ServiceEvent, book: str = MEDICARE, **at: Any) -> int:
    return price(event, world.books, PriceContext(book, DAY, **at)).allowed


def refusal(world: World, event: ServiceEvent, book: str = MEDICARE, **at: Any) -> Pended:
    with pytest.raises(Pended) as error:
        allowed(world, event, book, **at)
    return error.value


def indices(folder: Path) -> dict[str, tuple[Fraction, Fraction, Fraction]]:
    found = {"NATIONAL": (Fraction(1), Fraction(1), Fraction(1))}
    for row in table(folder, "cms_gpci_2025.csv", "Medicare Administrative Contractor (MAC)"):
        values = [Fraction(row[column]) for column in row if "GPCI" in column]
        found[f"{row['State']}-{row['Locality Number']}"] = (values[0], values[1], values[2])
    return found


def physician_rows(folder: Path) -> Iterator[dict[str, str]]:
    return table(folder, "cms_pfs_rvu_2025a.csv", "hcpcs")


def formula(row: dict[str, str], index: tuple[Fraction, ...], practice: str, malpractice: str = "mp_rvu") -> int:
    values = Fraction(row["work_rvu"]), Fraction(row[practice]), Fraction(row[malpractice])
    units = sum(value * by for value, by in zip(values, index, strict=True))
    return cents(units * Fraction(row["conv_factor"]))


def payable(row: dict[str, str]) -> bool:
    return row["status_code"] in {"A", "R", "T"} and Fraction(row["nonfac_total_rvu"]) > 0


def test_every_payable_service_agrees_with_the_formula(world: World) -> None:
    index = indices(world.folder)
    capped = {(row["HCPCS"], row["MOD"]) for row in cap_rows(world.folder)}
    wrong = []
    checked = 0
    for row in filter(payable, physician_rows(world.folder)):
        key = row["hcpcs"], row["mod"]
        for place, practice in ((OFFICE, "nonfac"), (HOSPITAL, "fac")):
            event = line(*key, place=place)
            for locality in LOCALITIES:
                expected = formula(row, index[locality], f"{practice}_pe_rvu")
                if key in capped:
                    expected = min(expected, formula(row, index[locality], f"opps_{practice}_pe", "opps_mp"))
                got = allowed(world, event, locality=locality)
                checked += 1
                if got != expected:
                    wrong.append((key, place, locality, got, expected))
    assert wrong == []
    assert checked >= (140_000 if world.folder == WHOLE else 2_000)


def cap_rows(folder: Path) -> Iterator[dict[str, str]]:
    return (row for row in table(folder, "cms_oppscap_2025jan.csv", "HCPCS") if row["PROCSTAT"] == "A")


def test_every_published_imaging_cap_is_the_price(world: World) -> None:
    rows = list(cap_rows(world.folder))
    assert len(rows) >= 400
    by_contractor = {
        (row["Medicare Administrative Contractor (MAC)"], row["Locality Number"])
        for row in table(world.folder, "cms_gpci_2025.csv", "Medicare Administrative Contractor (MAC)")
    }
    for row in rows:
        contractor, number = row["CARRIER"], row["LOCALITY"]
        # Southern California also stands there under the contractor number of the north; the locality number decides.
        name = f"{contractor}{number}" if (contractor, number) in by_contractor else f"CA-{number}"
        for place, column in ((OFFICE, "NON-FACILTY PRICE"), (HOSPITAL, "FACILITY PRICE")):
            got = allowed(world, line(row["HCPCS"], row["MOD"], place=place), locality=name)
            assert got == cents(Decimal(row[column])), row


def test_services_that_contractors_price_are_named(world: World) -> None:
    rows = [row for row in table(world.folder, "cms_oppscap_2025jan.csv", "HCPCS") if row["PROCSTAT"] == "C"]
    row = rows[0]
    answer = refusal(world, line(row["HCPCS"], row["MOD"]), locality="CA-18")
    assert answer.reason == "price_not_supported"
    assert "contractor" in answer.message


def test_no_other_status_has_a_price_in_the_physician_schedule(world: World) -> None:
    seen = set()
    for row in physician_rows(world.folder):
        if payable(row):
            continue
        seen.add(row["status_code"])
        event = line(row["hcpcs"], row["mod"])
        answer = refusal(world, event, "us-medicare-physicians", locality="CA-18")
        assert answer.reason == "price_not_supported", row
    assert seen >= {"B", "C", "E", "I", "J", "M", "N", "P", "R", "X"}


def test_anaesthesia_is_a_named_refusal(world: World) -> None:
    answer = refusal(world, line("00100"), locality="CA-18")
    assert answer.reason == "price_not_supported"
    assert "anaesthesia" in answer.message


@pytest.mark.parametrize(
    ("modifier", "words"),
    [
        ("51", "multiple-procedure"),
        ("50", "bilateral"),
        ("62", "two surgeons"),
        ("80", "assistant"),
        ("AA", "anaesthesia"),
    ],
)
def test_modifiers_that_change_the_payment_are_named_refusals(world: World, modifier: str, words: str) -> None:
    answer = refusal(world, line("27447", modifier), locality="CA-18")
    assert answer.reason == "price_not_supported"
    assert words in answer.message


def test_components_and_broken_off_services_have_their_own_rows(world: World) -> None:
    whole = allowed(world, line("71046"), locality="CA-18")
    parts = [allowed(world, line("71046", part), locality="CA-18") for part in ("26", "TC")]
    assert all(0 < part < whole for part in parts)
    assert allowed(world, line("45378", "53"), locality="CA-18") < allowed(world, line("45378"), locality="CA-18")
    assert "no price with modifier 26" in refusal(world, line("99213", "26"), locality="CA-18").message


def test_national_amounts_of_remote_care_are_those_of_the_list(world: World) -> None:
    checked = 0
    for row in table(world.folder, "rpm_telehealth_codes_2025.csv", "hcpcs"):
        for place, column in ((OFFICE, "national_nonfac_amount"), (HOSPITAL, "national_fac_amount")):
            event = line(row["hcpcs"], place=place)
            if row["status_code"] in {"A", "R", "T"}:
                assert allowed(world, event, locality="NATIONAL") == cents(Decimal(row[column])), row
                checked += 1
            else:
                assert refusal(world, event, locality="NATIONAL").reason == "price_not_supported"
    assert checked == 78


def test_every_laboratory_rate_is_the_published_one(world: World) -> None:
    local = 0
    for row in table(world.folder, "cms_clfs_2025q1.csv", "year"):
        event = line(row["hcpcs"], row["mod"])
        if Decimal(row["rate"]) == 0:
            assert refusal(world, event).reason == "price_not_supported"
            local += 1
            continue
        result = price(event, world.books, PriceContext(MEDICARE, DAY))
        assert (result.allowed, result.category) == (cents(Decimal(row["rate"])), "lab"), row
    assert local > 0


@pytest.mark.parametrize("units", [1, 3, 250])
def test_every_drug_limit_times_its_units_is_rounded_once(world: World, units: int) -> None:
    checked = 0
    for row in table(world.folder, "cms_asp_drug_limits_2025q1.csv", "hcpcs"):
        event = line(row["hcpcs"], quantity=units)
        if row["payment_limit"] == "N/A":
            assert refusal(world, event).reason == "price_not_supported"
            continue
        expected = (Decimal(row["payment_limit"]) * units).quantize(Decimal("0.01"), ROUND_HALF_UP)
        result = price(event, world.books, PriceContext(MEDICARE, DAY))
        assert (result.allowed, result.category) == (int(expected * 1_000_000), "drug"), row
        checked += 1
    assert checked >= 40


def test_every_equipment_fee_follows_the_state_and_rural_areas(world: World) -> None:
    checked = without = 0
    for row in table(world.folder, "cms_dmepos_2025jan.csv", "HCPCS"):
        event = line(row["HCPCS"], row["Mod"], row["Mod2"])
        states = [column.removesuffix(" (NR)") for column in row if column.endswith(" (NR)")]
        for state in states if world.folder == EXCERPT else states[::7]:
            ordinary, rural = Decimal(row[f"{state} (NR)"]), Decimal(row[f"{state} (R)"])
            if ordinary == 0:
                assert refusal(world, event, state=state).reason == "price_not_supported", row
                without += 1
                continue
            assert allowed(world, event, state=state) == cents(ordinary), (row["HCPCS"], state)
            assert allowed(world, event, state=state, rural=True) == cents(rural or ordinary), (row["HCPCS"], state)
            checked += 1
    assert checked > 500
    assert without > 0


def test_a_place_of_service_chooses_the_setting(world: World) -> None:
    office = allowed(world, line("99213", place="11"), locality="CA-18")
    hospital = allowed(world, line("99213", place="22"), locality="CA-18")
    assert hospital < office
    assert allowed(world, line("99213", place="10"), locality="CA-18") == office  # telehealth at home
    assert allowed(world, line("99213", place="02"), locality="CA-18") == hospital  # telehealth elsewhere
    assert allowed(world, line("99213"), locality="CA-18") == office
    assert allowed(world, line("99213"), locality="CA-18", facility=True) == hospital
    assert allowed(world, line("99213", place="11"), locality="CA-18", facility=True) == office
    assert refusal(world, line("99213", place="88"), locality="CA-18").reason == "fact_missing"


def test_a_locality_has_several_names_and_no_default(world: World) -> None:
    event = line("99213")
    by_name = allowed(world, event, locality="CA-18")
    for other in ("0118218", "01182-18"):
        assert allowed(world, event, locality=other) == by_name
    assert allowed(world, event, locality="18", state="CA") == by_name
    assert allowed(world, event, locality="18", state="TX") != by_name
    assert allowed(world, event, state="AL") == allowed(world, event, locality="AL-00")
    assert refusal(world, event, state="CA").where == "locality"
    assert refusal(world, event).reason == "fact_missing"
    assert refusal(world, event, locality="18").reason == "price_not_supported"


def test_the_whole_year_is_in_force_and_not_a_day_more(world: World) -> None:
    for day, fits in (
        (date(2024, 12, 31), False),
        (date(2025, 1, 1), True),
        (date(2025, 12, 31), True),
        (date(2026, 1, 1), False),
    ):
        context = PriceContext(MEDICARE, day, locality="CA-18")
        if fits:
            assert price(line("99213"), world.books, context).allowed > 0
        else:
            with pytest.raises(Pended) as answer:
                price(line("99213"), world.books, context)
            assert answer.value.reason == "no_contract"


def test_the_rule_on_the_receipt_names_schedule_code_place_and_setting(world: World) -> None:
    result = price(line("99213", place="22"), world.books, PriceContext(MEDICARE, DAY, locality="13", state="AR"))
    assert result.rule == "PFS 99213 locality AR-13 facility"
    assert result.category == "office_visit"
