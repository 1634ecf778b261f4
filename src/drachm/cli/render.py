"""How does an answer look in a terminal?"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from drachm.application.audit import AuditReport
from drachm.application.replay import ClassTotals, ReplayReport
from drachm.domain.errors import DrachmError
from drachm.domain.money import plain
from drachm.domain.reasons import REASONS, text_of
from drachm.domain.receipts.issue import sentence
from drachm.domain.receipts.model import Receipt, Why

STATUS_STYLE = {"posted": "green", "denied": "yellow", "pended": "cyan", "refused": "red", "conflict": "red"}


def wide_console(*, stderr: bool = False) -> Console:
    """A console that does not squeeze its lines when nobody looks at a terminal."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=120)


def receipt_card(console: Console, receipt: Receipt, *, why: bool) -> None:
    """One receipt in full: what happened, who paid what, what to do now; with every step when `why`."""
    style = STATUS_STYLE[receipt.status]
    console.print()
    console.print(f"[bold]Receipt {receipt.number}[/bold]  [{style}]{receipt.status}[/{style}]  {receipt.day:%d %B %Y}")
    console.print(
        f"{escape(receipt.display or 'Care')}  [dim](code {escape(receipt.service)}, {escape(receipt.provider)})[/dim]"
    )
    console.print(f"[bold]{escape(sentence(receipt))}[/bold]")
    if receipt.next_step:
        console.print(f"  {escape(receipt.next_step)}")
    if receipt.plans or receipt.parts:
        console.print(_split(receipt))
    if receipt.provisional:
        console.print("  The insurer's answer is provisional; a later one posts only the difference.")
    if why and (receipt.plans or receipt.parts):
        _why(console, receipt)
    plans = ", ".join(plan[:12] for plan in receipt.plans) or "none"
    price = f"{escape(receipt.price_rule) or '-'}; book {receipt.price_book[:12] or '-'}"
    console.print(f"[dim]  price {price}; plans {plans}; leaf {receipt.leaf[:16]}[/dim]")


def closing_table(console: Console, report: ReplayReport) -> None:
    """What a replay did: sums by class, what did not post and why, speed, books."""
    table = Table(title="What was cleared", title_justify="left")
    for heading in ("class", "events", "billed", "payers", "patients", "still due"):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for currency in sorted({currency for currency, _ in report.classes}):
        rows = [(name, sums) for (of, name), sums in report.classes.items() if of == currency]
        for name, sums in sorted(rows, key=lambda row: -row[1].billed):
            table.add_row(escape(name), *_sums([sums], ""))
        table.add_section()
        table.add_row(f"all {currency}", *_sums([sums for _, sums in rows], currency))
        table.add_section()
    console.print(table)
    console.print(
        f"{report.events:,} events: {report.posted:,} posted, {report.denied:,} denied by a plan, "
        f"{report.pended:,} pended, {report.refused:,} refused, {report.duplicates:,} here before, "
        f"{report.conflicts:,} conflicts"
    )
    for reason, count in report.reasons.most_common():
        known = REASONS.get(reason)
        console.print(f"  {count:,} x {reason}: {text_of(reason)} {known.next_step if known else ''}".rstrip())
    if report.events and report.duplicates == report.events:
        console.print("Nothing new: every event was here before and received its first answer.")
    verdict = "[green]balanced[/green]" if report.books_ok else "[red]DISAGREE[/red]"
    console.print(f"{report.events_per_second:,} events per second; books {verdict}")


def problem_line(code: str, where: str, message: str, next_step: str) -> str:
    """What is wrong, where, and what to do, in one line of markup."""
    place = f"{where}: " if where else ""
    return f"[yellow]{escape(code)}[/yellow] {escape(f'{place}{message}. {next_step}')}"


def problems_list(console: Console, problems: Sequence[DrachmError], limit: int = 20) -> None:
    """What could not be read: place, problem, what to do."""
    for problem in problems[:limit]:
        console.print(f"  {problem_line(problem.code, problem.where, problem.message, problem.next_step)}")
    if len(problems) > limit:
        console.print(f"  ... and {len(problems) - limit:,} more; --json names all")


def audit_verdict(console: Console, report: AuditReport) -> None:
    """The audit in two lines."""
    console.print(f"{report.rows:,} journal rows rebuilt, {report.rows_per_second:,} rows per second")
    if report.erased:
        console.print(f"{report.erased:,} rows had their content erased; their entries and order were checked")
    if report.ok and not report.rows:
        console.print(
            "[yellow]These books are empty: nothing was there to be checked.[/yellow] Is it the right tenant?"
        )
    elif report.ok:
        console.print("[green]Everything follows from the entries.[/green]")
    else:
        console.print(f"[red]First difference:[/red] {escape(report.first_difference)}")


def _split(receipt: Receipt) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_row("Asked price", _money(receipt.billed, receipt.currency))
    for part in receipt.parts:
        who = {"payer": f"{part.who} pays", "provider": "Provider gives up", "patient": "You"}[part.bearer]
        # That a payer pays is said by the line itself.
        note = (
            "" if part.label == text_of("plan_pays") else part.label.lower() if part.bearer == "payer" else part.label
        )
        where = f" from {part.who}" if part.bearer == "patient" and part.who else ""
        table.add_row(
            f"  {escape(who)}{escape(where)}  [dim]{escape(note)}[/dim]", _money(part.amount, receipt.currency)
        )
    for credit in receipt.credits:
        table.add_row(
            f"  {escape(credit.who)}  [dim]{credit.label.lower()}[/dim]", _money(credit.amount, receipt.currency)
        )
    return table


def _why(console: Console, receipt: Receipt) -> None:
    console.print("  [bold]Why this amount?[/bold]")
    table = Table(box=None, padding=(0, 2), show_header=False)
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    table.add_row("", _money(receipt.billed), "asked price")
    if receipt.billed != receipt.allowed:
        table.add_row("", _money(receipt.allowed - receipt.billed), "agreed cut: nobody pays it")
    for number, step in enumerate(receipt.why, start=1):
        table.add_row(f"{number}.", _money(step.amount), escape(_sentence(step)))
    console.print(table)


def _sentence(step: Why) -> str:
    text = step.sentence
    if step.clause:
        text += f" ({step.plan}, clause {step.clause}{': ' + step.clause_text if step.clause_text else ''})"
    if step.left is not None and step.of_limit is not None:
        text += f" {plain(step.left)} of {plain(step.of_limit)} left."
    return text


def _sums(rows: list[ClassTotals], currency: str) -> list[str]:
    money = (sum(getattr(row, name) for row in rows) for name in ("billed", "payers", "patient", "due"))
    return [f"{sum(row.events for row in rows):,}", *(_money(amount, currency) for amount in money)]


def _money(amount: int, currency: str = "") -> str:
    text = plain(amount)
    whole, _, fraction = text.partition(".")
    grouped = f"{int(whole):,}" if whole not in ("-0",) else whole
    return f"{grouped}.{fraction} {currency}".strip() if fraction else f"{grouped} {currency}".strip()
