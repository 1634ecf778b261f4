"""What a book remembers about a code never decides another line wrongly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.catalog import Books, PriceContext, edition, load_price_book, price
from drachm.domain.errors import Pended
from drachm.domain.events.model import Code, ServiceEvent

DAY = date(2025, 6, 2)


def fixed(amount: int) -> dict[str, Any]:
    return {"kind": "fixed", "amount": amount * 1_000_000}


def answer(event: Any, books: Books, book: str = "book", **at: Any) -> int | tuple[str, str]:
    """The allowed amount in whole units, or why there is none."""
    try:
        return price(event, books, PriceContext(book, **{"service_date": DAY, **at})).allowed // 1_000_000
    except Pended as refusal:
        return refusal.reason, refusal.message


def test_a_default_of_a_category_comes_before_the_items_of_later_books(document: Any, event: Any) -> None:
    first = document(id="first", defaults={"category": {"lab": {"rule": fixed(1)}}})
    second = document({"rule": fixed(2)}, id="second")
    books = Books([load_price_book(one) for one in (first, second, document(includes=["first", "second"]))])
    for _ in range(2):
        assert answer(event(), books) == 2
        assert answer(event(facts={"category": "lab"}), books) == 1


def test_a_default_follows_the_category_of_each_line(document: Any, event: Any) -> None:
    defaults = {"category": {"lab": {"rule": fixed(1)}}}
    by_category = Books([load_price_book(document(defaults=defaults))])
    with_any = Books([load_price_book(document(defaults={**defaults, "any": {"rule": fixed(2)}}))])
    for _ in range(2):
        assert answer(event(facts={"category": "lab"}), by_category) == 1
        assert answer(event(), by_category)[0] == "unknown_code"  # type: ignore[index]
        assert [answer(event(facts={"category": word}), with_any) for word in ("lab", "drug")] == [1, 2]


def test_conditions_are_asked_for_each_line_wherever_they_stand(document: Any, event: Any) -> None:
    inner = document(
        {"rule": fixed(1), "when": {"state": "CA"}},
        {"rule": fixed(2), "when": {"state": "TX"}},
        {"rule": {"kind": "not_supported", "why": "by hand"}, "when": {"state": "NY"}},
        id="inner",
    )
    other = document({"code": "Z", "rule": fixed(9)}, id="other")
    last = document({"rule": fixed(3)}, id="last")
    books = Books([load_price_book(one) for one in (inner, other, last, document(includes=["other", "inner", "last"]))])
    for _ in range(2):
        assert [answer(event(), books, state=state) for state in ("CA", "TX", "NY", "OR")] == [1, 2, 3, 3]
        assert answer(event(), books, "inner", state="NY") == ("price_not_supported", "X: by hand")
        assert answer(event(), books, "inner", state="OR")[0] == "price_not_supported"  # type: ignore[index]
        assert answer(event(currency="EUR"), books, state="CA")[0] == "currency_mismatch"  # type: ignore[index]


def test_a_book_that_is_not_in_force_is_missed_on_its_own_days_only(document: Any, event: Any) -> None:
    half = document({"rule": fixed(1)}, id="half", effective={"from": "2025-07-01", "until": "2025-08-01"})
    books = Books([load_price_book(half), load_price_book(document(includes=["half"]))])
    for _ in range(2):
        for day in (date(2025, 6, 30), date(2025, 8, 1)):
            assert answer(event(), books, service_date=day) == (
                "no_contract",
                f"no version of price book 'half' is in force on {day}",
            )
        assert answer(event(), books, service_date=date(2025, 7, 31)) == 1


def test_a_refusal_is_told_anew_each_time(document: Any, event: Any) -> None:
    books = Books([load_price_book(document(includes=["other"])), load_price_book(document(id="other"))])
    told = []
    for _ in range(2):
        with pytest.raises(Pended) as caught:
            price(event(), books, PriceContext("book", DAY))
        told.append(caught.value)
    assert told[0] is not told[1]
    assert str(told[0]) == str(told[1])
    assert told[0].__context__ is None


def test_the_memory_is_bounded(document: Any, event: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edition, "MOST_REMEMBERED", 3)
    items = [{"code": f"C{n}", "rule": fixed(n)} for n in range(10)]
    books = Books([load_price_book(document(*items))])
    for _ in range(2):
        assert [answer(event(f"C{n}"), books) for n in range(10)] == list(range(10))
    assert len(books._edition("book", DAY)._known) <= 3


WORDS = ("CA", "TX", "")
CONDITIONS = st.sampled_from(
    [{}, {"state": "CA"}, {"state": ["CA", "TX"]}, {"fact.a": "CA"}, {"state": "TX", "fact.a": "CA"}]
)
RULES = st.integers(1, 99).map(fixed) | st.just({"kind": "not_supported", "why": "by hand"})
ITEMS = st.fixed_dictionaries(
    {
        "system": st.just("local"),
        "code": st.sampled_from("XY"),
        "rule": RULES,
        "when": CONDITIONS,
        "modifiers": st.sampled_from([[], ["26"]]),
    }
)
DEFAULTS = st.sampled_from([{}, {"any": {"rule": fixed(500)}}, {"category": {"lab": {"rule": fixed(600)}}}])
NOT_PRICED = st.sampled_from([{}, {"a": {"system": "local", "why": "later", "codes": ["Y"]}}])
BOOKS = st.fixed_dictionaries(
    {
        "items": st.lists(ITEMS, max_size=4),
        "defaults": DEFAULTS,
        "not_priced": NOT_PRICED,
        "currency": st.sampled_from(["USD"] * 4 + ["EUR"]),
    }
)
LINES = st.fixed_dictionaries(
    {
        "code": st.sampled_from("XYZ").map(lambda code: Code("local", code)),
        "modifiers": st.sampled_from([(), ("26",), ("99",)]),
        "facts": st.sampled_from([{}, {"a": "CA"}, {"category": "lab"}]),
    }
)


@given(
    st.lists(BOOKS, min_size=1, max_size=3), st.lists(st.tuples(LINES, st.sampled_from(WORDS)), min_size=2, max_size=12)
)
def test_no_line_is_priced_otherwise_because_of_the_lines_before_it(
    document: Callable[..., dict[str, Any]], inner: list[dict[str, Any]], lines: list[tuple[dict[str, Any], str]]
) -> None:
    names = [f"inner-{number}" for number in range(len(inner))]
    documents = [{**document(id=name), **one} for name, one in zip(names, inner, strict=True)]
    loaded = [load_price_book(one) for one in (*documents, document({"code": "Z", "rule": fixed(7)}, includes=names))]
    books = Books(loaded)
    noon = datetime(2025, 6, 2, 16, tzinfo=UTC)
    for line, state in lines:
        event = ServiceEvent("test", "1", "charge", "ana", currency="USD", started_at=noon, **line)
        assert answer(event, books, state=state) == answer(event, Books(loaded), state=state)
