"""What is the least that still shows a difference?

Greedy: drop documents, steps, conditions, words, facts and totals one by one, and keep each step after which the two
adjudicators still disagree on the one line.
"""

from __future__ import annotations

import copy


def shrink(case, differs):
    """A (line, documents, totals) made smaller while `differs(line, documents, totals)` stays true."""
    case = copy.deepcopy(case)
    for _ in range(4):
        before = copy.deepcopy(case)
        case = simpler_line(case, differs)
        line, documents, totals = case
        for part in (documents, line["facts"], line["document_facts"], totals):
            prune(part, lambda case=case: differs(*case))
        if before == case:
            break
    return case


def simpler_line(case, differs):
    line, documents, totals = case
    plain = [{name: ""} for name in ("visit", "admission", "family", "policy")]
    plain += [{"cost": cost, "billed": cost} for cost in (100_000_000, 10_000_000, 0)]
    for words in [*plain, {"quantity": 1_000_000}, {"billed": line["cost"]}]:
        if line != line | words and differs(line | words, documents, totals):
            line = line | words
    return line, documents, totals


def prune(node, still):
    """Drop what can go from a dictionary or list, in place, the whole before its parts."""
    keys = list(node) if isinstance(node, dict) else list(reversed(range(len(node))))
    for key in keys:
        held = node.pop(key)
        if still():
            continue
        if isinstance(node, dict):
            node[key] = held
        else:
            node.insert(key, held)
        if isinstance(held, (dict, list)):
            prune(held, still)
