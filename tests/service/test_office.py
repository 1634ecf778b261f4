"""The office: figures as the interface and as pages give them, to whom, and what leaves as a file."""

from __future__ import annotations

import csv
import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor
from office_story import furnish_office

from drachm.adapters.rest.identity.model import Role, Scope
from drachm.adapters.rest.service.office_words import months_said, of_hundred, span_said
from drachm.domain.coverage.model import Party
from drachm.domain.figures.hiding import SMALLEST
from drachm.domain.money import MICROS

CARE = "get_care_figures"
YEAR = {"since": "2025-04", "until": "2026-03"}


@pytest.fixture
def busy(town: Any) -> Any:
    furnish_office(town)
    return town


def micros(sums: dict[str, Any], name: str) -> int:
    return int(sums[name]["micros"])


def test_the_sums_close_and_everything_is_counted_once(busy: Any, ask: Any) -> None:
    body = ask(CARE, busy.operator(), query=YEAR).body
    (sums,) = body["sums"]
    assert micros(sums, "billed") == sum(micros(sums, name) for name in ("agreed_cut", "insurers", "patients"))
    assert micros(sums, "patients") == micros(sums, "paid") + micros(sums, "due")
    assert sums["charges"] == 244
    assert sum(one["charges"] for one in body["care"]) == 244
    assert sum(micros(one, "agreed") for one in body["care"]) == micros(sums, "insurers") + micros(sums, "patients")
    for name in ("care_to_books", "receipt_to_books"):
        assert sum(one["number"] for one in body[name]["bins"]) == body[name]["number"] == 244
        assert body[name]["half_within_ms"] <= body[name]["most_within_ms"]
    owed = sum(micros(one, "patients") for one in body["owed"])
    assert owed == micros(sums, "due")
    assert [(one["reason"], one["number"]) for one in body["waiting"]] == [("unknown_member", 6)]
    assert all(one["agree"] and one["lines"] == one["entries"] for one in body["books"])
    assert body["rows_behind"] == 0


def test_groups_of_fewer_than_eleven_are_never_told(busy: Any, ask: Any) -> None:
    for query in ({}, YEAR, {"since": "2026-01"}):
        body = ask(CARE, busy.operator(), query=query).body
        for group in body["care"] + body["refusals"]:
            assert group["charges"] >= SMALLEST
            assert group["name"] != "fertility"
    assert any(group["name"] is None for group in ask(CARE, busy.operator(), query=YEAR).body["care"])
    clinic = ask(CARE, busy.finance("hospital"), query={"since": "2026-01"}).body
    assert all(group["charges"] >= SMALLEST for group in clinic["care"])


def test_a_clinic_sees_its_own_and_the_operator_all(busy: Any, ask: Any) -> None:
    def charges(caller: Any, **query: str) -> int:
        return sum(one["charges"] for one in ask(CARE, caller, query={**YEAR, **query}).body["sums"])

    clinic, hospital = charges(busy.finance("clinic")), charges(busy.finance("hospital"))
    assert clinic + hospital == charges(busy.operator()) == charges(busy.auditor()) == 244
    assert min(clinic, hospital) > 0
    assert charges(busy.operator(), party="hospital") == hospital
    assert charges(busy.finance("clinic"), party="hospital") == 0
    assert ask(CARE, busy.finance("clinic"), query=YEAR).body["parties"] == ["clinic"]
    assert ask(CARE, busy.finance("clinic"), query={**YEAR, "party": "hospital"}).body["waiting"] == []


def test_nobody_else_sees_them(busy: Any, ask: Any, other_town: Any) -> None:
    for caller in (busy.patient(), busy.relative(), busy.clerk(), busy.price_editor(), busy.payer(), busy.funder(),
                   busy.integrator(), busy.finance(scopes=frozenset({Scope.EVENTS_READ}))):  # fmt: skip
        assert ask(CARE, caller).status in (403, 404), caller.subject
    assert ask(CARE, busy.nobody()).status == 401
    assert ask(CARE, other_town.operator(), query=YEAR).body["sums"] == []


@pytest.mark.parametrize(
    "query",
    [{"since": "2026-13"}, {"since": "2026"}, {"until": "x"}, {"since": "2026-03", "until": "2026-02"},
     {"since": "2026-03-01"}, {"since": ""}, {"party": "clinic", "since": "'; DROP TABLE journal"}],
)  # fmt: skip
def test_what_is_no_month_is_refused(town: Any, ask: Any, query: dict[str, str]) -> None:
    answer = ask(CARE, town.operator(), query=query)
    assert (answer.status, answer.code) == (400, "bad_request")


def test_odd_parties_find_nothing(busy: Any, ask: Any) -> None:
    for party in ("", "x" * 300, "nobody", "clin%", "'", "\x00", "a\x00b"):
        answer = ask(CARE, busy.operator(), query={**YEAR, "party": party})
        assert answer.status == (400 if "\x00" in party else 200)
        assert answer.body.get("sums", []) == []


def test_the_page_says_what_the_interface_says(busy: Any, ask: Any, visitor: Visitor) -> None:
    iris = visitor.signed_in("Iris", [Role.FINANCE], ["clinic"])
    words = iris.words("open_office", query=YEAR)
    (sums,) = ask(CARE, busy.finance("clinic"), query=YEAR).body["sums"]
    agreed = micros(sums, "insurers") + micros(sums, "patients")
    assert f"${agreed // MICROS:,}.{agreed % MICROS // 10_000:02}" in words
    assert f"{sums['charges']:,} charges" in words
    assert "April 2025 to March 2026" in words
    assert "payouts are not built" in words
    assert "All agree" in words
    assert "Fertility" not in words
    assert "Did the engine answer" not in words
    boss = visitor.signed_in("Ola", [Role.OPERATOR], [])
    assert "Did the engine answer" in boss.words("open_office", query=YEAR)
    assert "The books are whole" in boss.words("open_office_books")
    assert iris.get("open_office_books").status in (403, 404)


def test_an_empty_office_draws_its_axes_and_says_so(town: Any, visitor: Visitor) -> None:
    body = visitor.signed_in("Iris", [Role.FINANCE], ["clinic"]).get("open_office").body
    for said in ("No charge stands in these months", "Nothing is owed", "Nothing waits", "too few to show"):
        assert said in body
    assert body.count('class="plot hollow"') >= 5


def test_who_sits_elsewhere_has_no_office(town: Any, visitor: Visitor) -> None:
    noor = visitor.signed_in("Noor", [Role.CLERK], ["clinic"])
    assert "/desk/office" not in noor.get("open_desk").body
    assert noor.get("open_office").status in (403, 404)
    assert noor.get("download_office_csv", query={"plot": "care"}).status in (403, 404)
    assert visitor.get("open_office").status == 303


def test_files_hold_the_numbers_of_the_plots_and_no_formula(busy: Any, visitor: Visitor, ask: Any) -> None:
    evil = "=HYPERLINK(1)"
    busy.clear(*(busy.event(f"evil{n}", 20, facts={"category": evil}, visit=f"evil{n}") for n in range(30)))
    while busy.market.figures.follow():
        pass
    iris = visitor.signed_in("Iris", [Role.FINANCE], ["clinic"])
    names = {"price", "care_to_books", "owed", "refusals", "care", "receipt_to_books", "waiting"}
    for name in names:
        answer = iris.get("download_office_csv", query={**YEAR, "plot": name})
        assert answer.status == 200, name
        assert answer.headers["content-disposition"].startswith('attachment; filename="')
        assert "no-store" in answer.headers["cache-control"]
        rows = list(csv.reader(io.StringIO(answer.raw.decode("utf-8-sig"))))
        assert len(rows) > 1, name
        assert {len(row) for row in rows} == {len(rows[0])}, name
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]
        assert all(cell[1:2].isdigit() for row in rows for cell in row if cell.startswith("-"))
    care = iris.get("download_office_csv", query={**YEAR, "plot": "care"}).raw.decode("utf-8-sig")
    assert f"'{evil}" in care
    listed = {row[0]: int(row[1]) for row in csv.reader(io.StringIO(care)) if row[1].isdigit()}
    told = ask(CARE, busy.finance("clinic"), query=YEAR).body["care"]
    assert sorted(listed.values()) == sorted(one["charges"] for one in told)
    assert iris.get("download_office_csv", query={"plot": "nothing"}).status == 404
    assert iris.get("download_office_csv", query={"plot": "engine"}).status == 404


def test_words_of_others_run_nothing(busy: Any, visitor: Visitor) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    busy.market.desk.books.enrol(parties=[Party("evil", ("provider",), evil)])
    busy.clear(*(busy.event(f"evil{n}", 20, facts={"category": evil}, visit=f"evil{n}") for n in range(12)))
    while busy.market.figures.follow():
        pass
    iris = visitor.signed_in("<script>alert(2)</script>", [Role.FINANCE], ["clinic", "evil"])
    for query in (YEAR, {**YEAR, "party": evil}, {**YEAR, "currency": evil}):
        body = iris.get("open_office", query=query).body
        assert "<script>" not in body
        assert body.count("<script") == body.count('<script src="/static/')
        assert "<img" not in body


def test_spans_months_and_shares_are_said_plainly() -> None:
    assert [span_said(one) for one in (None, 0, 7, 1_500, 90_000, 67_500_000, 259_200_000)] == [
        *("–", "0\N{NO-BREAK SPACE}ms", "7\N{NO-BREAK SPACE}ms", "1.5\N{NO-BREAK SPACE}s"),
        "1\N{NO-BREAK SPACE}min 30\N{NO-BREAK SPACE}s",
        "18\N{NO-BREAK SPACE}h 45\N{NO-BREAK SPACE}min",
        "3\N{NO-BREAK SPACE}days",
    ]
    day = datetime(2026, 11, 5, tzinfo=UTC).date()
    assert months_said(day, day) == "November 2026"
    assert months_said(day.replace(year=2025), day) == "November 2025 to November 2026"
    assert [of_hundred(*one) for one in ((0, 0), (0, 5), (1, 1000), (1, 3), (999, 1000), (3, 3))] == [
        *("0%", "0%", "under 1%", "33%", "over 99%", "100%")
    ]
