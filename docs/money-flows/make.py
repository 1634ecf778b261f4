"""What do the books say after each kind of event? Runs every story on books in memory and writes its page.

    PYTHONPATH=src .venv/bin/python docs/money-flows/make.py

Clock and ids are fixed, so the pages come out the same on every machine; tests/promises/test_money_flows.py compares.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from stories import STORIES
from story import Story
from town import new_town

from drachm.application.check_books import check_books
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.application.ports import Stored, Written
from drachm.application.recall import kept_of, recall
from drachm.application.receipts import receipt_of
from drachm.domain.clearing.numbers import place_of
from drachm.domain.ledger.model import EntryKind
from drachm.domain.money import plain
from drachm.domain.receipts.issue import sentence

HERE = Path(__file__).parent


def page(story: Story) -> str:
    """The whole page of a story, run anew."""
    desk = new_town(story.wallets)
    before = len(list(desk.books.rows()))
    outcomes = story.run(desk)
    rows = list(desk.books.rows())[before:]
    parts = [f"# {story.title}\n", f"{textwrap.fill(story.tale, 118)}\n", "## Entries\n"]
    for stored, written in rows:
        parts.append(_entries(stored, written))
    said = "\n".join([*_outcomes(desk, outcomes), *_books(desk)])
    parts.append(f"## Stored output\n\n```text\n{said}\n```\n")
    return "\n".join(parts)


def _entries(stored: Stored, written: Written) -> str:
    """One journal row as accounts with a debit and a credit side."""
    place = f", in the place of position {stored.supersedes}" if stored.supersedes is not None else ""
    lines = [f"Position {stored.position}, `{stored.kind.name}` of {_name(stored)}{place}:\n"]
    if not written.entries:
        return "\n".join([*lines, "no entries.\n"])
    lines += ["| account | owner | debit | credit | whose money |", "| --- | --- | ---: | ---: | --- |"]
    for entry in written.entries:
        sides = (plain(entry.amount), "") if entry.amount > 0 else ("", plain(-entry.amount))
        account = entry.account
        cells = (f"`{account.kind}`", account.owner, *sides, f"`{entry.source.name}`")
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    return "\n".join(lines) + "\n"


def _name(stored: Stored) -> str:
    kept = kept_of(stored)
    if kept is None:
        return "an erased event"
    told = kept.body.event or kept.body.top_up
    if told is None:
        own = {EntryKind.ALLOTMENT: "the fund itself", EntryKind.EXPIRY: "the pot itself"}
        return own.get(stored.kind, "the books alone")
    return f"{told.source}/{told.event_id}"


def _outcomes(desk: Desk, outcomes: Sequence[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        receipt = receipt_of(outcome, desk.books)
        again = f" revision {outcome.revision}" if outcome.revision else ""
        yield f"{outcome.source}/{outcome.event_id}{again}: {outcome.status} {outcome.reason}".rstrip()
        if receipt is None:
            continue
        yield f"  {receipt.number}  {sentence(receipt)}"
        for part in receipt.parts:
            yield f"    {part.bearer:<9}{part.who:<16}{plain(part.amount):>7}  {part.label}".rstrip()
        for step in receipt.why:
            if step.pocket:
                yield f"    not from {step.pocket:<16}{step.sentence} {step.plan} {step.clause}".rstrip()
    if outcomes:
        yield ""


def _books(desk: Desk) -> Iterator[str]:
    yield "pots, what they may spend and have promised"
    for pot, (avail, held) in sorted(desk.books.pots().items()):
        if avail or held:
            yield f"  {pot:<36}{plain(avail):>8}{plain(held):>8}"
    yield "balances, debit and credit"
    for account, balance in sorted(desk.books.balances().items()):
        if balance:
            side = f"{plain(balance):>8}" if balance > 0 else f"{'':8}{plain(-balance):>8}"
            yield f"  {account.kind:<20}{account.owner:<16}{side}"
    # Rows keep totals by number: the names are those that the decisions ask for.
    kept = [one for stored, _ in desk.books.rows() if (one := kept_of(stored)) is not None]
    decided = [one.at for one in recall(kept, desk.books) if one.at is not None and one.at.prepared]
    keys = [(*at.prepared.keys(), *(at.quotas.keys if at.quotas else ())) for at in decided]
    names = {
        place_of(number): key
        for at, known in zip(decided, keys, strict=True)
        for number, key in zip(at.totals, known, strict=True)
    }
    totals = sorted((names[place], value) for place, value in desk.books.totals())
    if totals:
        yield "running totals, in micro-units"
    for key, value in totals:
        yield f"  {key.scope}  {key.name}  {key.period}  {value}"
    problems = check_books(desk.books)
    yield "; ".join(problems) if problems else "books: in balance"


if __name__ == "__main__":
    for story in STORIES:
        (HERE / f"{story.name}.md").write_text(page(story), "utf-8")
