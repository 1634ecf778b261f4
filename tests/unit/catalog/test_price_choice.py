"""Which rule of which book prices the line."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from drachm.domain.catalog import AS_SUBMITTED, Books, PriceContext, find_item, load_price_book, price
from drachm.domain.errors import InvalidMessage, Pended


def fixed(amount: int) -> dict[str, Any]:
    return {"kind": "fixed", "amount": amount * 1_000_000}


def reason_of(call: Any, *arguments: Any, **words: Any) -> tuple[str, str]:
    with pytest.raises(Pended) as refusal:
        call(*arguments, **words)
    return refusal.value.reason, refusal.value.message


def test_an_unknown_code_waits(priced: Any, document: Any, event: Any) -> None:
    reason, message = reason_of(priced, document(), event=event("Y"))
    assert reason == "unknown_code"
    assert "local Y" in message


def test_a_code_belongs_to_its_system_and_its_other_names(priced: Any, document: Any, event: Any) -> None:
    book = document({"rule": fixed(5)}, code_systems={"local": ["urn:house"]})
    assert priced(book, event=event(system="urn:house")).allowed == 5_000_000
    assert reason_of(priced, book, event=event(system="LOINC"))[0] == "unknown_code"


def test_nothing_asked_counts_as_the_agreed_amount(priced: Any, document: Any) -> None:
    result = priced(document({"rule": fixed(5)}))
    assert (result.billed, result.allowed, result.contractual_adjustment) == (5_000_000, 5_000_000, 0)


@pytest.mark.parametrize(
    ("lesser", "asked", "allowed"), [(True, 3, 3), (True, 9, 5), (True, 0, 0), (False, 3, 5), (False, 9, 5)]
)
def test_more_than_was_asked_is_paid_only_where_the_book_says_so(
    priced: Any, document: Any, event: Any, lesser: bool, asked: int, allowed: int
) -> None:
    line = event(billed=asked * 1_000_000)
    for book in (
        document({"rule": fixed(5)}, lesser_of_billed=lesser),
        document({"rule": fixed(5), "lesser_of_billed": lesser}, lesser_of_billed=not lesser),
    ):
        result = priced(book, event=line)
        assert (result.billed, result.allowed) == (asked * 1_000_000, allowed * 1_000_000)
        assert result.rule.endswith(", less was asked") == (asked < 5 and lesser)


def test_the_cap_at_the_asked_amount_is_the_rule_unless_the_book_lifts_it(
    priced: Any, document: Any, event: Any
) -> None:
    assert priced(document({"rule": fixed(5)}), event=event(billed=4_000_000)).allowed == 4_000_000


def test_category_name_and_book_stand_in_the_answer(priced: Any, document: Any) -> None:
    book = document({"rule": fixed(5), "category": "lab", "display": "Blood count"})
    result = priced(book)
    assert (result.category, result.display, result.rule) == ("lab", "Blood count", "fixed X")
    assert result.book == load_price_book(book).hash


def test_what_the_book_says_of_the_service_reaches_the_plan(priced: Any, document: Any, event: Any) -> None:
    book = document({"rule": fixed(5), "facts": {"coinsurance_ppm": 182_370, "drug_class": "B"}})
    assert priced(book).facts == {"coinsurance_ppm": 182_370, "drug_class": "B"}
    assert find_item(event(), Books([load_price_book(book)]), PriceContext("book")).facts == priced(book).facts
    assert priced(document({"rule": fixed(5)})).facts == {}


def test_significant_modifiers_choose_the_item_and_others_are_information(
    priced: Any, document: Any, event: Any
) -> None:
    book = document({"rule": fixed(5)}, {"rule": fixed(2), "modifiers": ["26"]})
    assert priced(book, event=event(modifiers=("26", "59"))).allowed == 2_000_000
    assert priced(book, event=event(modifiers=("59", "GT"))).allowed == 5_000_000
    assert priced(book, event=event(modifiers=("26",))).rule == "fixed X-26"


def test_the_order_of_modifiers_does_not_matter(priced: Any, document: Any, event: Any) -> None:
    book = document({"rule": fixed(5), "modifiers": ["NU", "KF"]})
    assert priced(book, event=event(modifiers=("KF", "NU"))).allowed == 5_000_000


def test_a_priced_modifier_on_a_code_without_it_waits(priced: Any, document: Any, event: Any) -> None:
    book = document({"rule": fixed(5)}, {"code": "Z", "rule": fixed(2), "modifiers": ["26"]})
    reason, message = reason_of(priced, book, event=event(modifiers=("26",)))
    assert reason == "price_not_supported"
    assert "no price with modifier 26" in message


def test_a_modifier_the_book_cannot_follow_is_named(priced: Any, document: Any, event: Any) -> None:
    book = document({"rule": fixed(5)}, modifiers={"not_supported": {"51": "the multiple-procedure cut"}})
    reason, message = reason_of(priced, book, event=event(modifiers=("51",)))
    assert reason == "price_not_supported"
    assert "modifier 51: the multiple-procedure cut" in message


def test_the_most_exact_rule_wins(priced: Any, document: Any) -> None:
    book = document(
        {"rule": fixed(1)},
        {"rule": fixed(2), "when": {"facility_level": "3"}},
        {"rule": fixed(3), "when": {"facility_level": "3", "locality": ["north", "south"]}},
        {"rule": fixed(4), "when": {"rural": True}},
    )
    assert priced(book).allowed == 1_000_000
    assert priced(book, facility_level="3").allowed == 2_000_000
    assert priced(book, facility_level="3", locality="south").allowed == 3_000_000
    assert priced(book, facility_level="3", locality="west").allowed == 2_000_000
    assert priced(book, rural=True).allowed == 4_000_000


def test_two_equally_exact_rules_wait_and_are_both_named(priced: Any, document: Any) -> None:
    book = document({"rule": fixed(1), "when": {"facility_level": "3"}}, {"rule": fixed(2), "when": {"state": "CA"}})
    reason, message = reason_of(priced, book, facility_level="3", state="CA")
    assert reason == "ambiguous_rule"
    assert "$.items[0]" in message
    assert "$.items[1]" in message
    assert priced(book, state="CA").allowed == 2_000_000


def test_two_rules_for_the_same_code_are_ambiguous_too(priced: Any, document: Any) -> None:
    assert reason_of(priced, document({"rule": fixed(1)}, {"rule": fixed(1)}))[0] == "ambiguous_rule"


def test_a_code_that_is_priced_elsewhere_only_waits(priced: Any, document: Any) -> None:
    book = document({"rule": fixed(1), "when": {"facility_level": "3"}})
    reason, message = reason_of(priced, book, facility_level="1")
    assert reason == "price_not_supported"
    assert "facility_level" in message


def test_conditions_read_the_event_as_well(priced: Any, document: Any, event: Any) -> None:
    book = document({"rule": fixed(1)}, {"rule": fixed(2), "when": {"fact.urgent": True, "unit": "each"}})
    assert priced(book, event=event(facts={"urgent": True})).allowed == 2_000_000
    assert priced(book, event=event(facts={"urgent": False})).allowed == 1_000_000


def test_unlisted_codes_follow_the_default_of_their_category_then_of_any(
    priced: Any, document: Any, event: Any
) -> None:
    book = document(
        defaults={
            "category": {"supply": {"rule": fixed(3), "display": "Supplies"}},
            "any": {"rule": {"kind": "as_submitted"}},
        }
    )
    supply = priced(book, event=event("Y", facts={"category": "supply"}))
    assert (supply.allowed, supply.category, supply.display) == (3_000_000, "supply", "Supplies")
    anything = priced(book, event=event("Y", billed=7))
    assert (anything.allowed, anything.category, anything.rule) == (7, "", "as submitted default")


def test_codes_the_book_knows_and_does_not_price_say_why(priced: Any, document: Any, event: Any) -> None:
    book = document(
        {"code": "Z", "rule": fixed(2), "modifiers": ["26"]},
        not_priced={"C": {"system": "local", "why": "priced by hand", "codes": ["Y", "Z"]}},
        defaults={"any": {"rule": {"kind": "as_submitted"}}},
    )
    assert reason_of(priced, book, event=event("Y", billed=1)) == ("price_not_supported", "Y: priced by hand")
    assert "priced by hand" in reason_of(priced, book, event=event("Z"))[1]
    assert priced(book, event=event("Z", modifiers=("26",))).allowed == 2_000_000


def test_included_books_are_asked_in_order_after_the_own_items(priced: Any, document: Any, event: Any) -> None:
    first = document({"code": "A", "rule": fixed(1)}, {"code": "B", "rule": fixed(2)}, id="first")
    second = document({"code": "B", "rule": fixed(3)}, {"code": "C", "rule": fixed(4)}, id="second")
    both = document({"code": "A", "rule": fixed(9)}, includes=["first", "second"], id="both")
    prices = [priced(first, second, both, event=event(code)).allowed // 1_000_000 for code in "ABC"]
    assert prices == [9, 2, 4]
    assert priced(first, second, both, event=event("B")).book == load_price_book(first).hash
    assert reason_of(priced, first, second, both, event=event("D"))[0] == "unknown_code"


def test_what_one_book_does_not_price_the_next_may(priced: Any, document: Any, event: Any) -> None:
    first = document(
        {"code": "B", "rule": fixed(1), "modifiers": ["26"]},
        {"code": "D", "rule": {"kind": "not_supported", "why": "not here"}},
        not_priced={"X": {"system": "local", "why": "excluded", "codes": ["A"]}},
        id="first",
    )
    second = document(*({"code": code, "rule": fixed(3)} for code in "ABD"), id="second")
    both = document(includes=["first", "second"], id="both")
    assert [priced(first, second, both, event=event(code)).allowed for code in "ABD"] == [3_000_000] * 3
    alone = document(includes=["first"], id="alone")
    assert reason_of(priced, first, alone, event=event("A")) == ("price_not_supported", "A: excluded")


def test_an_answer_that_hangs_on_conditions_is_never_remembered_for_another_place(document: Any, event: Any) -> None:
    inner = document({"rule": fixed(1)}, {"rule": fixed(2), "when": {"state": "CA"}}, id="inner")
    books = Books([load_price_book(inner), load_price_book(document(includes=["inner"], id="outer"))])
    day = date(2025, 6, 2)
    for _ in range(2):
        for book in ("inner", "outer"):
            assert price(event(), books, PriceContext(book, day)).allowed == 1_000_000
            assert price(event(), books, PriceContext(book, day, state="CA")).allowed == 2_000_000


def test_price_and_line_share_one_currency_or_wait(priced: Any, document: Any, event: Any) -> None:
    reason, message = reason_of(priced, document({"rule": fixed(1)}), event=event(currency="EUR"))
    assert (reason, message) == ("currency_mismatch", "price book book is in USD, the line in EUR")
    base = document({"rule": fixed(1)}, id="base", currency="EUR")
    over = document({"rule": {"kind": "percent_of", "ppm": 1_000_000, "of": {"book": "base"}}})
    assert reason_of(priced, base, over)[0] == "currency_mismatch"


def test_the_version_follows_from_the_local_service_date(document: Any, event: Any) -> None:
    old = document({"rule": fixed(1)}, effective={"from": "2024-01-01", "until": "2025-01-01"})
    new = document({"rule": fixed(2)}, version=2, effective={"from": "2025-01-01"})
    books = Books([load_price_book(old), load_price_book(new)])

    def amount(instant: datetime, day: date | None = None) -> int:
        return price(event(started_at=instant), books, PriceContext("book", day)).allowed // 1_000_000

    # New York is five hours behind in winter: the year begins there at 05:00 UTC.
    assert amount(datetime(2025, 1, 1, 4, 59, 59, tzinfo=UTC)) == 1
    assert amount(datetime(2025, 1, 1, 5, 0, tzinfo=UTC)) == 2
    assert amount(datetime(2025, 1, 1, 4, 59, 59, tzinfo=UTC), date(2025, 1, 1)) == 2
    with pytest.raises(Pended) as refusal:
        amount(datetime(2024, 1, 1, 4, 59, tzinfo=UTC))
    assert refusal.value.reason == "no_contract"


def test_a_book_nobody_published_and_a_line_without_contract_wait(priced: Any, document: Any) -> None:
    assert reason_of(priced, document({"rule": fixed(1)}), book="other")[0] == "no_contract"
    assert reason_of(priced, document({"rule": fixed(1)}), book="")[0] == "no_contract"


def test_versions_of_one_book_follow_one_another_in_one_zone(document: Any) -> None:
    one = load_price_book(document())
    again = load_price_book(document(version="2", effective={"from": "2025-01-01"}))
    later = load_price_book(document(version="4", effective={"from": "2025-12-31"}))
    abroad = load_price_book(document(version="3", effective={"from": "2026-01-01"}, zone="Asia/Shanghai"))
    with pytest.raises(InvalidMessage, match="overlap"):
        Books([one, again])
    with pytest.raises(InvalidMessage, match="two zones"):
        Books([one, abroad])
    both = Books([later, one])
    assert [both.find("book", date(2025, 12, day)) for day in (30, 31)] == [one, later]
    assert Books([one, load_price_book(document())]).find("book", date(2025, 1, 1)) is one


def test_books_that_lean_on_each_other_in_a_circle_are_refused(document: Any) -> None:
    over = {"kind": "percent_of", "ppm": 1_000_000, "of": {"book": "b"}}
    books = [load_price_book(document({"rule": over}, id="a")), load_price_book(document(includes=["a"], id="b"))]
    with pytest.raises(InvalidMessage, match="a -> b -> a"):
        Books(books)


def test_without_a_book_what_was_asked_is_agreed(priced: Any, document: Any, event: Any) -> None:
    result = priced(document(), event=event(billed=1_234_567, currency="EUR"), book=AS_SUBMITTED)
    assert (result.billed, result.allowed, result.currency) == (1_234_567, 1_234_567, "EUR")
    assert (result.book, result.rule) == ("", "as submitted")
    assert reason_of(priced, document(), book=AS_SUBMITTED)[0] == "fact_missing"


def test_a_patient_without_cover_is_never_refused_for_what_the_schedule_lacks(
    priced: Any, document: Any, event: Any
) -> None:
    schedule = document({"rule": fixed(5)}, not_priced={"C": {"system": "local", "why": "by hand", "codes": ["Z"]}})
    own = priced(schedule, event=event(billed=9_000_000), self_pay=True)
    assert (own.billed, own.allowed) == (9_000_000, 5_000_000)
    for code, book in (("Y", "book"), ("Z", "book"), ("X", "no such book"), ("X", "")):
        asked = priced(schedule, event=event(code, billed=9_000_000), self_pay=True, book=book)
        assert (asked.allowed, asked.rule) == (9_000_000, "as submitted")
    assert reason_of(priced, schedule, event=event("Y"), self_pay=True)[0] == "unknown_code"
    assert reason_of(priced, schedule, event=event(billed=1, currency="EUR"), self_pay=True)[0] == "currency_mismatch"


def test_the_same_document_has_one_hash_and_any_change_another(document: Any) -> None:
    one = document({"rule": fixed(1)})
    reordered = dict(reversed(list(one.items())))
    assert load_price_book(one).hash == load_price_book(reordered).hash
    assert load_price_book(one).hash != load_price_book(document({"rule": fixed(2)})).hash
