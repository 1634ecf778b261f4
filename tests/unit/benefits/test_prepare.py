"""What `prepare` promises: facts are read once, keys stand in one order for ever, a plan's words never become code."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drachm.domain.benefits import Key, Line, Prepared, build_stack, load_plan, prepare
from drachm.domain.benefits import machine as machine_room
from drachm.domain.errors import Pended

U = 1_000_000
PERSON = {"scope": "person", "period": "benefit_year", "feeds": [{"of": "covered"}]}
HOSTILE = [
    "'); raise SystemExit(1) #",
    '"""\nraise SystemExit(1)\n"""',
    "\\",
    "\\'",
    "a\nraise SystemExit(1)\n",
    "{line.member.__class__}",
    "\r\u2028raise SystemExit(1)",
    "%s {0} ' + __import__('os').name + '",
]


def a_line(**changes):
    made = Line("e", 10 * U, 10 * U, datetime(2025, 3, 10, 12, tzinfo=UTC), "ana", family="f", policy="p", visit="v")
    return replace(made, **changes)


def stack_of(*documents):
    return build_stack([load_plan(document) for document in documents])


def rich(document):
    """A document whose keys are of every kind."""
    rolling = {"id": "days", **PERSON, "period": {"rolling_days": 2}, "by": ["place"], "feeds": [{"of": "visits"}]}
    return document(
        {"kind": "copay", "amount": 2 * U, "per": "visit"},
        {"kind": "deductible", "limits": [{"accumulator": "year", "limit": 5 * U}], "when_used": {"z": {"below": 9}}},
        {"kind": "benefit_limit", "unit_limits": [{"accumulator": "days", "limit": 3}], "denies": False},
        facts={"place": "text", "grown": "flag"},
        accumulators=[
            {"id": "z", **PERSON, "scope": "policy"},
            rolling,
            {"id": "year", **PERSON},
            {"id": "grown", **PERSON, "feeds": [{"of": "lines", "when": {"grown": True}}]},
            {"id": "relief", "kind": "periods_with_relief", "of": "cap", "window_months": 3},
        ],
        closing_steps=[
            {
                "id": "cap",
                "clause": "c",
                "kind": "period_cap",
                "pool": {"scope": "family", "period": "month"},
                "cap": {"cases": [{"when_used": {"relief": {"at_least": 1}}, "base": U}, {"base": 3 * U}]},
                "qualify": {"by": ["place"], "needs": {}},
            }
        ],
    )


def test_keys_stand_in_an_order_that_never_changes(document):
    # Rows keep the totals that were read by the places of their keys: another order would be another row.
    expected = [
        ("f", "plan/cap#C", "M2025-03"),
        ("f", "plan/cap#N", "M2025-03"),
        ("f", "plan/cap#R", "M2025-03"),
        ("f", "plan/cap#R", "M2025-02"),
        ("f", "plan/cap#R", "M2025-01"),
        ("f", "plan/cap#S", "M2025-03"),
        ("f", "plan/cap{x}#C", "M2025-03"),
        ("f", "plan/cap{x}#L", "M2025-03"),
        ("f", "plan/cap{x}#N", "M2025-03"),
        ("f", "plan/cap{x}#O", "M2025-03"),
        ("f", "plan/cap{x}#S", "M2025-03"),
        ("ana", "plan/days[x]", "D2025-03-10"),
        ("ana", "plan/days[x]", "D2025-03-09"),
        ("ana", "plan/days[x]@first:ana", "V:v"),
        ("ana", "plan/s0#taken", "V:v"),
        ("ana", "plan/year", "Y2025-01-01"),
        ("p", "plan/z", "Y2025-01-01"),
        ("p", "plan/z@visit:ana@Y2025-01-01", "V:v"),
    ]
    stack = stack_of(rich(document))
    line = a_line(facts={"place": "x"})
    prepare(a_line(facts={"place": "other", "grown": True}), stack)
    assert prepare(line, stack).keys == tuple(Key(*key) for key in expected)
    other_order = dict(reversed(rich(document).items()))
    other_order["facts"] = {"grown": "flag", "place": "text"}
    assert prepare(line, stack_of(other_order)).keys == tuple(Key(*key) for key in expected)


def test_keys_do_not_depend_on_the_hashes_of_this_process():
    script = (
        "from datetime import UTC, datetime\n"
        "from drachm.domain.benefits import Line, build_stack, load_plan, prepare\n"
        "names = [f'n{n}' for n in range(9)]\n"
        "totals = [{'id': name, 'scope': ('person', 'family')[n % 2], 'period': 'lifetime',"
        " 'feeds': [{'of': 'paid', 'when': {'word': names[n:]}}]} for n, name in enumerate(names)]\n"
        "plan = {'id': 'p', 'version': '1', 'payer': 'f', 'currency': 'USD', 'zone': 'UTC', 'steps': [],"
        " 'effective': {'from': '2000-01-01'}, 'facts': {'word': 'text'}, 'accumulators': totals}\n"
        "line = Line('e', 1, 1, datetime(2025, 1, 1, tzinfo=UTC), 'm', facts={'word': 'n5'})\n"
        "print(prepare(line, build_stack([load_plan(plan)])).keys)\n"
    )
    source = str(Path(machine_room.__file__).parents[3])
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONPATH": source, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert "n5" in told.pop()


def test_only_what_the_line_may_touch_is_a_key(document):
    stack = stack_of(rich(document))
    grown = Key("ana", "plan/grown", "Y2025-01-01")
    assert grown not in prepare(a_line(facts={"place": "x"}), stack).keys
    assert grown in prepare(a_line(facts={"place": "x", "grown": True}), stack).keys


def test_a_line_can_be_decided_more_than_once(document):
    prepared = prepare(a_line(facts={"place": "x"}), stack_of(rich(document)))
    first = prepared.decide({})
    assert isinstance(prepared, Prepared)
    assert prepared.decide(dict(first.deltas)) != first
    assert prepared.decide({}) == first


def test_a_fact_that_every_line_needs_pends_before_any_total_is_read(document):
    stack = stack_of(document({"kind": "copay", "amount": {"fact": "fee"}}, facts={"fee": "money"}))
    for _ in range(2):
        with pytest.raises(Pended) as pended:
            prepare(a_line(), stack)
        assert (pended.value.reason, pended.value.where) == ("fact_missing", "fee")
    assert prepare(a_line(facts={"fee": U}), stack).decide({}).patient_responsibility == U


def test_a_fact_that_some_totals_need_pends_when_they_are_known(document):
    full = {"kind": "benefit_limit", "limits": [{"accumulator": "n", "limit": 20 * U}]}
    stack = stack_of(
        document(
            full,
            {"kind": "copay", "amount": {"fact": "fee"}},
            facts={"fee": "money"},
            accumulators=[{"id": "n", **PERSON}],
        )
    )
    prepared = prepare(a_line(), stack)
    (key,) = prepared.keys
    assert prepared.decide({key: 20 * U}).decision == "denied"
    with pytest.raises(Pended):
        prepared.decide({})


@pytest.mark.parametrize("text", HOSTILE)
def test_no_word_of_a_plan_becomes_code(document, text):
    made = document(
        {"kind": "exclude", "when": {text: "never"}},
        {"kind": "copay", "amount": {"fact": f"fee {text}"}, "reason": text, "clause": text, "when": {"band": text}},
        {"kind": "pay", "party": text, "ppm": 500_000, "when": {"free": [text, "other"]}},
        {"kind": "coinsurance", "ppm": {"cases": [{"when": {"member": text}, "value": 100_000}]}},
        version=text,
        payer=text,
        title=text,
        text={text: text},
        facts={text: {"type": [text, "never"], "default": text}, f"fee {text}": "money", "free": "text", "n": "number"},
        bands=[{"fact": "band", "of": "n", "to": [{"below": 5, "is": text}, {"is": "other"}]}],
        accumulators=[
            {
                "id": "a",
                **PERSON,
                "by": [text, "band", "payer_set"],
                "feeds": [{"of": f"paid:{' '.join(text.split())}"}],
            }
        ],
    )
    stack = stack_of(made)
    line = a_line(member=text, facts={f"fee {text}": 4 * U, "free": text, "n": 1})
    answer = prepare(line, stack).decide({}, explain=True)
    assert {step.clause for step in answer.trace} >= {text}
    assert {share.party for share in answer.shares} >= {text}
    assert sum(share.amount for share in answer.shares if share.bearer == "patient") == 4 * U + 300_000
    with pytest.raises(Pended, match="fee"):
        prepare(replace(line, facts={"free": text, "n": 1}), stack)


def test_a_program_can_be_read(document):
    stack = stack_of(rich(document))
    prepare(a_line(facts={"place": "x"}), stack)
    (program,) = stack.machine.programs.values()
    written = program.script().decide_source()
    assert "# copay 's0', '0'" in written
    assert "trace" not in written
    assert "trace.append(Step('plan', '1', 's0', 'copay'" in program.script(explains=True).decide_source()


def test_memory_is_bounded_however_many_signatures_come(document, monkeypatch):
    monkeypatch.setattr(machine_room, "MOST_PROGRAMS", 4)
    cases = [{"when": {"word": f"w{number}"}, "value": number * U} for number in range(1, 10)]
    stack = stack_of(document({"kind": "copay", "amount": {"cases": cases}}, facts={"word": "text"}))
    for _ in range(2):
        for number in range(1, 10):
            answer = prepare(a_line(facts={"word": f"w{number}"}), stack).decide({})
            assert answer.patient_responsibility == number * U
    assert len(stack.machine.programs) <= 4


def test_amounts_words_and_days_that_no_rule_tells_apart_share_a_program(document):
    stack = stack_of(
        document(
            {"kind": "copay", "amount": {"fact": "fee"}, "when": {"age": {"below": 65}, "code": ["a", "b"]}},
            {"kind": "waiting_period", "since": "start", "months": 1},
            facts={"fee": "money", "age": "number", "code": "text", "start": "date"},
        )
    )
    told = set()
    for number in range(30):
        facts = {
            "fee": number * U // 10,
            "age": 30 + number,
            "code": "ab"[number % 2],
            "start": f"2020-01-{number + 1:02d}",
        }
        told.add(prepare(a_line(member=f"m{number}", facts=facts), stack).decide({}).patient_responsibility)
    assert len(stack.machine.programs) == 1
    assert len(told) == 30


def test_subclasses_of_a_type_fit_as_their_type_does(document):
    class Word(str):
        __slots__ = ()

    class Number(int):
        pass

    stack = stack_of(
        document(
            {"kind": "copay", "amount": {"fact": "fee"}, "when": {"place": "x"}},
            facts={"fee": "money", "place": ["x", "y"]},
        )
    )
    answer = prepare(a_line(facts={"fee": Number(U), "place": Word("x")}), stack).decide({})
    assert answer.patient_responsibility == U
    with pytest.raises(Pended):
        prepare(a_line(facts={"fee": True, "place": "x"}), stack)
