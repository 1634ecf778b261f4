"""The reader of the CMS files: what it makes of them, and what it says of a broken one."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from drachm.adapters.cms import MEDICARE, read_cms_2025
from drachm.domain.catalog import Books, PriceContext, find_item, load_price_book
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import ServiceEvent

EXCERPT = Path(__file__).parents[3] / "samples" / "prices" / "cms-2025-excerpt"
FILES = (
    "cms_pfs_rvu_2025a.csv",
    "cms_gpci_2025.csv",
    "cms_oppscap_2025jan.csv",
    "cms_clfs_2025q1.csv",
    "cms_asp_drug_limits_2025q1.csv",
    "cms_dmepos_2025jan.csv",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXCERPT, tmp_path / "cms")
    return tmp_path / "cms"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_one_document_for_each_schedule_and_one_for_all() -> None:
    documents = read_cms_2025(EXCERPT)
    assert [document["id"] for document in documents] == [
        "us-medicare-physicians",
        "us-medicare-laboratory",
        "us-medicare-drugs",
        "us-medicare-equipment",
        MEDICARE,
    ]
    assert documents[-1]["includes"] == [document["id"] for document in documents[:-1]]
    assert all("public domain" in document["source"] for document in documents)


def test_the_same_files_give_the_same_hashes_and_no_floats() -> None:
    first, second = ([load_price_book(document).hash for document in read_cms_2025(EXCERPT)] for _ in range(2))
    assert first == second
    assert len(set(first)) == 5


def test_a_later_release_closes_the_earlier_one() -> None:
    documents = read_cms_2025(EXCERPT, until=date(2025, 4, 1))
    assert {document["effective"]["until"] for document in documents} == {"2025-04-01"}


def test_figures_become_whole_millionths() -> None:
    physicians = read_cms_2025(EXCERPT)[0]
    item = next(item for item in physicians["items"] if item["code"] == "99213")
    assert physicians["conversion_factor"] == 32_346_500
    assert item["rule"]["work"] == 1_300_000
    assert physicians["localities"]["AK-01"]["work"] == 1_500_000
    assert physicians["localities"]["AL-00"]["also"] == ["1011200", "10112-00", "AL"]


def test_drugs_tell_their_own_coinsurance(event: type[ServiceEvent]) -> None:
    books = Books([load_price_book(document) for document in read_cms_2025(EXCERPT)])
    at = PriceContext(MEDICARE, date(2025, 3, 3))

    def facts(code: str) -> dict[str, object]:
        return dict(find_item(event(code, system="HCPCS"), books, at).facts)

    assert facts("J9271") == {"dosage": "1 MG", "coinsurance_ppm": 200_000}
    assert facts("90677")["coinsurance_ppm"] == 0


def test_names_of_level_two_codes_are_shown_and_numeric_codes_have_none() -> None:
    physicians, laboratory, drugs, equipment, _ = read_cms_2025(EXCERPT)
    assert all(item.get("display", "") == "" for book in (physicians, laboratory) for item in book["items"])
    assert all(item["display"] for item in equipment["items"])
    assert {item["code"]: item.get("display", "") for item in drugs["items"]}["J3420"]
    assert not any("display" in item for item in drugs["items"] if item["code"].isdigit())


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InvalidMessage, match=name) as error:
        read_cms_2025(folder)
    assert error.value.code == "missing_file"
    assert error.value.next_step


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_its_columns_is_named(folder: Path, name: str) -> None:
    (folder / name).write_text("a,b,c\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InvalidMessage, match="no line holds the columns") as error:
        read_cms_2025(folder)
    assert error.value.where == name


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_or_foreign_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / f"{name}.gz").write_bytes(b"\x1f\x8b\x08\x00 not really")
    with pytest.raises(InvalidMessage, match="cannot be read") as error:
        read_cms_2025(folder)
    assert name in error.value.where


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("cms_clfs_2025q1.csv", "00720.00", "much", "not a decimal"),
        ("cms_clfs_2025q1.csv", "00720.00", "-5.00", "negative"),
        ("cms_clfs_2025q1.csv", "00720.00", "0.0000001", "more than six decimals"),
        ("cms_clfs_2025q1.csv", ",N,00720.00", "", "cells"),
        ("cms_clfs_2025q1.csv", ",N,00720.00", ",N,00720.00,9", "cells"),
        ("cms_gpci_2025.csv", "10112,", "", "cells"),
        ("cms_dmepos_2025jan.csv", "A4253,NU,,", "A4253,NU,,,", "cells"),
        ("cms_pfs_rvu_2025a.csv", "32.3465", "33.0000", "one conversion factor"),
        ("cms_oppscap_2025jan.csv", "01182,18", "99999,77", "no locality 99999-77"),
    ],
)
def test_a_bad_row_is_named_with_its_line(folder: Path, name: str, old: str, new: str, problem: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    if name == "cms_oppscap_2025jan.csv":
        text = "\n".join(line for line in text.splitlines() if ",C," not in line)  # only priced rows are read
    if name == "cms_pfs_rvu_2025a.csv":
        text = "\n".join(line if "99213" not in line else line.replace(old, new) for line in text.splitlines())
        (folder / name).write_text(text, encoding="utf-8")
    else:
        (folder / name).write_text(text, encoding="utf-8")
        edit(folder / name, old, new)
    with pytest.raises(InvalidMessage, match=problem) as error:
        read_cms_2025(folder)
    assert error.value.where.startswith(name)


def test_a_file_in_another_encoding_says_so(folder: Path) -> None:
    name = "cms_clfs_2025q1.csv"
    (folder / name).write_bytes((folder / name).read_bytes() + "é".encode("latin-1"))
    with pytest.raises(InvalidMessage, match="not UTF-8") as error:
        read_cms_2025(folder)
    assert error.value.where == name
