"""Which pots may pay for a line, in which order, and why the others may not."""

from datetime import UTC, datetime, timedelta
from typing import Any

from drachm.domain.benefits import Line, Stack, build_stack, load_plan
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.pockets import Passed, chosen
from drachm.domain.funding.expenses import load_expense_rules
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import Purpose
from drachm.domain.funding.quota import Terms

NOON = datetime(2025, 3, 10, 16, tzinfo=UTC)
RULES = {
    "id": "teeth-only",
    "version": "1",
    "zone": "UTC",
    "effective": {"from": "2025-01-01", "until": "2026-01-01"},
    "facts": {"category": "text"},
    "rules": [{"when": {"not": {"category": "dental"}}, "eligible": False, "clause": "2a"}],
    "otherwise": True,
    "text": {"2a": "Teeth, and nothing else."},
}
DOCUMENTS = Documents(expenses=[load_expense_rules(RULES)])


def plan(payer: str, **pockets: str) -> Any:
    return load_plan(
        {
            "id": f"plan-{payer}",
            "version": "7",
            "payer": payer,
            "currency": "USD",
            "zone": "UTC",
            "effective": {"from": "2025-01-01"},
            "steps": [],
            "pockets": pockets,
        }
    )


def pot(name: str, purpose: Purpose | None = None, pocket: str = "wallet") -> Pot:
    return Pot(name, "ana", "USD", pocket=pocket, purpose=purpose)


def names(
    pots: list[Pot], stack: Stack | None = None, category: str = "dental", at: datetime = NOON, private: bool = False
) -> tuple[list[str], list[tuple[str, str]]]:
    found, passed = chosen(
        pots,
        Line("e", 1, 1, at, "ana", facts={"category": category}),
        category,
        at.date(),
        stack or build_stack([]),
        DOCUMENTS,
        private=private,
    )
    return [one.id for one in found], [(one.pot.id, one.reason) for one in passed]


def test_own_money_pays_for_everything() -> None:
    assert names([pot("cash"), pot("gift", Purpose("acme"))]) == (["cash", "gift"], [])


def test_private_care_is_not_paid_by_a_pocket_that_its_funder_looks_into() -> None:
    gift, savings = pot("gift", Purpose("acme")), pot("savings", Purpose(expenses="teeth-only"))
    line = Line("e", 1, 1, NOON, "ana", facts={"category": "dental"})
    found, passed = chosen([gift, savings], line, "dental", NOON.date(), build_stack([]), DOCUMENTS, private=True)
    assert (found, passed) == ((savings,), (Passed(gift, "pocket_private"),))


def test_a_shared_pot_pays_on_its_members_terms_and_nobody_is_told_why_not() -> None:
    day = NOON.date()
    own = pot("own")

    def home(*purpose: Purpose, **terms: Any) -> Pot:
        return pot("home/0", *purpose)._replace(fund="home", slices=1, terms=Terms(**terms) if terms else None)

    assert names([home(), own]) == (["home/0", "own"], [])
    assert names([home(until=day + timedelta(days=1)), own])[0] == ["home/0", "own"]
    for closed in ({"paused": True}, {"ended": True}, {"until": day}, {"private": ("dental",)}, {"private": ("*",)}):
        assert names([home(**closed), own]) == (["own"], []), closed
    assert names([home(), own], private=True) == (["own"], [])
    # What its money was given for counts besides.
    eye = Purpose("acme", categories=("vision",))
    assert names([home(eye), own]) == (["own"], [("home/0", "pocket_category")])
    assert names([home(eye, paused=True), own], private=True) == (["own"], [])


def test_a_frozen_pot_pays_nothing_and_says_why() -> None:
    cash = pot("cash")._replace(frozen="pocket_frozen")
    assert names([cash, pot("other")]) == (["other"], [("cash", "pocket_frozen")])


def test_money_with_an_end_pays_for_care_that_begins_before_it() -> None:
    gift = pot("gift", Purpose("acme", until=NOON))
    assert names([gift], at=NOON - timedelta(microseconds=1)) == (["gift"], [])
    assert names([gift], at=NOON) == ([], [("gift", "pocket_expired")])


def test_money_for_some_categories_pays_for_lines_of_these() -> None:
    gift = pot("gift", Purpose("acme", categories=("dental", "vision")))
    assert names([gift]) == (["gift"], [])
    assert names([gift], category="surgery") == ([], [("gift", "pocket_category")])


def test_expense_rules_say_which_clause_was_against_it() -> None:
    savings = pot("savings", Purpose(expenses="teeth-only"))
    assert names([savings]) == (["savings"], [])
    line = Line("e", 1, 1, NOON, "ana", facts={"category": "surgery"})
    assert chosen([savings], line, "surgery", NOON.date(), build_stack([]), DOCUMENTS) == (
        (),
        (Passed(savings, "pocket_expense", "teeth-only 1", "2a", "Teeth, and nothing else."),),
    )


def test_a_day_without_rules_finds_no_money() -> None:
    savings = pot("savings", Purpose(expenses="teeth-only"))
    before = datetime(2024, 12, 31, tzinfo=UTC)
    assert names([savings], at=before) == ([], [("savings", "pocket_no_rules")])
    assert names([pot("other", Purpose(expenses="unheard-of"))]) == ([], [("other", "pocket_no_rules")])


def test_a_payer_orders_the_pockets_that_it_funds_and_no_others() -> None:
    account = pot("z-account", Purpose("insurer"), "personal_account")
    bonus = pot("a-bonus", Purpose("insurer"), "bonus")
    strange = pot("strange", Purpose("acme"), "personal_account")
    own = pot("own", Purpose(), "personal_account")
    pots = [bonus, own, strange, account]
    assert names(pots, build_stack([plan("insurer", personal_account="first", bonus="last")]))[0] == [
        *("z-account", "own", "strange", "a-bonus")
    ]
    kept = names(pots, build_stack([plan("insurer", personal_account="never")]))
    assert kept == (["a-bonus", "own", "strange"], [("z-account", "pocket_plan")])


def test_of_several_documents_the_first_that_names_a_pocket_counts() -> None:
    account = pot("account", Purpose("insurer"), "personal_account")
    second = load_plan({**_document("insurer"), "id": "second", "pockets": {"personal_account": "never"}})
    stack = build_stack([plan("insurer", personal_account="last"), second])
    assert names([account, pot("cash")], stack) == (["cash", "account"], [])
    [passed] = chosen([account], Line("e", 1, 1, NOON, "ana"), "", NOON.date(), build_stack([second]), DOCUMENTS)[1]
    assert passed.document == "second 7"


def _document(payer: str) -> dict[str, Any]:
    return {
        "version": "7",
        "payer": payer,
        "currency": "USD",
        "zone": "UTC",
        "effective": {"from": "2025-01-01"},
        "steps": [],
    }
