"""Which care may money for a purpose pay for? The rules that are published, and the next version of them.

A wallet names them by their id (`expense_rules`); docs/reference/expense-rules.md says what a document holds.
"""

from __future__ import annotations

from typing import Any

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.draft_shapes import Document, VersionView
from drachm.adapters.rest.service.drafts import chosen, version_view
from drachm.adapters.rest.service.register_shapes import after
from drachm.adapters.rest.service.shapes import Page, Shape, View
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.money_reading import Published

KIND = "expense_rules"


class ExpenseRulesOrder(Shape):
    """A document of expense rules."""

    document: Document


class ExpenseRulesListed(View):
    """Expense rules and their published versions."""

    id: str
    title: str
    versions: list[VersionView]


class ExpenseRulesView(View):
    """A published version of expense rules."""

    id: str
    title: str
    version: VersionView
    versions: list[VersionView]
    document: dict[str, Any]


@operation("list_expense_rules", answer=Page[ExpenseRulesListed])
def list_expense_rules(call: Call) -> Page[ExpenseRulesListed]:
    """Published expense rules, in order of id."""
    call.reach()
    limit, behind = call.limit(), after(call)
    found: dict[str, list[Published]] = {}
    for one in call.market.money.published(KIND):
        if one.id > behind:
            found.setdefault(one.id, []).append(one)
    shown = sorted(found)[:limit]
    data = [
        ExpenseRulesListed(id=name, title=found[name][-1].title, versions=[version_view(one) for one in found[name]])
        for name in shown
    ]
    return Page(data=data, next=call.cursor([shown[-1]]) if len(found) > limit else None)


@operation(
    "get_expense_rules",
    answer=ExpenseRulesView,
    query={"version": "This version.", "on": "The version in force on this day; today without both."},
)
def get_expense_rules(call: Call) -> ExpenseRulesView:
    """One published version: today's, else the newest, else the one that is asked for."""
    name = call.path["rules_id"]
    versions = [one for one in call.market.money.published(KIND) if one.id == name]
    call.permit(call.resource(name) if versions else None)
    one = chosen(call, versions)
    if one is None:
        raise Problem("not_found")
    return _view(call, one, versions)


@operation(
    "publish_expense_rules",
    body=ExpenseRulesOrder,
    answer=ExpenseRulesView,
    status=201,
    problems=("conflict", "invalid_document"),
)
def publish_expense_rules(call: Call) -> ExpenseRulesView:
    """Publish a version; the same document again changes nothing. A version takes over on its first day."""
    call.permit(call.resource())
    body: ExpenseRulesOrder = call.body
    published = call.market.desk.books.publish(KIND, body.document)
    found = call.market.money.published(KIND)
    [one] = [each for each in found if each.hash == published]
    return _view(call, one, [each for each in found if each.id == one.id])


def _view(call: Call, one: Published, versions: list[Published]) -> ExpenseRulesView:
    return ExpenseRulesView(
        id=one.id,
        title=one.title,
        version=version_view(one),
        versions=[version_view(each) for each in versions],
        document=dict(call.market.money.document(one.hash) or {}),
    )
