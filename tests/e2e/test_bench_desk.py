"""Pages of the desk answer soon with very many charges behind one clinic, and the benchmark says so of every page."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from drachm.adapters.rest.identity.routes import ROUTES
from drachm.bench.desk import desk, text_of
from drachm.bench.desk_pages import pages_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "bench.md"
CHARGES = int(os.environ.get("DRACHM_DESK_CHARGES", "20000"))
WITHIN_MS = 1_000
# What is asked for once in a shift, by machines of the identity provider, or by the operator and auditors alone, is no
# page that a clinic waits for.
_OTHER = {"/desk/sign-in", "/desk/sign-in/provider", "/desk/sign-in/return", "/desk/office/books", "/desk/erasures"}
# One record by its id, which costs the same behind however many charges.
_ONE = {
    f"/desk/{records}/{{}}" for records in ("cash-refunds", "erasures", "refunds", "reviews", "shifts", "write-offs")
}


def test_every_page_that_is_looked_at_is_measured() -> None:
    """A new page of the desk belongs into `desk_pages.pages_of`."""
    asked = {re.split(r"[?,]", kind.page)[0].replace("…", "{}") for kind in pages_of("clinic", ["2025-01-02"])}
    wanted = {re.sub(r"{\w+}", "{}", one.template) for one in ROUTES if one.method == "GET"}
    missing = {one for one in wanted if one.startswith("/desk")} - asked - _OTHER
    assert missing - _ONE == set()


@pytest.mark.long
def test_pages_answer_within_a_second_behind_many_charges() -> None:
    report = desk(CHARGES, 20, print)
    print(text_of(report))
    assert report["charges"] >= CHARGES * 0.97
    assert report["waiting"] > 0
    asked = {one["page"]: one["asked"] for one in report["pages"]}
    assert [page for page, number in asked.items() if not number] == []
    # Processor time, which other work on the machine does not change much.
    assert {one["page"]: one["processor_ms"] for one in report["pages"] if one["processor_ms"] > WITHIN_MS} == {}
    documented = set(re.findall(r"`desk\.(\w+)`", PAGE.read_text("utf-8")))
    assert documented == {name for one in report["pages"] for name in one}
